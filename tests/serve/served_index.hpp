// imgsim serve, running on a free port, and a client that sends any bytes.
#pragma once

#include <netdb.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <map>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include <imgsim/core/ascii.hpp>

#include "cli/trained_folder.hpp"
#include "support/run_command.hpp"
#include "support/temporary_folder.hpp"

namespace imgsim_test {

struct http_answer {
  int status = 0;                              // 0: the connection ended without one
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;

  [[nodiscard]] nlohmann::json json() const {
    BOOST_REQUIRE_MESSAGE(nlohmann::json::accept(body), "status " << status << ", no JSON: " << body.substr(0, 200));
    return nlohmann::json::parse(body);
  }
};

[[nodiscard]] inline http_answer parse_answer(const std::string& text) {
  http_answer answer;
  const std::size_t end = text.find("\r\n\r\n");
  if (!text.starts_with("HTTP/1.1 ") || end == std::string::npos) return answer;
  answer.status = std::stoi(text.substr(9, 3));
  for (std::size_t at = text.find("\r\n") + 2; at < end + 2;) {
    const std::size_t stop = text.find("\r\n", at), colon = text.find(": ", at);
    answer.headers[imgsim::lower_case(text.substr(at, colon - at))] = text.substr(colon + 2, stop - colon - 2);
    at = stop + 2;
  }
  answer.body = text.substr(end + 4);
  return answer;
}

/// A connection to an address of this machine; waits 20 s at most for bytes.
class connection {
 public:
  /// `from`: an address of this machine (all of 127.0.0.0/8 are) to the server another machine than those of others.
  explicit connection(int port, const std::string& host = "127.0.0.1", const std::string& from = {}) {
    const addresses to(host, std::to_string(port));
    socket_ = ::socket(to.first->ai_family, SOCK_STREAM, 0);
    const timeval patience{.tv_sec = 20, .tv_usec = 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (!from.empty()) {
      const addresses own(from, "0");
      if (::bind(socket_, own.first->ai_addr, own.first->ai_addrlen) != 0)
        throw std::runtime_error("not here: " + from);
    }
    if (::connect(socket_, to.first->ai_addr, to.first->ai_addrlen) != 0)
      throw std::runtime_error("cannot connect to " + host + ", port " + std::to_string(port));
  }
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;
  ~connection() { ::close(socket_); }

  /// False where the other side takes no more.
  bool send(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  /// What was sent is all: the other side need not wait for more.
  void end_sending() const { ::shutdown(socket_, SHUT_WR); }
  [[nodiscard]] http_answer read_to_end() const {
    std::string text;
    char block[1 << 16];
    for (ssize_t n = 0; (n = ::recv(socket_, block, sizeof block, 0)) > 0;)
      text.append(block, static_cast<std::size_t>(n));
    return parse_answer(text);
  }
  /// Once something has come.
  void wait_for_bytes() const {
    char byte = 0;
    BOOST_TEST(::recv(socket_, &byte, 1, MSG_PEEK) == 1);
  }
  /// Whether something has come, or the other side has ended it.
  [[nodiscard]] bool has_answer() const {
    char byte = 0;
    return ::recv(socket_, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0;
  }

 private:
  struct addresses {
    addresses(const std::string& host, const std::string& port) {
      addrinfo hints{};
      hints.ai_flags = AI_NUMERICHOST;
      hints.ai_socktype = SOCK_STREAM;
      if (::getaddrinfo(host.c_str(), port.c_str(), &hints, &first) != 0)
        throw std::runtime_error("no address: " + host);
    }
    addresses(const addresses&) = delete;
    addresses& operator=(const addresses&) = delete;
    ~addresses() { ::freeaddrinfo(first); }
    addrinfo* first = nullptr;
  };

  int socket_ = -1;
};

/// The command under way; killed at the end where it has not been stopped.
class served_index {
 public:
  explicit served_index(const std::string& index, std::vector<std::string> more = {}) {
    std::vector<std::string> arguments{"serve", "--index", index, "--port", "0", "--json", "--device", "cpu"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    if (std::ranges::find(more, "--thumbnails") == more.end())
      arguments.insert(arguments.end(), {"--thumbnails", thumbnails()});
    process_.start(arguments, folder_.path() / "out", folder_.path() / "err");
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!nlohmann::json::accept(read_text(folder_.path() / "out"))) {
      if (std::chrono::steady_clock::now() > end || !process_.is_running())
        throw std::runtime_error("imgsim serve did not begin: " + errors());
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    announced = nlohmann::json::parse(read_text(folder_.path() / "out"));
    const auto url = announced.at("url").get<std::string>();
    port = std::stoi(url.substr(url.rfind(':') + 1));
  }
  served_index(const served_index&) = delete;
  served_index& operator=(const served_index&) = delete;

  [[nodiscard]] std::string host() const { return "127.0.0.1:" + std::to_string(port); }
  [[nodiscard]] std::string thumbnails() const { return (folder_.path() / "thumbnails").string(); }
  [[nodiscard]] std::string errors() const { return read_text(folder_.path() / "err"); }

  /// `request` as it is.
  [[nodiscard]] http_answer send(const std::string& request) const {
    const connection to(port);
    to.send(request);
    return to.read_to_end();
  }
  [[nodiscard]] http_answer get(const std::string& target, const std::string& host_header = {}) const {
    return send("GET " + target + " HTTP/1.1\r\nHost: " + (host_header.empty() ? host() : host_header) +
                "\r\nConnection: close\r\n\r\n");
  }
  [[nodiscard]] http_answer post(const std::string& target, const std::string& body, const std::string& headers) const {
    return send("POST " + target + " HTTP/1.1\r\nHost: " + host() + "\r\nConnection: close\r\nContent-Length: " +
                std::to_string(body.size()) + "\r\n" + headers + "\r\n" + body);
  }
  /// As the server's own pages do.
  [[nodiscard]] http_answer post(const std::string& target, const std::string& body) const {
    return post(target, body, own_headers());
  }
  [[nodiscard]] std::string own_headers() const {
    return "Origin: http://" + host() + "\r\nContent-Type: application/octet-stream\r\n";
  }

  /// Polls until the work at `path` is no longer under way.
  [[nodiscard]] nlohmann::json finished(const std::string& path) const {
    for (int i = 0; i < 1200; ++i) {
      nlohmann::json state = get(path).json();
      if (state.at("state") != "running") return state;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    throw std::runtime_error(path + " does not end");
  }

  void interrupt() const { process_.signal(SIGINT); }
  /// The exit code.
  [[nodiscard]] int wait() { return process_.wait(); }

  int port = 0;
  nlohmann::json announced;

 private:
  temporary_folder folder_;
  running_imgsim process_;  // ends also where the constructor throws
};

/// The address of a row's thumbnail or photo.
[[nodiscard]] inline std::string picture_target(const nlohmann::json& photos, std::size_t row,
                                                const std::string& kind) {
  return "/" + kind + "/" + std::to_string(row) + "?content=" + photos.at("contents").at(row).get<std::string>();
}

/// An index with three groups, for tests that leave it as it is.
struct grouped_folder : trained_folder {
  grouped_folder() {
    static_cast<void>(must_run({"cluster", "--index", index(), "-k", "3", "--out", groups(), "--quiet"}));
  }
  [[nodiscard]] std::string groups() const { return index() + ".groups"; }
};

[[nodiscard]] inline const grouped_folder& grouped_index() {
  static const grouped_folder folder;
  return folder;
}
/// Served once for all of them.
[[nodiscard]] inline const served_index& shared_server() {
  static const served_index server(grouped_index().index());
  return server;
}

}  // namespace imgsim_test
