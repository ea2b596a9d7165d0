#include "serve/http_server.hpp"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <memory>
#include <thread>
#include <utility>

#include "serve/request_guard.hpp"

#include <imgsim/report/escape.hpp>

#ifdef IMGSIM_WITH_SERVE
#include "serve/connection_limits.hpp"
#include "serve/limited_server.hpp"
#include "serve/worker_threads.hpp"
#endif

namespace imgsim::app {

std::string url_of(const listen_address& address) {
  const bool is_v6 = address.host.find(':') != std::string::npos;
  return "http://" + (is_v6 ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port) + "/";
}

namespace {

/// Of an interface's address, as text; empty where a browser cannot open it.
std::string address_text(const ifaddrs& at, bool with_v6) {
  if (at.ifa_addr == nullptr || (at.ifa_flags & IFF_UP) == 0) return {};
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (at.ifa_addr->sa_family == AF_INET) {
    ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(at.ifa_addr)->sin_addr, text.data(), text.size());
  } else if (at.ifa_addr->sa_family == AF_INET6 && with_v6) {
    const in6_addr& address = reinterpret_cast<const sockaddr_in6*>(at.ifa_addr)->sin6_addr;
    // One of a link means nothing without the interface, which no browser takes in an address.
    if (!IN6_IS_ADDR_LINKLOCAL(&address)) ::inet_ntop(AF_INET6, &address, text.data(), text.size());
  }
  return text.data();
}

}  // namespace

std::vector<std::string> urls_of(const listen_address& bound) {
  const bool with_v6 = bound.host == "::";  // and IPv4
  if (bound.host != "0.0.0.0" && !with_v6) return {url_of(bound)};
  std::vector<std::string> urls, own;
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) list = nullptr;
  for (const ifaddrs* at = list; at != nullptr; at = at->ifa_next)
    if (const std::string text = address_text(*at, with_v6); !text.empty())
      (is_loopback_address(text) ? own : urls).push_back(url_of({text, bound.port}));
  ::freeifaddrs(list);
  urls.insert(urls.end(), own.begin(), own.end());
  return urls.empty() ? std::vector{url_of({"127.0.0.1", bound.port})} : urls;
}

#ifdef IMGSIM_WITH_SERVE

