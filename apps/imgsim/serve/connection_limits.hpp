// How slow a connection may be, how many of them and how many uploads one machine may have, and how many bytes of
// photos are in memory: one machine leaves most of it to the others. Several that mean harm can still take all.
#pragma once

#include <sys/socket.h>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
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
/// The same of an address as text.
[[nodiscard]] std::string peer_of(const std::string& address);

/// The connections being answered. Usable from any thread.
class open_connections {
 public:
  static constexpr std::size_t kOfOnePeer = 24;  // a browser opens six

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

/// The uploads under way. Usable from any thread.
class open_uploads {
 public:
  static constexpr std::size_t kMost = 8;  // of site::kMaxUpload each
  static constexpr std::size_t kOfOnePeer = 2;

  /// One of them, until it is destroyed; nullptr where `peer`, or all together, have as many as they may.
  [[nodiscard]] std::shared_ptr<void> begin(const std::string& peer);

 private:
  std::mutex mutex_;
  std::multiset<std::string> peers_;
};

/// Bytes that answers hold. Usable from any thread.
class byte_budget {
 public:
  explicit byte_budget(std::uint64_t most) : most_(most) {}

  /// Waits until there is room for `bytes`, or nothing else is held, and holds them until the result is destroyed;
  /// nullptr where `patience` ends before.
  [[nodiscard]] std::shared_ptr<void> hold(std::uint64_t bytes, std::chrono::milliseconds patience);

 private:
  std::uint64_t most_;
  std::mutex mutex_;
  std::condition_variable freed_;
  std::uint64_t held_ = 0;
};

}  // namespace imgsim::app
