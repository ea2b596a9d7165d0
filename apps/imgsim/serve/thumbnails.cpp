#include "serve/thumbnails.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <system_error>
#include <utility>

#include "cli/environment.hpp"

#include <imgsim/core/content_hash.hpp>
#include <imgsim/core/error.hpp>
#include <imgsim/core/file.hpp>
#include <imgsim/image/decode.hpp>
#include <imgsim/image/encode.hpp>
#include <imgsim/report/thumbnail.hpp>

namespace imgsim::app {

namespace {

const std::string kEnding = "-" + std::to_string(thumbnail_store::kLongestSide) + ".jpg";
constexpr int kQuality = 82;
constexpr std::uint64_t kMaxThumbnailBytes = 1u << 20;

/// Only the owner may look: thumbnails show the photos. Returns false where there is no such folder, or it is another
/// user's.
bool make_private_folder(const std::filesystem::path& folder) {
  std::error_code failure;
  std::filesystem::create_directories(folder.parent_path(), failure);
  if (failure) return false;
  if (::mkdir(folder.c_str(), S_IRWXU) == 0) return true;
  struct stat status{};
  if (::stat(folder.c_str(), &status) != 0 || !S_ISDIR(status.st_mode) || status.st_uid != ::geteuid()) return false;
  return (status.st_mode & (S_IRWXG | S_IRWXO)) == 0 || ::chmod(folder.c_str(), status.st_mode & S_IRWXU) == 0;
}

bool is_hash(std::string_view text) {
  return text.size() == 32 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool is_whole_jpeg(std::string_view file) {
  using namespace std::string_view_literals;
  return file.starts_with("\xff\xd8"sv) && file.ends_with("\xff\xd9"sv);
}

}  // namespace

thumbnail_store::thumbnail_store(decode_limits limits, std::optional<std::filesystem::path> folder)
    : limits_(limits), folder_(std::move(folder)) {
  if (folder_ && !make_private_folder(*folder_)) folder_.reset();
}

std::optional<std::filesystem::path> thumbnail_store::file_of(const std::string& content) const {
  // An index may come from anywhere, and what it calls a hash becomes a file name here.
  if (!folder_ || !is_hash(content)) return std::nullopt;
  return *folder_ / content.substr(0, 2) / (content + kEnding);
}

std::shared_ptr<const std::string> thumbnail_store::of(const photo_index& index, std::size_t row) {
  const std::string& content = index.photos()[row].content_hash;
  if (picture known = in_memory(content)) return known;
  picture found = in_folder(content);
  if (!found) found = make(index, row);
  remember(content, found);
  return found;
}

bool thumbnail_store::keep(const photo_index& index, std::size_t row) {
  const std::string& content = index.photos()[row].content_hash;
  const std::optional<std::filesystem::path> file = file_of(content);
  if (is_kept(content)) return true;
  // Before it is made: a full folder costs no decoding.
  if (!file || folder_bytes_ + kMaxThumbnailBytes > kFolderBytes || !make_private_folder(file->parent_path()))
    return false;
  const picture made = of(index, row);
  write_file(*file, *made);
  folder_bytes_ += made->size();
  return true;
}

bool thumbnail_store::is_kept(const std::string& content) const {
  const std::optional<std::filesystem::path> file = file_of(content);
  if (!file) return false;
  std::error_code failure;
  std::filesystem::last_write_time(*file, std::filesystem::file_time_type::clock::now(), failure);
  return !failure || std::filesystem::exists(*file, failure);  // in a folder that can only be read
}

void thumbnail_store::forget(const std::string& content) {
  std::error_code failure;
  if (const auto file = file_of(content)) {
    const std::uintmax_t bytes = std::filesystem::file_size(*file, failure);
    if (!failure && std::filesystem::remove(*file, failure)) folder_bytes_ -= std::min(bytes, folder_bytes_.load());
  }
  const std::lock_guard lock(mutex_);
  const auto found = found_.find(content);
  if (found == found_.end()) return;
  bytes_ -= found->second->jpeg->size();
  recent_.erase(found->second);
  found_.erase(found);
}

void thumbnail_store::remove_old() {
  if (!folder_) return;
  struct kept {
    std::filesystem::file_time_type wanted;
    std::uintmax_t bytes;
    std::filesystem::path path;
  };
  std::vector<kept> all;
  std::uintmax_t total = 0;
  std::error_code failure;
  for (std::filesystem::recursive_directory_iterator at(*folder_, failure), end; !failure && at != end;
       at.increment(failure)) {
    const std::string name = at->path().filename().string();
    // Thumbnails lie in folders of two digits, and nothing else is looked into.
    if (at.depth() != 0 || name.size() != 2) at.disable_recursion_pending();
    std::error_code gone;
    const kept file{at->last_write_time(gone), at->is_regular_file(gone) ? at->file_size(gone) : 0, at->path()};
    if (gone || at.depth() != 1 || !name.ends_with(kEnding) || !is_hash(name.substr(0, name.size() - kEnding.size())))
      continue;
    total += file.bytes;
    all.push_back(file);
  }
  std::ranges::sort(all, {}, &kept::wanted);
  const auto unused = std::filesystem::file_time_type::clock::now() - kKeptUnused;
  const std::uintmax_t most = total > kFolderBytes ? kFolderBytes / 4 * 3 : kFolderBytes;
  for (const kept& file : all) {
    if (file.wanted >= unused && total <= most) break;
    if (std::filesystem::remove(file.path, failure)) total -= file.bytes;
  }
  folder_bytes_ = total;
}

thumbnail_store::picture thumbnail_store::in_memory(const std::string& content) {
  const std::lock_guard lock(mutex_);
  const auto found = found_.find(content);
  if (found == found_.end()) return nullptr;
  recent_.splice(recent_.begin(), recent_, found->second);
  return found->second->jpeg;
}

thumbnail_store::picture thumbnail_store::in_folder(const std::string& content) const {
  const std::optional<std::filesystem::path> file = file_of(content);
  if (!file) return nullptr;
  try {
    const std::vector<std::byte> bytes = read_file(*file, kMaxThumbnailBytes);
    auto jpeg = std::make_shared<const std::string>(text_of(bytes));
    if (is_whole_jpeg(*jpeg)) return jpeg;
    std::error_code failure;
    std::filesystem::remove(*file, failure);  // a damaged one is kept anew
  } catch (const io_error&) {
    // not made yet
  }
  return nullptr;
}

thumbnail_store::picture thumbnail_store::make(const photo_index& index, std::size_t row) {
  decoding_.acquire();
  struct release {
    std::counting_semaphore<kDecodedAtOnce>& semaphore;
    ~release() { semaphore.release(); }
  } const at_end{decoding_};
  const std::vector<std::byte> file = read_indexed_file(index, row, limits_);
  rgb_image decoded;
  try {
    decode_image(file, limits_, decoded);
  } catch (const image_error& reason) {
    throw io_error(index.photo_path(row), reason.what());
  }
  const rgb_image small = make_thumbnail(decoded.view(), kLongestSide);
  const std::vector<std::byte> jpeg = encode_jpeg(small.view(), kQuality);
  return std::make_shared<const std::string>(text_of(jpeg));
}

void thumbnail_store::remember(const std::string& content, const picture& made) {
  const std::lock_guard lock(mutex_);
  if (found_.contains(content)) return;  // two requests made it at once
  recent_.push_front({content, made});
  found_[content] = recent_.begin();
  for (bytes_ += made->size(); bytes_ > kMemoryBytes; recent_.pop_back()) {
    bytes_ -= recent_.back().jpeg->size();
    found_.erase(recent_.back().content);
  }
}

std::vector<std::byte> read_indexed_file(const photo_index& index, std::size_t row, const decode_limits& limits) {
  std::vector<std::byte> bytes = read_file(index.photo_path(row), limits.max_file_bytes);
  if (content_hash(bytes) != index.photos()[row].content_hash)
    throw io_error(index.photo_path(row), "has changed since it was indexed; run imgsim index again");
  return bytes;
}

std::optional<std::filesystem::path> thumbnail_folder_of_user() {
  std::optional<std::filesystem::path> folder = user_folder("XDG_CACHE_HOME", ".cache");
  if (folder) *folder /= "imgsim/thumbnails";
  return folder;
}

}  // namespace imgsim::app