namespace {

std::string name_of_machine() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

// A browser opens six at once; threads that wait cost little.
constexpr std::size_t kConnections = 128;
constexpr int kWaiting = 512;                 // connections that are not taken yet
constexpr time_t kIdleSeconds = 2;            // of a connection without a request
constexpr std::chrono::seconds kPatience{3};  // with connections, when the server is to stop
constexpr std::chrono::milliseconds kLookInterval{50};
constexpr std::array kPosted{"/api/search", "/api/duplicates", "/api/choose-k", "/api/map"};

/// Headers of every answer. Nothing is loaded from elsewhere, nothing inline is run, no other page may hold this one.
httplib::Headers safe_headers() {
  return {{"Content-Security-Policy",
           "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
           "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
          {"X-Content-Type-Options", "nosniff"},
          {"Referrer-Policy", "no-referrer"},
          {"Cross-Origin-Resource-Policy", "same-origin"},
          {"Cross-Origin-Opener-Policy", "same-origin"}};
}

void send(httplib::Response& response, reply&& answer) {
  response.status = answer.status;
  response.set_header("Cache-Control",
                      answer.keep == keep_answer::checked ? "private, max-age=31536000, immutable" : "no-store");
  if (!answer.held) {
    response.set_content(answer.body, answer.type);
    return;
  }
  // The response is destroyed, and with it what this holds, when all is sent.
  const std::size_t size = answer.body.size();
  const std::string type = answer.type;
  response.set_content_provider(size, type,
                                [sent = std::make_shared<const reply>(std::move(answer))](
                                    std::size_t from, std::size_t bytes, httplib::DataSink& to) {
                                  return to.write(sent->body.data() + from, bytes);
                                });
}

void send_reason(httplib::Response& response, int status, const std::string& reason) {
  send(response, {.status = status, .body = json_text({{"reason", printable_utf8(reason)}}, -1)});
}

/// Sends what `make` returns, or why it could not.
template <class Make>
void answer(httplib::Response& response, Make&& make) {
  try {
    send(response, make());
  } catch (const refusal& reason) {
    send_reason(response, reason.status(), reason.what());
  } catch (const std::bad_alloc&) {
    send_reason(response, 503, "there is not enough memory for this photo");
  } catch (const std::exception& failure) {
    send_reason(response, 500, failure.what());
  }
}

request_parameters parameters_of(const httplib::Request& request) {
  return request_parameters([&request](const std::string& name) -> std::optional<std::string> {
    if (!request.has_param(name)) return std::nullopt;
    return request.get_param_value(name);
  });
}

/// The body, as long as it may be; throws refusal.
std::vector<std::byte> read_body(const httplib::Request& request, const httplib::ContentReader& content) {
  // The library would unpack it: a little that unpacks to a lot.
  if (request.is_multipart_form_data() || request.has_header("Content-Encoding"))
    throw refusal(415, "send the photo itself as the body");
  const std::string too_long = "the photo has more than 32 MiB; make it smaller to search with it";
  // What is announced need not be read to be refused; what is not, or wrongly, is counted as it comes.
  const std::string announced = request.get_header_value("Content-Length");
  std::size_t length = 0;
  std::from_chars(announced.data(), announced.data() + announced.size(), length);
  if (length > site::kMaxUpload) throw refusal(413, too_long);
  std::vector<std::byte> body;
  bool is_too_long = false;
  const bool is_whole = content([&](const char* data, std::size_t size) {
    is_too_long = size > site::kMaxUpload - body.size();
    if (is_too_long) return false;
    const auto* begin = reinterpret_cast<const std::byte*>(data);
    body.insert(body.end(), begin, begin + size);
    return true;
  });
  if (is_too_long) throw refusal(413, too_long);
  if (!is_whole) throw refusal(400, "the photo did not arrive whole");
  return body;
}

/// Of what the library refuses by itself.
std::string reason_of(int status) {
  if (status == 404) return "there is no such page";
  if (status == 413 || status == 414) return "it is too large";
  return "the request is malformed";
}

/// Gives the library's connections to threads that are there already.
class given_connections final : public httplib::TaskQueue {
 public:
  explicit given_connections(worker_threads& to) : to_(to) {}
  void enqueue(std::function<void()> answer) override { to_.give(std::move(answer)); }
  void shutdown() override { to_.end(); }

 private:
  worker_threads& to_;
};

class http_server {
 public:
  http_server(site& pages, listen_address address) : pages_(pages), address_(std::move(address)) {
    server_.set_keep_alive_timeout(kIdleSeconds);
    server_.set_payload_max_length(site::kMaxUpload);
    server_.set_tcp_nodelay(true);
    server_.set_default_headers(safe_headers());
    // Without SO_REUSEPORT, which lets two servers have one port and hides that it is taken.
    server_.set_socket_options([this](socket_t socket) {
      listener_ = socket;
      const int yes = 1;
      ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    });
    server_.set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
      return route(request, response) ? httplib::Server::HandlerResponse::Handled
                                      : httplib::Server::HandlerResponse::Unhandled;
    });
    for (const char* path : kPosted)
      server_.Post(path, [this](const httplib::Request& request, httplib::Response& response,
                                const httplib::ContentReader& content) { post(request, response, content); });
    server_.set_error_handler([](const httplib::Request&, httplib::Response& response) {
      if (response.body.empty()) send_reason(response, response.status, reason_of(response.status));
    });
  }

  /// Returns when `stop` is requested.
  void run(const std::stop_token& stop, const std::function<void(const listen_address& bound)>& on_ready) {
    const std::jthread watch = make_thread([&](const std::stop_token& end) { stop_with(stop, end); });
    worker_threads threads(kConnections);
    server_.new_task_queue = [&threads] { return new given_connections(threads); };
    listen_address bound = address_;
    bound.port = bind();
    on_ready(bound);
    if (!server_.listen_after_bind() && !stop.stop_requested())
      throw error("the server at " + url_of(bound) + " failed");
  }

