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

void make_folder(const fs::path& folder) {
  std::error_code failure;
  fs::create_directories(folder, failure);
  if (failure) throw io_error(folder, "the folder cannot be made: " + failure.message());
}

/// Whether there is a file of a kind that decode_image() reads, told by its first bytes; a PNG counts where `or_png`.
bool holds_photo(const fs::path& path, bool or_png) {
  std::array<char, 12> head{};
  if (!fs::is_regular_file(path)) return false;
  std::ifstream(path, std::ios::binary).read(head.data(), head.size());
  const std::string_view bytes(head.data(), head.size());
  return bytes.starts_with("\xff\xd8\xff") || (or_png && bytes.starts_with("\x89PNG")) ||
         (bytes.starts_with("RIFF") && bytes.substr(8) == "WEBP");
}

}  // namespace

void prepare_output_file(const fs::path& path, output_kind kind) {
  if (holds_photo(path, kind != output_kind::png))
    throw io_error(path, "is a photo, which would be lost; name another file");
  const fs::path parent = path.parent_path().empty() ? fs::path(".") : path.parent_path();
  if (fs::exists(parent / index_file::kManifest) && fs::exists(parent / index_file::kPhotos))
    throw io_error(path, "lies within an index (" + parent.string() + "); name a file outside of it");
  if (const fs::path folder = path.parent_path(); !folder.empty()) make_folder(folder);
  const atomic_file trial(path);  // without a commit it leaves nothing behind
}

void prepare_output_folder(const fs::path& folder) {
  make_folder(folder);
  if (::access(folder.c_str(), W_OK | X_OK) != 0)
    throw io_error(folder, "cannot be written into: " + std::generic_category().message(errno));
}

void refuse_output_within(const fs::path& out, const fs::path& folder, const char* what) {
  const fs::path outer = fs::weakly_canonical(fs::absolute(folder));
  const fs::path inner = fs::weakly_canonical(fs::absolute(out));
  const auto [end, ignored] = std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end());
  if (end == outer.end())
    throw io_error(out, std::string("lies within ") + what + " (" + outer.string() + "); name a folder outside of it");
}

}  // namespace imgsim::app
