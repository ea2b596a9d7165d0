// How slow a connection may be, and how many of them one machine may have: none keeps the threads from the others.
#pragma once

#include <sys/socket.h>

#include <chrono>
#include <cstddef>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

namespace imgsim::app {

/// The time that bytes in one direction may take: some at first, and more with what has moved. A limit of the wait for
/// each byte alone would be kept by one byte now and then, for ever.
class transfer_limit {
 public:
  using clock = std::chrono::steady_clock;
  static constexpr std::chrono::seconds kAtFirst{10};
  static constexpr std::size_t kBytesPerSecond = std::size_t{32} << 10;  // far from any base station
  static constexpr std::chrono::seconds kStandstill{5};                  // without any byte

  explicit transfer_limit(clock::time_point begin) : end_(begin + kAtFirst) {}

  void moved(std::size_t bytes) { end_ += std::chrono::microseconds(bytes * 1'000'000 / kBytesPerSecond); }

  /// How long to wait for the next byte; 0 where the time is over.
  [[nodiscard]] std::chrono::milliseconds patience(clock::time_point now) const;

 private:
  clock::time_point end_;
};

/// The size that the head of a request may have: the library keeps as many lines as come.
class head_limit {
 public:
  static constexpr std::size_t kBytes = std::size_t{64} << 10;

  /// False where `bytes`, which follow those before, are of a head that is too long. True for all behind its end.
  [[nodiscard]] bool goes_on(std::string_view bytes);

 private:
  static constexpr std::string_view kEnd = "\r\n\r\n";

  std::size_t bytes_ = 0;
  std::size_t seen_ = 0;  // of the end
};

/// What connections of one machine have in common: the address, of IPv6 the network, since a machine has as many
/// addresses in it as it likes. Empty where it is neither.
[[nodiscard]] std::string peer_of(const sockaddr_storage& address);

/// The connections being answered. Usable from any thread.
class open_connections {
 public:
  static constexpr std::size_t kOfOnePeer = 64;  // a browser opens six

  /// False where `peer` has as many as it may.
  [[nodiscard]] bool enter(int socket, const std::string& peer);
  /// Before the socket is closed, whose number may be another's then.
  void leave(int socket);
  /// Lets neither side send any more.
  void end_all();

 private:
  std::mutex mutex_;
  std::map<int, std::string> peers_;  // by socket
};

}  // namespace imgsim::app
