// The library's server with a limit on how slow and how many connections are: it has one for each byte alone. A server
// derived from its own may bring the stream that requests are read from, as the library's for TLS does.
#pragma once

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>

#include "serve/connection_limits.hpp"

#include <httplib.h>

namespace imgsim::app {

/// A connection's bytes, as long as they keep within their transfer_limit.
class limited_stream final : public httplib::Stream {
 public:
  explicit limited_stream(socket_t socket) : socket_(socket), receiving_(transfer_limit::clock::now()) {}

  /// Whether anything comes in `time`.
  [[nodiscard]] bool has_begun(std::chrono::milliseconds time) const { return waited(POLLIN, time); }

  bool is_readable() const override {
    return begin_ < end_ || waited(POLLIN, receiving_.patience(transfer_limit::clock::now()));
  }
  bool is_writable() const override {
    const auto now = transfer_limit::clock::now();
    return waited(POLLOUT, sending_.value_or(transfer_limit(now)).patience(now));
  }

  /// The library reads heads byte by byte: a call of the system for each would take long.
  ssize_t read(char* out, size_t size) override {
    if (begin_ == end_) {
      if (!is_readable()) return -1;
      const ssize_t n = ::recv(socket_, ahead_.data(), ahead_.size(), 0);
      if (n <= 0) return n;
      if (!head_.goes_on({ahead_.data(), static_cast<std::size_t>(n)})) return -1;
      begin_ = 0;
      end_ = static_cast<std::size_t>(n);
      receiving_.moved(end_);
    }
    const std::size_t n = std::min(size, end_ - begin_);
    std::memcpy(out, ahead_.data() + begin_, n);
    begin_ += n;
    return static_cast<ssize_t>(n);
  }

  ssize_t write(const char* data, size_t size) override {
    if (!sending_) sending_.emplace(transfer_limit::clock::now());  // not before: an answer may take long to make
    if (!is_writable()) return -1;
    const ssize_t n = ::send(socket_, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n > 0) sending_->moved(static_cast<std::size_t>(n));
    return n;
  }

  void get_remote_ip_and_port(std::string& ip, int& port) const override { tell(::getpeername, ip, port); }
  void get_local_ip_and_port(std::string& ip, int& port) const override { tell(::getsockname, ip, port); }
  socket_t socket() const override { return socket_; }

 private:
  bool waited(short event, std::chrono::milliseconds time) const {
    pollfd at{.fd = socket_, .events = event, .revents = 0};
    int ready = -1;
    do ready = ::poll(&at, 1, static_cast<int>(time.count()));
    while (ready < 0 && errno == EINTR);
    return ready > 0;
  }

  template <class Name>
  void tell(Name&& name, std::string& ip, int& port) const {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    std::array<char, NI_MAXHOST> host{};
    std::array<char, NI_MAXSERV> service{};
    if (name(socket_, reinterpret_cast<sockaddr*>(&address), &size) != 0 ||
        ::getnameinfo(reinterpret_cast<const sockaddr*>(&address), size, host.data(), host.size(), service.data(),
                      service.size(), NI_NUMERICHOST | NI_NUMERICSERV) != 0)
      return;
    ip = host.data();
    port = std::atoi(service.data());
  }

  socket_t socket_;
  head_limit head_;
  transfer_limit receiving_;
  std::optional<transfer_limit> sending_;
  std::array<char, 4096> ahead_{};
  std::size_t begin_ = 0, end_ = 0;  // of what was read ahead
};

class limited_server final : public httplib::Server {
 public:
  void end_connections() { connections_.end_all(); }

 private:
  /// A socket to be closed, which leaves the connections that are answered where it entered them.
  class open_socket {
   public:
    open_socket(open_connections& all, socket_t socket) noexcept : all_(all), socket_(socket) {}
    open_socket(const open_socket&) = delete;
    open_socket& operator=(const open_socket&) = delete;
    ~open_socket() {
      if (is_entered_) all_.leave(socket_);
      ::shutdown(socket_, SHUT_RDWR);
      ::close(socket_);
    }

    [[nodiscard]] bool enter(const std::string& peer) { return is_entered_ = all_.enter(socket_, peer); }

   private:
    open_connections& all_;
    socket_t socket_;
    bool is_entered_ = false;
  };

  bool process_and_close_socket(socket_t socket) override {
    open_socket here(connections_, socket);
    try {
      return answer(here, socket);
    } catch (...) {  // no memory for the request: nothing of it is left, and the others go on
      return false;
    }
  }

  /// One request a connection: the library would take the unread body of a refused request for the next one, and with
  /// it whatever headers a page from elsewhere wrote into it.
  bool answer(open_socket& here, socket_t socket) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    if (svr_sock_ == INVALID_SOCKET || ::getpeername(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0)
      return false;
    if (!here.enter(peer_of(address))) {
      refuse(socket);
      return false;
    }
    limited_stream stream(socket);
    bool is_closed = false;
    return stream.has_begun(std::chrono::seconds(keep_alive_timeout_sec_)) &&
           process_request(stream, true, is_closed, nullptr);
  }

  /// Without waiting: neither for the request, which is not read, nor for the answer to be taken.
  static void refuse(socket_t socket) {
    const std::string reason = R"({"reason":"this machine has too many connections here; try again"})";
    const std::string answer =
        "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 1\r\nContent-Type: application/json\r\n"
        "X-Content-Type-Options: nosniff\r\nContent-Length: " +
        std::to_string(reason.size()) + "\r\n\r\n" + reason;
    ::send(socket, answer.data(), answer.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  }

  open_connections connections_;
};

}  // namespace imgsim::app
