// history.csv of a training run: imgsim/model/history.hpp.
#include <string>
#include <vector>

#include <imgsim/core/file.hpp>
#include <imgsim/model/history.hpp>

#include "../target.hpp"

namespace imgsim_fuzz {

namespace {

bool read_records(std::span<const std::byte> input) {
  return accepts([&] {
    const std::vector<imgsim::epoch_record> read = imgsim::parse_history(imgsim::text_of(input));
    must(read.size() <= input.size(), "a record takes bytes");
    const std::string written = imgsim::history_text(read);
    must(imgsim::history_text(imgsim::parse_history(written)) == written, "a history comes back");
  });
}

std::vector<bytes> record_seeds() {
  const std::vector<imgsim::epoch_record> history{{1, 0.5, 0.625, 1e-3, 2.5}, {2, 0.25, 0.5, 1e-4, 2.25}};
  const std::vector<imgsim::epoch_record> unvalidated{{.epoch = 1, .training_loss = 0.5, .learning_rate = 1e-3}};
  return {bytes_of_text(imgsim::history_text(history)), bytes_of_text(imgsim::history_text(unvalidated))};
}

}  // namespace

const target history_target{"history", read_records, record_seeds};

}  // namespace imgsim_fuzz
