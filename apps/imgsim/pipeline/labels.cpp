#include "pipeline/labels.hpp"

#include <map>
#include <optional>
#include <set>

#include <imgsim/core/error.hpp>
#include <imgsim/core/file.hpp>
#include <imgsim/image/folder.hpp>
#include <imgsim/report/number.hpp>

namespace imgsim::app {

namespace {

constexpr std::uint64_t kMaxCsvBytes = std::uint64_t{1} << 30;

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

std::map<std::string, std::string> read_label_file(const photo_index& index, const std::filesystem::path& path) {
  const std::vector<std::byte> bytes = read_file(path, kMaxCsvBytes);
  std::string_view text = text_of(bytes);
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);  // a byte order mark, as spreadsheets write it
  std::map<std::string, std::string> labels;
  std::size_t line = 0;
  for (std::size_t at = 0; at < text.size();) {
    ++line;
    const auto fields = next_record(text, at);
    const auto fail = [&](const std::string& reason) {
      throw io_error(path, "record " + std::to_string(line) + ": " + reason);
    };
    if (!fields) fail("a quote is not closed");
    if (fields->size() == 1 && fields->front().empty()) continue;
    if (fields->size() < 2) fail("expected path,label");
    const std::string& photo = (*fields)[0];
    if (!index.row_of(photo)) {
      if (line == 1) continue;  // a header
      fail("the index holds no photo '" + photo + "'");
    }
    if (!labels.emplace(photo, (*fields)[1]).second) fail("'" + photo + "' has two labels");
  }
  return labels;
}

}  // namespace

labelled_rows read_labels(const session& session, const photo_index& index, const std::string& source) {
  const bool by_folder = source == "folder";
  std::map<std::string, std::string> from_file;
  if (!by_folder) from_file = read_label_file(index, source);
  labelled_rows result;
  for (std::size_t row = 0; row < index.size(); ++row) {
    const std::string& path = index.photos()[row].path;
    const auto found = from_file.find(path);
    std::string label = by_folder ? label_of(path) : found == from_file.end() ? "" : found->second;
    if (label.empty()) continue;
    result.rows.push_back(row);
    result.labels.push_back(std::move(label));
  }
  if (std::set<std::string>(result.labels.begin(), result.labels.end()).size() < 2)
    throw error(by_folder ? "the photos do not lie in at least two folders, which would be their labels"
                          : source + ": names fewer than two labels of photos in the index");
  if (const std::size_t without = index.size() - result.rows.size(); without > 0)
    session.note(count_text(without, "photo") + " without a label left out");
  return result;
}

}  // namespace imgsim::app
