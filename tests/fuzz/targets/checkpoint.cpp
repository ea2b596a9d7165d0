// A training run to be resumed: imgsim/model/checkpoint.hpp. The input is the text of the file's metadata, one
// "key=value" a line with line ends in values as \r, and the tensors are given, as for models.
#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include <imgsim/core/file.hpp>
#include <imgsim/model/checkpoint.hpp>

#include "../target.hpp"

namespace imgsim_fuzz {

namespace {

imgsim::tensor_file sample_tensors() {
  return {.tensors = {{"state/down.kernel", {2, 2}, {1, 2, 3, 4}}, {"optimizer/step", {1}, {7}}}, .metadata = {}};
}

/// A file holds JSON, and JSON no other text.
std::string as_utf8(const std::string& text) {
  const std::string json = nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return nlohmann::json::parse(json).get<std::string>();
}

bool read_saved(std::span<const std::byte> input) {
  imgsim::tensor_file file = sample_tensors();
  for (auto& [key, value] : metadata_of_lines(imgsim::text_of(input))) {
    std::string& text = file.metadata[as_utf8(key)] = as_utf8(value);
    std::ranges::replace(text, '\r', '\n');
  }
  const auto written = imgsim::to_safetensors(file);
  const input_file saved(std::as_bytes(std::span(written)));
  return accepts([&] {
    const imgsim::checkpoint read = imgsim::read_checkpoint(saved.path());
    must(read.state.size() == 1 && read.optimizer.size() == 1 && read.average.empty(), "its tensors are those given");
    must(read.run.is_object(), "its run is an object");
    const std::string history = imgsim::history_text(read.history);
    must(imgsim::history_text(imgsim::parse_history(history)) == history, "its history comes back");
  });
}

std::vector<bytes> saved_seeds() {
  imgsim::architecture description{.name = "tiny", .height = 8, .width = 8};
  description.encoder = {{imgsim::convolution{.filters = 2, .stride = {2, 2}}, "down"}};
  description.decoder = {{imgsim::transposed_convolution{.filters = 3, .stride = {2, 2}}}, {imgsim::sigmoid{}}};
  imgsim::tensor_file file = sample_tensors();
  imgsim::detail::set_format(file, imgsim::detail::kCheckpointFormat, imgsim::detail::kCheckpointFormatVersion);
  file.metadata["architecture"] = imgsim::to_json(description).dump();
  file.metadata["run"] = R"({"seed":3,"batch":8})";
  file.metadata["progress"] = R"({"batches":2,"loss_sum":0.5,"seconds":1.5,"position":0.25})";
  file.metadata["history"] = "epoch,training_loss,validation_loss,learning_rate,seconds\r1,0.5,,0.001,2.5\r";
  return {lines_of_metadata(file.metadata)};
}

}  // namespace

const target checkpoint_target{"checkpoint", read_saved, saved_seeds};

}  // namespace imgsim_fuzz
