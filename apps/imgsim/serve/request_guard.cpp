#include "serve/request_guard.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

#include "cli/text.hpp"

#include <imgsim/core/ascii.hpp>

namespace imgsim::app {

namespace {

/// Four bytes of an IPv4 address, 16 of an IPv6 address; nothing for other text.
std::string address_bytes(std::string_view host) {
  if (host.find('\0') != std::string_view::npos) return {};  // where C would see the end of the text
  const std::string text(host);
  std::array<char, sizeof(in6_addr)> bytes{};
  if (inet_pton(AF_INET, text.c_str(), bytes.data()) == 1) return {bytes.data(), sizeof(in_addr)};
  if (inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1) return {bytes.data(), sizeof(in6_addr)};
  return {};
}

bool is_letter_or_digit(char c) {
  return ('0' <= c && c <= '9') || ('a' <= c && c <= 'z') || ('A' <= c && c <= 'Z');
}

/// Whether it is host or host:port as RFC 3986 (3.2.2) has them: an IPv6 address in brackets, or any other host.
bool is_well_formed(std::string_view authority) {
  const std::string_view host = host_part(authority);
  const bool is_v6 = authority.starts_with('[');
  const bool is_host =
      is_v6 ? address_bytes(host).size() == sizeof(in6_addr) : !host.empty() && std::ranges::all_of(host, [](char c) {
        return is_letter_or_digit(c) || std::string_view("-._~%!$&'()*+,;=").find(c) != std::string_view::npos;
      });
  const std::string_view rest = authority.substr(std::min(authority.size(), host.size() + (is_v6 ? 2 : 0)));
  return is_host && (rest.empty() || rest.starts_with(':')) &&
         std::ranges::all_of(rest.substr(rest.empty() ? 0 : 1), [](char c) { return '0' <= c && c <= '9'; });
}

}  // namespace

std::string_view host_part(std::string_view authority) {
  if (authority.starts_with('[')) {
    const std::size_t end = authority.find(']');
    return end == std::string_view::npos ? std::string_view() : authority.substr(1, end - 1);
  }
  return authority.substr(0, authority.find(':'));
}

bool is_ip_address(std::string_view host) {
  return !address_bytes(host).empty();
}

bool is_loopback_address(std::string_view host) {
  const std::string bytes = address_bytes(host);
  if (bytes.size() == sizeof(in_addr)) return bytes.front() == 127;
  return bytes.size() == sizeof(in6_addr) && bytes == std::string(15, '\0') + '\1';
}

bool is_for_this_machine(std::string_view bound) {
  return is_loopback_address(bound) || equal_but_for_case(bound, "localhost");
}

std::optional<refused_request> why_refused(const guarded_request& request, std::string_view bound,
                                           std::string_view machine) {
  if (!is_well_formed(request.host)) return refused_request{400, "a request names one Host, an address or a name"};
  const std::string host = lower_case(std::string(host_part(request.host)));
  const bool is_here = is_for_this_machine(bound);
  const bool is_machine =
      !is_here && !machine.empty() &&
      (equal_but_for_case(host, machine) || equal_but_for_case(host, std::string(machine) + ".local"));
  const bool is_known = host == "localhost" || equal_but_for_case(host, bound) || is_machine ||
                        (is_here ? is_loopback_address(host) : is_ip_address(host));
  if (!is_known)
    return refused_request{
        403, "this server is not called " + in_quotes(host_part(request.host)) + "; open the address that it printed"};
  const bool is_own = request.origin == "http://" + std::string(request.host);
  // What only reads has no Origin where a browser asks for its own pages; what has another makes the server work.
  if (request.is_from_elsewhere || (!is_own && (request.method == "POST" || !request.origin.empty())))
    return refused_request{403, "this is accepted from the server's own pages only"};
  return std::nullopt;
}

}  // namespace imgsim::app
