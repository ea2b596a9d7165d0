#include "pipeline/fetch_url.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <span>

#ifdef IMGSIM_WITH_URL
#include <curl/curl.h>
#endif

#include "cli/text.hpp"

#include <imgsim/core/ascii.hpp>
#include <imgsim/core/error.hpp>

namespace imgsim::app {

namespace {

struct network {
  std::uint32_t address;
  unsigned prefix;
};

// RFC 6890: "this network", private, shared, loopback, link-local, protocol assignments, documentation, 6to4 relay,
// benchmarking, multicast, reserved and broadcast.
constexpr std::array<network, 16> kNotPublic{{{0x00000000, 8},
                                              {0x0a000000, 8},
                                              {0x64400000, 10},
                                              {0x7f000000, 8},
                                              {0xa9fe0000, 16},
                                              {0xac100000, 12},
                                              {0xc0000000, 24},
                                              {0xc0000200, 24},
                                              {0xc0586300, 24},
                                              {0xc0a80000, 16},
                                              {0xc6120000, 15},
                                              {0xc6336400, 24},
                                              {0xcb007100, 24},
                                              {0xe0000000, 4},
                                              {0xf0000000, 4},
                                              {0xffffffff, 32}}};

bool is_public_v4(std::uint32_t address) {
  return std::ranges::none_of(kNotPublic,
                              [&](const network& n) { return ((address ^ n.address) >> (32 - n.prefix)) == 0; });
}

bool is_public_v6(std::span<const std::uint8_t, 16> a) {
  const auto v4_at = [&](std::size_t i) {
    return std::uint32_t{a[i]} << 24 | std::uint32_t{a[i + 1]} << 16 | std::uint32_t{a[i + 2]} << 8 | a[i + 3];
  };
  const bool zeros = std::ranges::all_of(a.first<10>(), [](std::uint8_t b) { return b == 0; });
  if (zeros && a[10] == 0xff && a[11] == 0xff) return is_public_v4(v4_at(12));                       // ::ffff:a.b.c.d
  if (a[0] == 0x00 && a[1] == 0x64 && a[2] == 0xff && a[3] == 0x9b) return is_public_v4(v4_at(12));  // NAT64
  if (a[0] == 0x20 && a[1] == 0x02) return is_public_v4(v4_at(2));                                   // 6to4
  const bool documentation = a[0] == 0x20 && a[1] == 0x01 && a[2] == 0x0d && a[3] == 0xb8;
  const bool teredo = a[0] == 0x20 && a[1] == 0x01 && a[2] == 0 && a[3] == 0;
  return (a[0] & 0xe0) == 0x20 && !documentation && !teredo;  // 2000::/3 is what is routed at all
}

}  // namespace

bool is_url(std::string_view text) {
  const std::string scheme = lower_case(url_scheme(text));
  return scheme == "http" || scheme == "https";
}

std::string_view url_scheme(std::string_view text) {
  const std::size_t end = text.find("://");
  if (end == std::string_view::npos || end == 0) return {};
  const std::string_view scheme = text.substr(0, end);
  const auto is_letter = [](char c) { return lower_case(c) >= 'a' && lower_case(c) <= 'z'; };
  const bool is_scheme = is_letter(scheme.front()) && std::ranges::all_of(scheme, [&](char c) {
                           return is_letter(c) || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
                         });
  return is_scheme ? scheme : std::string_view{};
}

bool is_public_address(const sockaddr& address) {
  if (address.sa_family == AF_INET)
    return is_public_v4(ntohl(reinterpret_cast<const sockaddr_in&>(address).sin_addr.s_addr));
  if (address.sa_family == AF_INET6)
    return is_public_v6(
        std::span<const std::uint8_t, 16>(reinterpret_cast<const sockaddr_in6&>(address).sin6_addr.s6_addr));
  return false;
}

#ifdef IMGSIM_WITH_URL

namespace {

struct transfer {
  const fetch_limits& limits;
  std::vector<std::byte> body;
  bool too_large = false;
  bool not_public = false;
};

std::size_t on_data(char* data, std::size_t, std::size_t count, void* user) {
  auto& state = *static_cast<transfer*>(user);
  if (state.body.size() + count > state.limits.max_bytes) {
    state.too_large = true;
    return 0;
  }
  const auto bytes = std::as_bytes(std::span(data, count));
  state.body.insert(state.body.end(), bytes.begin(), bytes.end());
  return count;
}

// The address is judged where the connection is made, after name resolution and on every redirect: a name that
// resolves differently the second time gains nothing.
curl_socket_t on_socket(void* user, curlsocktype, curl_sockaddr* address) {
  auto& state = *static_cast<transfer*>(user);
  if (!state.limits.allow_local && !is_public_address(address->addr)) {
    state.not_public = true;
    return CURL_SOCKET_BAD;
  }
  return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

struct curl_library {
  curl_library() { curl_global_init(CURL_GLOBAL_DEFAULT); }
  curl_library(const curl_library&) = delete;
  curl_library& operator=(const curl_library&) = delete;
  ~curl_library() { curl_global_cleanup(); }
};

template <class Value>
void set_option(CURL* handle, CURLoption option, Value value) {
  if (const CURLcode code = curl_easy_setopt(handle, option, value); code != CURLE_OK)
    throw backend_error("libcurl", curl_easy_strerror(code));
}

std::string reason_of(const transfer& state, CURLcode code, const char* detail) {
  if (state.too_large) return "is larger than the limit of " + bytes_text(state.limits.max_bytes);
  if (state.not_public)
    return "leads to an address of this machine or a private network, which is refused; --allow-local-urls permits it";
  if (code == CURLE_OPERATION_TIMEDOUT)
    return "took longer than " + std::to_string(state.limits.timeout.count()) + " seconds";
  if (code == CURLE_TOO_MANY_REDIRECTS)
    return "redirects more than " + std::to_string(state.limits.max_redirects) + " times";
  if (code == CURLE_URL_MALFORMAT)
    return "is no URL: expected http(s)://HOST/PATH or http(s)://HOST:PORT/PATH, with a port of 0 to 65535";
  if (code == CURLE_UNSUPPORTED_PROTOCOL) return "leads to something that is neither http nor https";
  return std::string("cannot be fetched: ") + (*detail != '\0' ? detail : curl_easy_strerror(code));
}

}  // namespace

std::vector<std::byte> fetch_url(const std::string& url, const fetch_limits& limits) {
  const curl_library library;
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> handle(curl_easy_init(), &curl_easy_cleanup);
  if (!handle) throw backend_error("libcurl", "cannot be initialised");
  transfer state{limits, {}};
  std::array<char, CURL_ERROR_SIZE> detail{};
  CURL* const h = handle.get();
  set_option(h, CURLOPT_URL, url.c_str());
  set_option(h, CURLOPT_PROTOCOLS_STR, "http,https");
  set_option(h, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  set_option(h, CURLOPT_FOLLOWLOCATION, 1L);
  set_option(h, CURLOPT_MAXREDIRS, limits.max_redirects);
  set_option(h, CURLOPT_TIMEOUT, static_cast<long>(limits.timeout.count()));
  set_option(h, CURLOPT_CONNECTTIMEOUT, std::min(10L, static_cast<long>(limits.timeout.count())));
  set_option(h, CURLOPT_NOSIGNAL, 1L);
  set_option(h, CURLOPT_USERAGENT, "imgsim");
  set_option(h, CURLOPT_ERRORBUFFER, detail.data());
  set_option(h, CURLOPT_WRITEFUNCTION, &on_data);
  set_option(h, CURLOPT_WRITEDATA, static_cast<void*>(&state));
  set_option(h, CURLOPT_OPENSOCKETFUNCTION, &on_socket);
  set_option(h, CURLOPT_OPENSOCKETDATA, static_cast<void*>(&state));
  if (!limits.allow_local) set_option(h, CURLOPT_PROXY, "");
  const CURLcode code = curl_easy_perform(h);
  if (code != CURLE_OK) throw io_error(url, reason_of(state, code, detail.data()));
  long status = 0;
  curl_easy_getinfo(h, CURLINFO_RESPONSE_CODE, &status);
  if (status != 200) throw io_error(url, "the server answered with status " + std::to_string(status));
  return std::move(state.body);
}

#else

std::vector<std::byte> fetch_url(const std::string& url, const fetch_limits&) {
  throw io_error(url, "this imgsim was built without libcurl and reads files only");
}

#endif

}  // namespace imgsim::app