 private:
  /// The port.
  int bind() {
    const bool takes_any = address_.port == 0;
    const int port = takes_any                                            ? server_.bind_to_any_port(address_.host)
                     : server_.bind_to_port(address_.host, address_.port) ? address_.port
                                                                          : 0;
    if (port > 0) {
      // The library lets five connections wait: more at once, and browsers wait for seconds.
      ::listen(listener_, kWaiting);
      return address_.port = port;
    }
    if (takes_any)
      throw error("cannot listen at " + printable_utf8(address_.host) + ": --host names no address of this machine");
    throw error("cannot listen at " + url_of(address_) +
                ": the port is taken, or the address is not of this machine; --port 0 takes a free port");
  }

  /// Stops the server when `stop` is requested, unless `end` is before.
  void stop_with(const std::stop_token& stop, const std::stop_token& end) {
    // The library's stop() has no effect before it listens.
    while (!end.stop_requested() && !(stop.stop_requested() && server_.is_running()))
      std::this_thread::sleep_for(kLookInterval);
    if (end.stop_requested()) return;
    server_.stop();
    // What is being answered may end; what is slow is not waited for.
    const auto patience = std::chrono::steady_clock::now() + kPatience;
    while (!end.stop_requested()) {
      if (std::chrono::steady_clock::now() > patience) server_.end_connections();
      std::this_thread::sleep_for(kLookInterval);
    }
  }

  /// True where the request is answered: all but uploads.
  bool route(const httplib::Request& request, httplib::Response& response) {
    const std::string host = request.get_header_value("Host");
    const std::string origin = request.get_header_value("Origin");
    // Links from elsewhere lead to the first page, whose script does the rest.
    const std::string site = request.get_header_value("Sec-Fetch-Site");
    const bool is_from_elsewhere = (site == "cross-site" || site == "same-site") && request.path != "/";
    for (const char* name : {"Host", "Origin"}) {
      if (request.get_header_value_count(name) < 2) continue;
      send_reason(response, 400, std::string("a request names one ") + name);
      return true;
    }
    if (const auto refused = why_refused({request.method, host, origin, is_from_elsewhere}, address_.host, machine_)) {
      send_reason(response, refused->status, refused->reason);
      return true;
    }
    // Nothing here is long enough to be asked for in parts, and many parts of one photo would be long.
    if (!request.ranges.empty()) {
      send_reason(response, 416, "answers are sent whole: leave out the Range header");
      return true;
    }
    if (request.method == "POST") {
      if (std::ranges::find(kPosted, request.path) != kPosted.end()) return false;
      send_reason(response, 404, reason_of(404));  // now: the library would read whatever follows
      return true;
    }
    if (request.method != "GET" && request.method != "HEAD") {
      send_reason(response, 405, "pages are only read here");
      return true;
    }
    answer(response, [&] { return pages_.get(request.path, parameters_of(request)); });
    return true;
  }

  void post(const httplib::Request& request, httplib::Response& response, const httplib::ContentReader& content) {
    answer(response, [&] {
      if (request.path != kPosted.front()) return pages_.post(request.path, parameters_of(request), {});
      const std::shared_ptr<void> place = uploads_.begin(peer_of(request.remote_addr));
      if (!place) throw refusal(503, "other photos are being searched with; try again");
      return pages_.post(request.path, parameters_of(request), read_body(request, content));
    });
  }

  site& pages_;
  listen_address address_;
  std::string machine_ = name_of_machine();
  socket_t listener_ = -1;
  open_uploads uploads_;
  limited_server server_;
};

}  // namespace

void expect_http_server() {}

void run_http_server(site& pages, const listen_address& address, const std::stop_token& stop,
                     const std::function<void(const listen_address& bound)>& on_ready) {
  http_server(pages, address).run(stop, on_ready);
}

#else

void expect_http_server() {
  throw error(
      "this imgsim was built without cpp-httplib (libcpp-httplib-dev) and cannot serve pages; imgsim query "
      "--report and imgsim cluster write pages as files");
}

void run_http_server(site&, const listen_address&, const std::stop_token&,
                     const std::function<void(const listen_address& bound)>&) {
  expect_http_server();
}

#endif

}  // namespace imgsim::app
