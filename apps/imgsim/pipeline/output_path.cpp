#include "pipeline/output_path.hpp"

#include <unistd.h>

#include <algorithm>
#include <string>
#include <system_error>

#include <imgsim/core/error.hpp>
#include <imgsim/core/file.hpp>

namespace imgsim::app {

namespace fs = std::filesystem;

namespace {

void make_folder(const fs::path& folder) {
  std::error_code failure;
  fs::create_directories(folder, failure);
  if (failure) throw io_error(folder, "the folder cannot be made: " + failure.message());
}

}  // namespace

void prepare_output_file(const fs::path& path) {
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
