#include "pipeline/label_file.hpp"

#include <optional>
#include <utility>

#include <imgsim/core/error.hpp>

namespace imgsim::app {

namespace {

/// The fields of one CSV record (RFC 4180) that begins at `at`, which is moved behind it; nullopt where a quote is not
/// closed.
std::optional<std::vector<std::string>> next_record(std::string_view text, std::size_t& at) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (quoted) {
      if (c != '"') {
        fields.back() += c;
      } else if (at + 1 < text.size() && text[at + 1] == '"') {
        fields.back() += '"';
        ++at;
      } else {
        quoted = false;
      }
    } else if (c == '"' && fields.back().empty()) {
      quoted = true;
    } else if (c == ',') {
      fields.emplace_back();
    } else if (c == '\n') {
      ++at;
      break;
    } else if (c != '\r') {
      fields.back() += c;
    }
  }
  if (quoted) return std::nullopt;
  return fields;
}

}  // namespace

std::vector<label_record> parse_label_file(std::string_view text) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);  // a byte order mark, as spreadsheets write it
  std::vector<label_record> records;
  std::size_t number = 0;
  for (std::size_t at = 0; at < text.size();) {
    ++number;
    auto fields = next_record(text, at);
    IMGSIM_EXPECTS(fields, "record ", number, ": a quote is not closed");
    if (fields->size() == 1 && fields->front().empty()) continue;
    IMGSIM_EXPECTS(fields->size() >= 2, "record ", number, ": expected path,label");
    records.push_back({number, std::move((*fields)[0]), std::move((*fields)[1])});
  }
  return records;
}

}  // namespace imgsim::app
