// A photo behind an http(s) URL, with limits on size, time and redirects.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

struct sockaddr;

namespace imgsim::app {

struct fetch_limits {
  std::uint64_t max_bytes = std::uint64_t{64} << 20;
  std::chrono::seconds timeout{30};
  long max_redirects = 5;
  /// Loopback, private and link-local addresses are refused otherwise: a URL from elsewhere must not make this machine
  /// read from its own network. Proxies of the environment are used only with it, as they hide the address.
  bool allow_local = false;
};

/// "ftp" of "ftp://host/file", as it is written; empty where `text` is no URL (RFC 3986, section 3.1).
[[nodiscard]] std::string_view url_scheme(std::string_view text);

/// Whether `text` begins with http:// or https://.
[[nodiscard]] bool is_url(std::string_view text);

/// Whether an address is of the public internet (RFC 6890 and its IPv6 twin).
[[nodiscard]] bool is_public_address(const sockaddr& address);

/// The body of the answer. Throws io_error with the URL in place of a path.
[[nodiscard]] std::vector<std::byte> fetch_url(const std::string& url, const fetch_limits& limits = {});

}  // namespace imgsim::app
