#include "pipeline/open_model.hpp"

#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "cli/suggest.hpp"
#include "cli/text.hpp"
#include "pipeline/model_files.hpp"
#include "pipeline/output_path.hpp"

#include <imgsim/core/error.hpp>
#include <imgsim/core/file.hpp>
#include <imgsim/report/number.hpp>

namespace imgsim::app {

model_file read_model(const std::filesystem::path& model) {
  std::error_code unknown;
  if (!std::filesystem::exists(model, unknown) && !unknown)
    throw missing_input(
        model, input_kind::model,
        "there is no model; make one with: imgsim train --images DIR --model " + shell_word(model.string()));
  return load_model(model);
}

std::unique_ptr<encoder> open_model(session& session, const std::filesystem::path& model) {
  return session.device().open_encoder(read_model(model));
}

std::unique_ptr<encoder> open_model_of(session& session, const photo_index& index) {
  return open_model(session, index.model_path());
}

photo_index open_index(const std::filesystem::path& folder, std::size_t least) {
  std::error_code unknown;
  if (!std::filesystem::exists(folder, unknown) && !unknown)
    throw missing_input(folder, input_kind::index,
                        "there is no index; make one with: imgsim index --images DIR --model FILE --index " +
                            shell_word(folder.string()));
  photo_index index = photo_index::open(folder);
  if (index.size() < least)
    throw io_error(folder,
                   "holds " + count_text(index.size(), "photo") + "; this needs at least " + std::to_string(least));
  return index;
}

std::vector<std::string> paths_of(const photo_index& index) {
  std::vector<std::string> paths;
  for (const indexed_photo& photo : index.photos()) paths.push_back(photo.path);
  return paths;
}

std::vector<std::string> paths_of(const photo_index& index, std::span<const std::size_t> rows) {
  std::vector<std::string> paths;
  for (const std::size_t row : rows) paths.push_back(index.photos()[row].path);
  return paths;
}

void expect_index_or_model(const std::filesystem::path& path) {
  std::error_code unknown;
  if (!std::filesystem::exists(path, unknown) && !unknown)
    throw missing_input(path, input_kind::index_or_model, "there is no such index or model");
}

void expect_photo_folder(const photo_index& index, const std::string& without) {
  const std::filesystem::path root = index.photos_root();
  const std::string advice =
      " (moved, or not mounted?); where it has moved, run imgsim index with its new place as "
      "--images" +
      (without.empty() ? "" : "; " + without);
  std::error_code ignored;
  if (!std::filesystem::is_directory(root, ignored))
    throw missing_input(root, input_kind::photo_folder, "the folder of the photos is not there" + advice);
  // The place where a disk is mounted is there without it. The first photo that is found ends this.
  for (std::size_t row = 0; row < index.size(); ++row)
    if (std::filesystem::exists(index.photo_path(row), ignored)) return;
  if (index.size() > 0) throw io_error(root, "holds none of the photos of " + index.folder().string() + advice);
}

index_writer edit_index(const std::filesystem::path& folder) {
  // A writer would begin an index where there is none.
  static_cast<void>(open_index(folder));
  return index_writer(folder);
}

namespace {

/// Warns where it is not.
bool is_writable(const session& session, const std::filesystem::path& folder, const std::string& consequence) {
  if (::access(folder.c_str(), W_OK | X_OK) == 0) return true;
  session.warn(folder.string() + " cannot be written into (" + imgsim::detail::system_reason() + "): " + consequence);
  return false;
}

}  // namespace

std::unique_ptr<index_writer> edit_index_if_writable(const session& session, const std::filesystem::path& folder,
                                                     const std::string& consequence) {
  static_cast<void>(open_index(folder));
  return is_writable(session, folder, consequence) ? std::make_unique<index_writer>(folder) : nullptr;
}

void plan_index_lock(session& session, const std::filesystem::path& folder) {
  const std::filesystem::path lock = folder / index_lock::kName;
  if (!std::filesystem::exists(lock)) session.plan(lock);
}

bool plan_index_files(session& session, const photo_index& index, const std::vector<std::string>& names,
                      const char* consequence) {
  const std::filesystem::path folder = index.folder();
  if (consequence != nullptr && !is_writable(session, folder, consequence)) return false;
  index_writer::expect_place(folder);
  prepare_output_folder(session, folder, names);
  session.plan(folder / index_file::kManifest);
  plan_index_lock(session, folder);
  return true;
}

}  // namespace imgsim::app
