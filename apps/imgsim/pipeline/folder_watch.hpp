// A folder of photos, watched for changes at any depth (inotify).
#pragma once

#include <chrono>
#include <filesystem>
#include <stop_token>
#include <string_view>

#include <imgsim/core/file.hpp>

namespace imgsim::app {

/// Tells that something changed, not what: whoever is told looks at the whole folder again. Between renew() and that
/// look nothing is missed, as what changes after renew() is told by the next wait().
class folder_watch {
 public:
  /// `except` is passed over with all in it: an index among the photos changes by every update. Throws io_error.
  folder_watch(std::filesystem::path root, std::filesystem::path except);

  /// Watches the folders that there are now, those that links lead to included. Throws io_error where `root` is no
  /// readable folder, or the system watches no more folders.
  void renew();

  /// Whether a photo or a folder came, went or changed since the last call; waits for it at most so long, or until
  /// `stop`. Files that are still being written count when they are closed.
  [[nodiscard]] bool wait(std::chrono::milliseconds at_most, const std::stop_token& stop) const;

 private:
  void add(const std::filesystem::path& folder) const;
  /// Reads what was told, without waiting.
  [[nodiscard]] bool has_changed() const;

  std::filesystem::path root_, except_;
  unique_descriptor inotify_;
};

}  // namespace imgsim::app
