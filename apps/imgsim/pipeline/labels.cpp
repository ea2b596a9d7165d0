#include "pipeline/labels.hpp"

#include <algorithm>
#include <initializer_list>
#include <map>
#include <set>
#include <string_view>

#include "pipeline/label_file.hpp"

#include <imgsim/core/ascii.hpp>
#include <imgsim/core/error.hpp>
#include <imgsim/core/file.hpp>
#include <imgsim/image/folder.hpp>
#include <imgsim/report/number.hpp>

namespace imgsim::app {

namespace {

constexpr std::uint64_t kMaxCsvBytes = std::uint64_t{1} << 30;

bool is_header(const label_record& record) {
  const auto is_one_of = [](const std::string& field, std::initializer_list<std::string_view> names) {
    return std::ranges::find(names, lower_case(field)) != names.end();
  };
  return is_one_of(record.photo, {"path", "file", "filename", "image", "photo"}) &&
         is_one_of(record.label, {"label", "class", "category", "group"});
}

std::map<std::string, std::string> read_label_file(const session& session, const photo_index& index,
                                                   const std::filesystem::path& path) {
  const std::vector<std::byte> bytes = read_file(path, kMaxCsvBytes);
  std::vector<label_record> records;
  try {
    records = parse_label_file(text_of(bytes));
  } catch (const invalid_argument& reason) {
    throw io_error(path, reason.what());
  }
  std::map<std::string, std::string> labels;
  std::map<std::string, std::string> skipped;  // the reason, by path
  for (const skipped_file& file : index.manifest().skipped) skipped.emplace(file.path, file.reason);
  std::vector<std::string> passed_over;
  for (const label_record& record : records) {
    const auto fail = [&](const std::string& reason) {
      throw io_error(path, "record " + std::to_string(record.number) + ": " + reason);
    };
    if (!index.row_of(record.photo)) {
      if (record.number == 1 && is_header(record)) continue;
      if (!skipped.contains(record.photo))
        fail("the index holds no photo '" + record.photo + "'" +
             (record.number == 1 ? " (a header would be path,label)" : ""));
      passed_over.push_back(record.photo);
      continue;
    }
    if (!labels.emplace(record.photo, record.label).second) fail("'" + record.photo + "' has two labels");
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
