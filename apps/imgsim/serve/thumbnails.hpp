// Thumbnails, made once: of a photo's content, whatever it is called and in whichever index it is.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <semaphore>
#include <string>
#include <unordered_map>
#include <vector>

#include <imgsim/embedding/photo_index.hpp>
#include <imgsim/image/detail/limits.hpp>

namespace imgsim::app {

/// Usable from any thread.
class thumbnail_store {
 public:
  static constexpr std::size_t kLongestSide = 256;
  static constexpr std::size_t kMemoryBytes = std::size_t{64} << 20;
  static constexpr std::uintmax_t kFolderBytes = std::uintmax_t{2} << 30;  // of about 150,000
  static constexpr std::chrono::days kKeptUnused{60};
  static constexpr std::ptrdiff_t kDecodedAtOnce = 2;  // a photo may take 200 MB of pixels

  /// `folder` keeps them between runs; where it is nullopt, or cannot be written, memory alone does.
  thumbnail_store(decode_limits limits, std::optional<std::filesystem::path> folder);
  [[nodiscard]] bool has_folder() const noexcept { return folder_.has_value(); }

  /// A JPEG file. Throws io_error where the photo is gone, damaged, or not what was indexed.
  [[nodiscard]] std::shared_ptr<const std::string> of(const photo_index& index, std::size_t row);

  /// The same, kept in the folder. Returns false where that is not there or full.
  bool keep(const photo_index& index, std::size_t row);

  /// Whether the folder has that of a photo, which is wanted from now on.
  [[nodiscard]] bool is_kept(const std::string& content) const;

  /// Removes that of a photo.
  void forget(const std::string& content);

  /// Removes those in the folder that were not wanted for kKeptUnused and, where all exceed kFolderBytes, those not
  /// wanted for longest, down to three quarters of it.
  void remove_old();

 private:
  using picture = std::shared_ptr<const std::string>;

  /// Where it is kept, if it can be.
  [[nodiscard]] std::optional<std::filesystem::path> file_of(const std::string& content) const;
  [[nodiscard]] picture in_memory(const std::string& content);
  [[nodiscard]] picture in_folder(const std::string& content) const;
  [[nodiscard]] picture make(const photo_index& index, std::size_t row);
  void remember(const std::string& content, const picture& made);

  decode_limits limits_;
  std::optional<std::filesystem::path> folder_;
  std::atomic<std::uintmax_t> folder_bytes_ = 0;  // as remove_old() counted them, and since; about
  std::counting_semaphore<kDecodedAtOnce> decoding_{kDecodedAtOnce};

  struct entry {
    std::string content;  // hash
    picture jpeg;
  };
  std::mutex mutex_;
  std::list<entry> recent_;  // the last used first
  std::unordered_map<std::string, std::list<entry>::iterator> found_;
  std::size_t bytes_ = 0;
};

/// The bytes of the file of a row. Throws io_error where it is gone, or holds other bytes than were indexed.
[[nodiscard]] std::vector<std::byte> read_indexed_file(const photo_index& index, std::size_t row,
                                                       const decode_limits& limits);

/// $XDG_CACHE_HOME/imgsim/thumbnails, or the like in the home folder; nullopt where there is neither.
[[nodiscard]] std::optional<std::filesystem::path> thumbnail_folder_of_user();

}  // namespace imgsim::app
