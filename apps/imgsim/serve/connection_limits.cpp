#include "serve/connection_limits.hpp"

#include <arpa/inet.h>
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

std::string peer_of(const std::string& address) {
  sockaddr_storage bytes{};
  if (::inet_pton(AF_INET, address.c_str(), &reinterpret_cast<sockaddr_in&>(bytes).sin_addr) == 1)
    bytes.ss_family = AF_INET;
  else if (::inet_pton(AF_INET6, address.c_str(), &reinterpret_cast<sockaddr_in6&>(bytes).sin6_addr) == 1)
    bytes.ss_family = AF_INET6;
  return peer_of(bytes);
}

bool open_connections::enter(int socket, const std::string& peer) {
  const std::lock_guard lock(mutex_);
  const auto of_peer = std::ranges::count(peers_, peer, &std::pair<const int, std::string>::second);
  if (static_cast<std::size_t>(of_peer) >= kOfOnePeer) return false;
  peers_.emplace(socket, peer);
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

std::shared_ptr<void> open_uploads::begin(const std::string& peer) {
  std::unique_lock lock(mutex_);
  if (peers_.size() >= kMost || peers_.count(peer) >= kOfOnePeer) return nullptr;
  const auto place = peers_.insert(peer);
  lock.unlock();  // where there is no memory for the pointer, it ends what it was to hold
  return {this, [place](open_uploads* all) {
            const std::lock_guard at_end(all->mutex_);
            all->peers_.erase(place);
          }};
}

std::shared_ptr<void> byte_budget::hold(std::uint64_t bytes, std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  const auto has_room = [&] { return held_ == 0 || (held_ <= most_ && bytes <= most_ - held_); };
  if (!freed_.wait_for(lock, patience, has_room)) return nullptr;
  held_ += bytes;
  lock.unlock();  // as above
  return {this, [bytes](byte_budget* all) {
            const std::lock_guard at_end(all->mutex_);
            all->held_ -= bytes;
            all->freed_.notify_all();
          }};
}

}  // namespace imgsim::app
