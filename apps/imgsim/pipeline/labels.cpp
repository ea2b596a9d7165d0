#include "pipeline/labels.hpp"

#include <algorithm>
#include <initializer_list>
#include <map>
#include <optional>
#include <set>
#include <string_view>

#include <imgsim/core/ascii.hpp>
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

bool is_header(const std::vector<std::string>& fields) {
  const auto is_one_of = [](const std::string& field, std::initializer_list<std::string_view> names) {
    return std::ranges::find(names, lower_case(field)) != names.end();
  };
  return is_one_of(fields[0], {"path", "file", "filename", "image", "photo"}) &&
         is_one_of(fields[1], {"label", "class", "category", "group"});
}

std::map<std::string, std::string> read_label_file(const session& session, const photo_index& index,
                                                   const std::filesystem::path& path) {
  const std::vector<std::byte> bytes = read_file(path, kMaxCsvBytes);
  std::string_view text = text_of(bytes);
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);  // a byte order mark, as spreadsheets write it
  std::map<std::string, std::string> labels;
  std::map<std::string, std::string> skipped;  // the reason, by path
  for (const skipped_file& file : index.manifest().skipped) skipped.emplace(file.path, file.reason);
  std::vector<std::string> passed_over;
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
      if (line == 1 && is_header(*fields)) continue;
      if (!skipped.contains(photo))
        fail("the index holds no photo '" + photo + "'" + (line == 1 ? " (a header would be path,label)" : ""));
      passed_over.push_back(photo);
      continue;
    }
    if (!labels.emplace(photo, (*fields)[1]).second) fail("'" + photo + "' has two labels");
  }
  if (!passed_over.empty())
    session.warn(path.string() + ": labels of " + count_text(passed_over.size(), "photo") +
                 " that the index skipped are passed over, the first of " + passed_over.front() + " (" +
                 skipped.at(passed_over.front()) + ")");
  return labels;
}

}  // namespace

labelled_rows read_labels(const session& session, const photo_index& index, const std::string& source) {
  const bool by_folder = source == "folder";
  std::map<std::string, std::string> from_file;
  if (!by_folder) from_file = read_label_file(session, index, source);
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
