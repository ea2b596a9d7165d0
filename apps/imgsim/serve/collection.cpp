#include "serve/collection.hpp"

#include <malloc.h>
#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "pipeline/calibrate.hpp"
#include "pipeline/encode.hpp"
#include "pipeline/model_files.hpp"
#include "pipeline/open_model.hpp"

#include <imgsim/core/content_hash.hpp>
#include <imgsim/core/json.hpp>
#include <imgsim/core/path_text.hpp>
#include <imgsim/report/escape.hpp>

namespace imgsim::app {

namespace {

constexpr std::chrono::milliseconds kLookInterval{500};

/// Differs where another version of the index is there, also one that is still being moved to its place.
std::string manifest_files(const std::filesystem::path& folder) {
  std::string seen;
  for (const char* within : {imgsim::detail::kCommittedFolder, ""}) {
    struct stat status{};
    const std::filesystem::path path = folder / within / index_file::kManifest;
    if (::stat(path.c_str(), &status) != 0) continue;
    for (const auto part :
         {static_cast<std::uintmax_t>(status.st_dev), static_cast<std::uintmax_t>(status.st_ino),
          static_cast<std::uintmax_t>(status.st_mtim.tv_sec), static_cast<std::uintmax_t>(status.st_mtim.tv_nsec)})
      seen += std::to_string(part) + ' ';
  }
  return seen;
}

}  // namespace

std::string content_name(const indexed_photo& photo) {
  return photo.content_hash.substr(0, 12);
}

collection::collection(session& session, const std::filesystem::path& folder)
    : index_(open_index(folder)), version_(content_hash(bytes_of(index_.stored_manifest())).substr(0, 16)) {
  static_cast<void>(index_.embeddings());  // reads them all: a damaged one is told now
  if (std::error_code ignored; !std::filesystem::is_directory(index_.photos_root(), ignored))
    faults_.push_back("The folder of the photos is not there: " + printable_utf8(index_.photos_root().string()));
  open_groups();
  open_model(session);
  photo_list_ = list_photos();
}

void collection::open_groups() {
  try {
    if (!index_.groups()) return;
    const std::filesystem::path file = index_.folder() / index_file::kGroups;
    groups found = parse_groups(parse_json(*index_.groups(), file), file);
    if (std::ranges::equal(found.paths, index_.photos(), {}, {}, &indexed_photo::path)) groups_ = std::move(found);
  } catch (const io_error& fault) {
    faults_.push_back("The groups cannot be read: " + printable_utf8(fault.what()));
  }
}

void collection::open_model(session& session) {
  if (!index_.manifest().files.contains(index_file::kModel)) return;
  try {
    const std::filesystem::path path = index_.model_path();
    const model_file model = load_model(path);
    calibration_ = stored_calibration(model, path);
    encoder_ = session.device().open_encoder(model);
    // The first photo is slower than those after it: kernels are generated for it.
    const rgb_image grey{.width = 8, .height = 8, .pixels = std::vector<std::uint8_t>(8 * 8 * 3, 128)};
    static_cast<void>(encode_images(*encoder_, std::span(&grey, 1)));
  } catch (const io_error& fault) {
    encoder_.reset();
    faults_.push_back("New photos cannot be searched with: " + printable_utf8(fault.what()));
  }
}

std::string collection::list_photos() const {
  json paths = json::array(), contents = json::array(), labels = nullptr;
  for (const indexed_photo& photo : index_.photos()) {
    paths.push_back(path_to_text(photo.path));
    contents.push_back(content_name(photo));
  }
  if (groups_) {
    labels = json::array();
    for (const std::uint32_t label : labels_of(*groups_))
      labels.push_back(label == kNoGroup ? json(nullptr) : json(label));
  }
  return json_text(
      {{"version", version_}, {"paths", std::move(paths)}, {"contents", std::move(contents)}, {"groups", labels}}, -1);
}

current_collection::current_collection(session& session, std::filesystem::path folder, std::mutex& device)
    : session_(session), folder_(std::move(folder)), device_(device), seen_(manifest_files(folder_)) {
  const std::lock_guard use(device_);
  current_ = std::make_shared<collection>(session_, folder_);
  looked_ = std::chrono::steady_clock::now();
}

std::shared_ptr<collection> current_collection::get() {
  std::shared_ptr<collection> replaced;
  std::shared_ptr<collection> current = renew(replaced);
  if (replaced != nullptr) {
    replaced.reset();  // ends its work, now that the lock is given back
#ifdef __GLIBC__
    malloc_trim(0);  // else an arena of each thread keeps what the replaced ones took
#endif
  }
  return current;
}

std::shared_ptr<collection> current_collection::renew(std::shared_ptr<collection>& replaced) {
  const std::lock_guard lock(mutex_);
  const auto now = std::chrono::steady_clock::now();
  if (now - looked_ < kLookInterval) return current_;
  looked_ = now;
  std::string there = manifest_files(folder_);
  if (there == seen_ && fault_.empty()) return current_;  // what could not be read is tried again
  seen_ = std::move(there);
  try {
    const std::lock_guard use(device_);
    replaced = std::exchange(current_, std::make_shared<collection>(session_, folder_));
    fault_.clear();
  } catch (const std::exception& reason) {
    const bool is_new = fault_.empty();
    fault_ = seen_.empty() ? "The index is gone; its earlier version is shown."
                           : "The index was replaced by one that cannot be read; its earlier version is shown. " +
                                 printable_utf8(reason.what());
    if (is_new) session_.warn(fault_);
  }
  return current_;
}

std::string current_collection::fault() const {
  const std::lock_guard lock(mutex_);
  return fault_;
}

}  // namespace imgsim::app
