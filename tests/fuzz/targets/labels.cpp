// Label files: apps/imgsim/pipeline/label_file.hpp.
#include <string>
#include <vector>

#include "pipeline/label_file.hpp"

#include <imgsim/core/file.hpp>

#include "../target.hpp"

namespace imgsim_fuzz {

namespace {

std::string in_csv_quotes(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + '"';
}

bool read_label_records(std::span<const std::byte> input) {
  return accepts([&] {
    const std::vector<imgsim::app::label_record> read = imgsim::app::parse_label_file(imgsim::text_of(input));
    std::string written;
    for (std::size_t i = 0; i < read.size(); ++i) {
      must(i == 0 || read[i - 1].number < read[i].number, "records are numbered in their order");
      written += in_csv_quotes(read[i].photo) + "," + in_csv_quotes(read[i].label) + "\r\n";
    }
    const std::vector<imgsim::app::label_record> again = imgsim::app::parse_label_file(written);
    must(again.size() == read.size(), "every record comes back");
    for (std::size_t i = 0; i < read.size(); ++i)
      must(again[i].photo == read[i].photo && again[i].label == read[i].label, "a record comes back");
  });
}

std::vector<bytes> label_seeds() {
  return {bytes_of_text("path,label\na/1.jpg,shirt\na/2.jpg,dress\n\nb/3.jpg,\n"),
          bytes_of_text("\xef\xbb\xbf\"a, \"\"b\"\".jpg\",\"two\nlines\"\r\n\"c\",d,more,of,it\r\n"),
          {}};
}

}  // namespace

const target labels_target{"labels", read_label_records, label_seeds};

}  // namespace imgsim_fuzz
