#include "serve/connection_limits.hpp"

#include <netinet/in.h>

#include <algorithm>

namespace imgsim::app {

std::chrono::milliseconds transfer_limit::patience(clock::time_point now) const {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(end_ - now);
  return std::clamp<std::chrono::milliseconds>(left, std::chrono::milliseconds{0}, kStandstill);
}

bool head_limit::goes_on(std::string_view bytes) {
  for (const char byte : bytes) {
    if (seen_ == kEnd.size()) return true;
    seen_ = byte == kEnd[seen_] ? seen_ + 1 : byte == kEnd.front() ? 1 : 0;
    ++bytes_;
  }
  return seen_ == kEnd.size() || bytes_ <= kBytes;
}

std::string peer_of(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET) {
    const in_addr& bytes = reinterpret_cast<const sockaddr_in&>(address).sin_addr;
    return {reinterpret_cast<const char*>(&bytes), sizeof bytes};
  }
  if (address.ss_family != AF_INET6) return {};
  const in6_addr& bytes = reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
  const char* const first = reinterpret_cast<const char*>(&bytes);
  constexpr std::size_t kNetwork = 8, kEmbedded = 12;  // where the IPv4 address begins
  return IN6_IS_ADDR_V4MAPPED(&bytes) ? std::string(first + kEmbedded, sizeof bytes - kEmbedded)
                                      : std::string(first, kNetwork);
}

bool open_connections::enter(int socket, const std::string& peer) {
  const std::lock_guard lock(mutex_);
  const auto of_peer = std::ranges::count(peers_, peer, &std::pair<const int, std::string>::second);
  if (static_cast<std::size_t>(of_peer) >= kOfOnePeer) return false;
  peers_[socket] = peer;
  return true;
}

void open_connections::leave(int socket) {
  const std::lock_guard lock(mutex_);
  peers_.erase(socket);
}

void open_connections::end_all() {
  const std::lock_guard lock(mutex_);
  for (const auto& [socket, peer] : peers_) ::shutdown(socket, SHUT_RDWR);
}

}  // namespace imgsim::app
