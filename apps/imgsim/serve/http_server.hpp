// HTTP for a site. The only place that knows a library for it.
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

/// Throws error where this imgsim was built without a library for HTTP.
void expect_http_server();

/// Answers requests until `stop`; on_ready gets the address with its port. Throws error where it cannot listen there.
void run_http_server(site& pages, const listen_address& address, const std::stop_token& stop,
                     const std::function<void(const listen_address& bound)>& on_ready);

}  // namespace imgsim::app
