#include "pipeline/folder_watch.hpp"

#include <poll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>
#include <utility>
#include <vector>

#include <imgsim/core/error.hpp>
#include <imgsim/image/folder.hpp>

namespace imgsim::app {

namespace {

constexpr std::uint32_t kContent = IN_CLOSE_WRITE | IN_ATTRIB;  // of a file that was there
constexpr std::uint32_t kNames = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF;

/// As scan_folder() sees it: hidden names and files that are no photos by their names do not count. A name that comes
/// or goes may be that of a link to a folder.
bool counts(const inotify_event& event) {
  if ((event.mask & (IN_Q_OVERFLOW | IN_DELETE_SELF | IN_MOVE_SELF)) != 0) return true;
  if ((event.mask & IN_IGNORED) != 0 || event.len == 0) return false;
  const std::string_view name(event.name);
  if (name.starts_with('.')) return false;
  return (event.mask & kNames) != 0 ? (event.mask & IN_CREATE) == 0 || (event.mask & IN_ISDIR) != 0 ||
                                          !imgsim::detail::has_photo_extension(name)
                                    : imgsim::detail::has_photo_extension(name);
}

/// Of a folder that is there, by device and inode.
std::pair<dev_t, ino_t> identity(const std::filesystem::path& folder) {
  struct stat status{};
  return ::stat(folder.c_str(), &status) == 0 ? std::pair(status.st_dev, status.st_ino) : std::pair(dev_t{}, ino_t{});
}

}  // namespace

folder_watch::folder_watch(std::filesystem::path root, std::filesystem::path except)
    : root_(std::move(root)), except_(std::move(except)), inotify_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
  if (inotify_.number() < 0) imgsim::detail::throw_system_error(root_, "cannot be watched");
}

void folder_watch::add(const std::filesystem::path& folder) const {
  if (::inotify_add_watch(inotify_.number(), folder.c_str(), kContent | kNames | IN_ONLYDIR) >= 0) return;
  if (errno == ENOSPC)
    throw io_error(folder, "cannot be watched: the system watches no more folders; raise fs.inotify.max_user_watches");
  // One that went away meanwhile, or cannot be read, is told by the scan.
  if (folder == root_) imgsim::detail::throw_system_error(root_, "cannot be watched");
}

void folder_watch::renew() {
  std::set<std::pair<dev_t, ino_t>> seen{identity(except_)};
  std::vector<std::filesystem::path> open{root_};
  while (!open.empty()) {
    const std::filesystem::path folder = std::move(open.back());
    open.pop_back();
    if (!seen.insert(identity(folder)).second) continue;
    add(folder);
    std::error_code unreadable;
    for (const auto& entry : std::filesystem::directory_iterator(folder, unreadable)) {
      std::error_code gone;
      if (!entry.path().filename().string().starts_with('.') && entry.is_directory(gone)) open.push_back(entry.path());
    }
  }
}

bool folder_watch::has_changed() const {
  bool changed = false;
  alignas(inotify_event) char block[1 << 16];
  for (;;) {
    const ssize_t size = ::read(inotify_.number(), block, sizeof block);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return changed;
    for (const char* at = block; at < block + size;) {
      const auto& event = *reinterpret_cast<const inotify_event*>(at);
      changed = changed || counts(event);
      at += sizeof event + event.len;
    }
  }
}

bool folder_watch::wait(std::chrono::milliseconds at_most, const std::stop_token& stop) const {
  constexpr std::chrono::milliseconds kLook{100};  // for a stop
  const auto end = std::chrono::steady_clock::now() + at_most;
  while (!stop.stop_requested()) {
    if (has_changed()) return true;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    if (left.count() <= 0) return false;
    pollfd ready{.fd = inotify_.number(), .events = POLLIN, .revents = 0};
    ::poll(&ready, 1, static_cast<int>(std::min(left, kLook).count()));
  }
  return false;
}

}  // namespace imgsim::app
