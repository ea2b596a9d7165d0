// HTTP for a site. The only place, with limited_server.hpp, that knows a library for it.
#pragma once

#include <functional>
#include <stop_token>
#include <string>

#include "serve/site.hpp"

namespace imgsim::app {

struct listen_address {
  std::string host = "127.0.0.1";
  int port = 8080;  // 0: any that is free
};

/// "http://127.0.0.1:8080/".
[[nodiscard]] std::string url_of(const listen_address& address);

/// Where a browser can open what listens at `bound`: there, or, where that stands for every address of this machine,
/// at each that an interface has, those of other machines' use first.
[[nodiscard]] std::vector<std::string> urls_of(const listen_address& bound);

/// Throws error where this imgsim was built without a library for HTTP.
void expect_http_server();

/// Answers requests until `stop`; on_ready gets the address with its port. Throws error where it cannot listen there.
void run_http_server(site& pages, const listen_address& address, const std::stop_token& stop,
                     const std::function<void(const listen_address& bound)>& on_ready);

}  // namespace imgsim::app
