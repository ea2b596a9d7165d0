// What is typed in place of a photo, and the addresses that names lead to: apps/imgsim/pipeline/fetch_url.hpp. (HTTP is
// libcurl's; what it fetches is read as any photo is.)
#include <netinet/in.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>

#include "pipeline/fetch_url.hpp"

#include <imgsim/core/ascii.hpp>
#include <imgsim/core/file.hpp>

#include "../target.hpp"

namespace imgsim_fuzz {

namespace {

bool is_public(const in_addr& address) {
  sockaddr_in whole{};
  whole.sin_family = AF_INET;
  whole.sin_addr = address;
  return imgsim::app::is_public_address(reinterpret_cast<const sockaddr&>(whole));
}

bool is_public(const in6_addr& address) {
  sockaddr_in6 whole{};
  whole.sin6_family = AF_INET6;
  whole.sin6_addr = address;
  return imgsim::app::is_public_address(reinterpret_cast<const sockaddr&>(whole));
}

/// The bytes as an address, in both families.
void check_address(std::span<const std::byte> input) {
  in6_addr six{};
  std::memcpy(&six, input.data(), std::min(input.size(), sizeof six));
  in_addr four{};
  std::memcpy(&four, &six, sizeof four);
  const std::uint32_t number = ntohl(four.s_addr);
  if (is_public(four)) must(number >> 24 != 127 && number >> 24 != 10 && number >> 16 != 0xc0a8, "a private address");
  if (is_public(six))
    must(!IN6_IS_ADDR_LOOPBACK(&six) && !IN6_IS_ADDR_LINKLOCAL(&six) && !IN6_IS_ADDR_MULTICAST(&six) &&
             (six.s6_addr[0] & 0xfe) != 0xfc,
         "a private address");
  in6_addr mapped{};
  mapped.s6_addr[10] = mapped.s6_addr[11] = 0xff;
  std::memcpy(mapped.s6_addr + 12, &four, sizeof four);
  must(is_public(mapped) == is_public(four), "an address is as public when it is written as the other family's");
}

bool read_url(std::span<const std::byte> input) {
  check_address(input);
  const std::string text(imgsim::text_of(input));
  const std::string_view scheme = imgsim::app::url_scheme(text);
  must(text.starts_with(std::string(scheme) + (scheme.empty() ? "" : "://")), "a scheme begins its URL");
  const bool is_url = imgsim::app::is_url(text);
  const std::string lower = imgsim::lower_case(text);
  must(is_url == (lower.starts_with("http://") || lower.starts_with("https://")), "only http and https are fetched");
  return is_url;
}

std::vector<bytes> url_seeds() {
  return {bytes_of_text("http://example.org/a.jpg"), bytes_of_text("HTTPS://example.org"),
          bytes_of_text("file:///etc/passwd"), bytes_of_text("photo.jpg"),
          bytes_of_text(std::string_view("\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\1", 16))};
}

}  // namespace

const target url_target{"url", read_url, url_seeds};

}  // namespace imgsim_fuzz
