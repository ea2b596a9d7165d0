// Which requests a server on this machine answers. A page from elsewhere must neither read the collection (by a name
// that its owner points at this machine, "DNS rebinding") nor make the server work (by a request across sites).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace imgsim::app {

/// "host" of "host:port" and "[host]:port".
[[nodiscard]] std::string_view host_part(std::string_view authority);

/// Whether `host` is written as an IP address, which no name server can point elsewhere.
[[nodiscard]] bool is_ip_address(std::string_view host);
[[nodiscard]] bool is_loopback_address(std::string_view host);
/// Whether what listens on `bound`, an address or a name, is reached from this machine alone.
[[nodiscard]] bool is_for_this_machine(std::string_view bound);

struct guarded_request {
  std::string_view method;
  std::string_view host;    // the header, empty where there is none
  std::string_view origin;  // the header, empty where there is none
  /// By the browser's word (Sec-Fetch-Site) part of a page from elsewhere, or led to by one.
  bool is_from_elsewhere = false;
};

struct refused_request {
  int status;  // 400 where it is malformed, 403 where it is of elsewhere
  std::string reason;
};

/// Why a request is not answered; nullopt where it is. `bound` is the address or name that the server listens on,
/// `machine` the name of this machine, where that is known.
///
/// Host must be `bound`, localhost, or an IP address, each with or without a port: an address of the loopback where the
/// server listens there alone. Where it does not, `machine` and `machine`.local will do, too: who could point these
/// elsewhere is in the network already. A POST must come from the server's own pages: its Origin is http:// and the
/// Host.
[[nodiscard]] std::optional<refused_request> why_refused(const guarded_request& request, std::string_view bound,
                                                         std::string_view machine = {});

}  // namespace imgsim::app
