#include "cli/new_folders.hpp"

#include <unistd.h>

#include <atomic>
#include <csignal>
#include <system_error>
#include <vector>

#include <imgsim/core/error.hpp>

namespace imgsim::app {

namespace fs = std::filesystem;

namespace {

// What a signal handler can reach. One session makes folders; those in the background of a page make none.
std::atomic<const new_folders::made_folder*> g_newest = nullptr;
static_assert(std::atomic<const new_folders::made_folder*>::is_always_lock_free);

/// Of these calls each is safe in a handler. rmdir(2) removes no folder that holds anything.
void remove_and_end(int number) {
  for (const new_folders::made_folder* folder = g_newest; folder != nullptr; folder = folder->before)
    ::rmdir(folder->path.c_str());
  std::signal(number, SIG_DFL);
  std::raise(number);
}

void remove_on_signals() {
  struct sigaction action{};
  action.sa_handler = remove_and_end;
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction now{};
    sigaction(number, nullptr, &now);
    if (now.sa_handler == SIG_DFL) sigaction(number, &action, nullptr);
  }
}

bool holds_only(const fs::path& folder, const std::string& name) {
  std::error_code failure;
  for (fs::directory_iterator entry(folder, failure), end; !failure && entry != end; entry.increment(failure))
    if (entry->path().filename() != name) return false;
  return !failure;
}

}  // namespace

new_folders::~new_folders() {
  std::error_code ignored;
  for (const made_folder& folder : made_) {
    g_newest = folder.before;
    if (!folder.aside.empty() && holds_only(folder.path, folder.aside))
      fs::remove(fs::path(folder.path) / folder.aside, ignored);
    ::rmdir(folder.path.c_str());
  }
}

void new_folders::make(const fs::path& folder, const std::string& aside) {
  std::vector<fs::path> missing;
  std::error_code failure;
  fs::path there = fs::absolute(folder);
  if (!there.has_filename()) there = there.parent_path();  // "a/b/" names the folder "a/b"
  for (; !fs::exists(there, failure) && there.has_relative_path(); there = there.parent_path())
    missing.push_back(there);
  if (!missing.empty()) remove_on_signals();
  while (!missing.empty()) {
    const bool is_made = fs::create_directory(missing.back(), failure);
    if (failure) break;
    if (is_made) {
      made_.push_front({missing.back().string(), missing.size() == 1 ? aside : std::string(), g_newest});
      g_newest = &made_.front();
    }
    missing.pop_back();
  }
  if (!failure) fs::create_directories(folder, failure);  // where it is there: whether it is a folder
  if (failure) throw io_error(folder, "the folder cannot be made: " + failure.message(), failure.value());
}

}  // namespace imgsim::app
