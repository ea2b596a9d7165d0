// Which requests imgsim serve answers: apps/imgsim/serve/request_guard.hpp. The input is the method, the headers Host
// and Origin, and what the server listens on, one a line. (HTTP itself is cpp-httplib's; tests/serve/hostile.cpp sends
// damaged requests to the whole server.)
#include <arpa/inet.h>

#include <array>
#include <string>

#include "serve/request_guard.hpp"

#include <imgsim/core/ascii.hpp>
#include <imgsim/core/file.hpp>

#include "../target.hpp"

namespace imgsim_fuzz {

namespace {

/// Of this machine alone, by the system's own reading of addresses.
bool names_this_machine(const std::string& host) {
  in_addr four{};
  in6_addr six{};
  if (host.find('\0') != std::string::npos) return false;  // inet_pton would read what stands before it
  if (imgsim::lower_case(host) == "localhost") return true;
  if (inet_pton(AF_INET, host.c_str(), &four) == 1) return ntohl(four.s_addr) >> 24 == 127;
  return inet_pton(AF_INET6, host.c_str(), &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
}

bool answer_request(std::span<const std::byte> input) {
  std::array<std::string, 4> lines;
  std::string_view text = imgsim::text_of(input);
  for (std::string& line : lines) {
    line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
  }
  const auto& [method, host, origin, bound] = lines;
  const auto refused = imgsim::app::why_refused({method, host, origin, !text.empty()}, bound);
  if (refused) {
    must(!refused->reason.empty(), "a refusal has a reason");
    must(refused->status == 400 || refused->status == 403, "a refusal is of what is malformed or of elsewhere");
    return false;
  }
  must(text.empty(), "nothing is answered that comes from elsewhere");
  must(method != "POST" || origin == "http://" + host, "only the server's own pages make it work");
  const std::string name(imgsim::app::host_part(host));
  must(!name.empty(), "a host has a name");
  if (names_this_machine(bound))
    must(names_this_machine(name), "a server of this machine answers to no name that others could point at it");
  return true;
}

std::vector<bytes> request_seeds() {
  return {bytes_of_text("GET\n127.0.0.1:8080\n\n127.0.0.1\n"),
          bytes_of_text("POST\nlocalhost:8080\nhttp://localhost:8080\nlocalhost\n"),
          bytes_of_text("GET\n[::1]:8080\nhttp://[::1]:8080\n::1\n"), bytes_of_text("GET\n192.168.1.2:80\n\n0.0.0.0\n"),
          bytes_of_text("POST\nevil.example\nhttp://evil.example\n127.0.0.1\nelsewhere")};
}

}  // namespace

const target request_target{"request", answer_request, request_seeds};

}  // namespace imgsim_fuzz
