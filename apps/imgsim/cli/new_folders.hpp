// The folders that a run makes for its results: a run that ends without any leaves none behind.
#pragma once

#include <filesystem>
#include <forward_list>
#include <string>

namespace imgsim::app {

/// Removes, when it goes and when a signal ends the process, those of its folders that are empty.
class new_folders {
 public:
  new_folders() = default;
  new_folders(const new_folders&) = delete;
  new_folders& operator=(const new_folders&) = delete;
  ~new_folders();

  /// Makes `folder` and what is missing above it. A file named `aside` in it counts for nothing: with no other it goes,
  /// too. Throws io_error.
  void make(const std::filesystem::path& folder, const std::string& aside = {});

  /// One that was made here.
  struct made_folder {
    std::string path;  // absolute
    std::string aside;
    const made_folder* before;  // made by this process: a signal removes them all
  };

 private:
  std::forward_list<made_folder> made_;  // the newest, and so the deepest, first; each stays where it is
};

}  // namespace imgsim::app
