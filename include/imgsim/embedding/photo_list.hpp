// images.jsonl: the photos of an index, one JSON object a line, line i for row i:
//   {"path":"cat/1.jpg","size":48211,"mtime":1700000000123456789,"hash":"5cd99f02604161ab3e3b9b5c1002407f"}
// "mtime" is in nanoseconds since 1970. Lines ascend by the bytes of the path, so that the order of rows depends on
// the photos alone, and no path stands twice. Paths are escaped as core/path_text.hpp says.
#pragma once

#include <sys/stat.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <imgsim/core/file.hpp>
#include <imgsim/core/json.hpp>
#include <imgsim/core/path_text.hpp>

namespace imgsim {

struct indexed_photo {
  std::string path;              // relative to the root folder, '/' between parts, raw bytes
  std::uintmax_t size = 0;       // bytes of the file
  std::int64_t modified_ns = 0;  // since 1970
  std::string content_hash;      // of the file

  friend bool operator==(const indexed_photo&, const indexed_photo&) = default;
};

namespace detail {

/// Whether a file has the size and date that the list says.
[[nodiscard]] inline bool is_listed_file(const struct stat& status, const indexed_photo& photo) {
  const std::int64_t modified_ns = std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
  return static_cast<std::uintmax_t>(status.st_size) == photo.size && modified_ns == photo.modified_ns;
}

/// Whether a path stays within the folder it is relative to: an index may come from anywhere, and photos are read,
/// copied and linked by these names.
[[nodiscard]] inline bool is_safe_relative_path(std::string_view path) {
  if (path.empty() || path.find('\0') != std::string_view::npos) return false;
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view part = path.substr(begin, end - begin);
    if (part.empty() || part == "." || part == "..") return false;
    begin = end + 1;
  }
  return true;
}

[[nodiscard]] inline indexed_photo parse_photo(std::string_view line, const std::filesystem::path& file,
                                               std::string where) {
  const nlohmann::json json = parse_json(line, file, where);
  const json_fields fields(json, file, std::move(where));
  indexed_photo photo{.path = fields.file_name("path"),
                      .size = fields.integer<std::uintmax_t>("size"),
                      .modified_ns = fields.integer<std::int64_t>("mtime"),
                      .content_hash = fields.text("hash")};
  if (!is_safe_relative_path(photo.path)) fields.fail("\"path\" must be a path within the folder of photos");
  return photo;
}

}  // namespace detail

/// Writes images.jsonl; `photos` ascend by path. Throws io_error.
inline void write_photo_list(const std::filesystem::path& path, std::span<const indexed_photo> photos) {
  atomic_file file(path);
  for (const indexed_photo& photo : photos) {
    const nlohmann::ordered_json line = {{"path", path_to_text(photo.path)},
                                         {"size", photo.size},
                                         {"mtime", photo.modified_ns},
                                         {"hash", photo.content_hash}};
    file.write(line.dump() + '\n');
  }
  file.commit();
}

/// Reads images.jsonl. Throws io_error, naming the line, where a line is damaged, out of order, or leaves the folder.
[[nodiscard]] inline std::vector<indexed_photo> read_photo_list(const std::filesystem::path& path) {
  const mapped_file file(path);
  std::string_view text = text_of(file.bytes());
  std::vector<indexed_photo> photos;
  while (!text.empty()) {
    std::string where = detail::concat("line ", photos.size() + 1, ": ");
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) throw io_error(path, where + "is cut short");
    indexed_photo photo = detail::parse_photo(text.substr(0, end), path, where);
    if (!photos.empty() && !(photos.back().path < photo.path))
      throw io_error(path, where + "does not follow the line before in the order of paths");
    photos.push_back(std::move(photo));
    text.remove_prefix(end + 1);
  }
  return photos;
}

}  // namespace imgsim
