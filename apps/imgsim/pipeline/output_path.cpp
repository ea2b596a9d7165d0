#include "pipeline/output_path.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <string>
#include <string_view>
#include <system_error>

#include <imgsim/core/error.hpp>
#include <imgsim/core/file.hpp>
#include <imgsim/embedding/index_folder.hpp>

namespace imgsim::app {

namespace fs = std::filesystem;

namespace {

/// At most `count` bytes of a file, from its beginning or, where `from_end`, up to its end.
std::string part_of(const fs::path& path, std::size_t count, bool from_end) {
  std::ifstream file(path, std::ios::binary);
  const auto size = static_cast<std::size_t>(fs::file_size(path));
  std::string bytes(std::min(count, size), '\0');
  if (from_end) file.seekg(static_cast<std::streamoff>(size - bytes.size()));
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<std::size_t>(file.gcount()));
  return bytes;
}

/// Files that decode_image() reads.
bool is_photo(std::string_view head) {
  return head.starts_with("\xff\xd8\xff") || head.starts_with("\x89PNG") ||
         (head.starts_with("RIFF") && head.substr(8).starts_with("WEBP"));
}

struct known_kind {
  const char* name;
  bool (*holds)(const std::string& head, const std::string& tail);
};

/// In the order of output_kind.
constexpr std::array<known_kind, 10> kKinds{{
    {"a PNG picture", [](const std::string& head, const std::string&) { return head.starts_with("\x89PNG"); }},
    {"a page of imgsim",
     [](const std::string& head, const std::string& tail) {
       return head.starts_with("<!DOCTYPE html>") && tail.find("<footer>imgsim ") != std::string::npos;
     }},
    {"a plot of imgsim",
     [](const std::string& head, const std::string&) {
       return head.starts_with("<svg ") && head.find("class=\"imgsim-plot\"") != std::string::npos;
     }},
    {"a .npy matrix", [](const std::string& head, const std::string&) { return head.starts_with("\x93NUMPY"); }},
    {"neighbours exported by imgsim",
     [](const std::string& head, const std::string&) {
       return head.starts_with("{\"metric\": ") && head.find("\"neighbors\": [") != std::string::npos;
     }},
    {"groups of imgsim", [](const std::string& head, const std::string&) { return head.starts_with("{\"k\":"); }},
    {"a choice of K by imgsim",
     [](const std::string& head, const std::string&) {
       return head.starts_with("{") && head.find("\"recommended_k\":") != std::string::npos;
     }},
    {"a table of imgsim choose-k",
     [](const std::string& head, const std::string&) { return head.starts_with("k,cost,"); }},
    {"a history of imgsim train",
     [](const std::string& head, const std::string&) { return head.starts_with("epoch,training_loss,"); }},
    {"a model",  // the length of its header, 8 bytes, then the header
     [](const std::string& head, const std::string&) {
       return head.size() > 9 && head.substr(7, 2) == std::string("\0{", 2);
     }},
}};

/// Throws io_error where a file that is there is of another kind than the one that would be written over it.
void refuse_another_kind(const fs::path& path, output_kind kind) {
  if (!fs::is_regular_file(path)) return;
  const std::string head = part_of(path, 256, false);
  const known_kind& wanted = kKinds.at(static_cast<std::size_t>(kind));
  if (head.empty() || wanted.holds(head, part_of(path, 256, true))) return;
  throw io_error(path, is_photo(head) ? "is a photo, which would be lost; name another file"
                                      : std::string("is not ") + wanted.name +
                                            " and would be lost; name another file, or remove this one");
}

void expect_writable(const fs::path& folder) {
  if (::access(folder.c_str(), W_OK | X_OK) != 0)
    throw io_error(folder, "cannot be written into: " + imgsim::detail::system_reason());
}

/// What new_folders::make() and expect_writable() would find, without a trace.
void expect_possible_folder(const fs::path& folder) {
  fs::path there = fs::absolute(folder);
  std::error_code failure;
  while (!fs::exists(fs::symlink_status(there, failure)) && there.has_relative_path()) there = there.parent_path();
  if (!fs::is_directory(there, failure))
    throw io_error(folder, "the folder cannot be made: " + imgsim::detail::system_reason(ENOTDIR));
  if (there == fs::absolute(folder)) return expect_writable(folder);
  if (::access(there.c_str(), W_OK | X_OK) != 0)
    throw io_error(folder, "the folder cannot be made: " + imgsim::detail::system_reason());
}

}  // namespace

void refuse_within_index(const fs::path& path) {
  const fs::path place = fs::weakly_canonical(fs::absolute(path));
  std::error_code hidden;  // folders that may not be looked into hold no index that could be written into
  for (fs::path folder = place;; folder = folder.parent_path()) {
    if (fs::exists(folder / index_file::kManifest, hidden) && fs::exists(folder / index_file::kPhotos, hidden))
      throw io_error(path, folder == place
                               ? "is an index; name another place"
                               : "lies within an index (" + folder.string() + "); name a place outside of it");
    if (!folder.has_relative_path()) return;
  }
}

void prepare_output_file(session& session, const fs::path& path, output_kind kind) {
  refuse_within_index(path);
  refuse_another_kind(path, kind);
  if (session.is_dry_run()) {
    expect_possible_folder(path.has_parent_path() ? path.parent_path() : fs::path("."));
    if (fs::exists(path) && !fs::is_regular_file(path)) throw io_error(path, "is a folder or a special file");
    session.plan(path);
    return;
  }
  if (const fs::path folder = path.parent_path(); !folder.empty()) session.folders().make(folder);
  const atomic_file trial(path);  // without a commit it leaves nothing behind
}

void prepare_output_folder(session& session, const fs::path& folder, const std::vector<std::string>& names,
                           const std::string& aside) {
  if (session.is_dry_run()) {
    expect_possible_folder(folder);
    for (const std::string& name : names) session.plan(folder / name);
    return;
  }
  session.folders().make(folder, aside);
  expect_writable(folder);
}

void prepare_result_folder(session& session, const fs::path& folder, const fs::path& photos_root,
                           const std::vector<output_file>& files) {
  refuse_output_among_photos(folder, photos_root);
  refuse_within_index(folder);
  std::vector<std::string> names;
  for (const output_file& file : files) {
    refuse_another_kind(folder / file.name, file.kind);
    names.emplace_back(file.name);
  }
  prepare_output_folder(session, folder, names);
  if (!session.is_dry_run()) session.lock(folder);
}

void refuse_output_among_photos(const fs::path& out, const fs::path& photos_root) {
  const fs::path outer = fs::weakly_canonical(fs::absolute(photos_root));
  const fs::path inner = fs::weakly_canonical(fs::absolute(out));
  if (std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end()).first == outer.end())
    throw io_error(out, "lies within the folder of the photos (" + outer.string() + "); name a folder outside of it");
}

}  // namespace imgsim::app
