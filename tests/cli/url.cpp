// Queries with photos behind URLs, against a small server on this machine.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>

#include <boost/test/unit_test.hpp>

#include "cli/trained_folder.hpp"

using namespace imgsim_test;

#ifdef IMGSIM_WITH_URL

namespace {

/// Answers each request on a free port of 127.0.0.1: /photo with `photo`, /large with more behind it than is read,
/// /moved and /loop with redirects, all else with 404.
class photo_server {
 public:
  explicit photo_server(std::string photo) : photo_(std::move(photo)) {
    listener_ = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(listener_, 8) != 0 ||
        getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
      throw std::runtime_error("no port to listen on");
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  photo_server(const photo_server&) = delete;
  photo_server& operator=(const photo_server&) = delete;
  ~photo_server() {
    stopping_ = true;
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
  }

  [[nodiscard]] std::string url(const std::string& path) const {
    return "http://127.0.0.1:" + std::to_string(port_) + path;
  }
  [[nodiscard]] int requests() const { return requests_; }

 private:
  void serve() {
    while (!stopping_) {
      const int client = accept(listener_, nullptr, nullptr);
      if (client < 0) continue;
      ++requests_;
      char request[4096] = {};
      if (read(client, request, sizeof request - 1) > 0) {
        const std::string answer = answer_to(request);
        static_cast<void>(send(client, answer.data(), answer.size(), MSG_NOSIGNAL));
      }
      close(client);
    }
  }

  [[nodiscard]] std::string answer_to(const std::string& request) const {
    const auto with = [](const std::string& status, const std::string& headers, const std::string& body) {
      return "HTTP/1.1 " + status + "\r\nConnection: close\r\n" + headers +
             "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    };
    if (request.starts_with("GET /photo ")) return with("200 OK", "", photo_);
    if (request.starts_with("GET /page ")) return with("200 OK", "", "<html>");
    if (request.starts_with("GET /moved ")) return with("302 Found", "Location: /photo\r\n", "");
    if (request.starts_with("GET /loop ")) return with("302 Found", "Location: /loop\r\n", "");
    if (request.starts_with("GET /large "))  // its length is not told before
      return "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + photo_ + std::string(std::size_t{64} << 20, 'x');
    if (request.starts_with("GET /file ")) return with("302 Found", "Location: file:///etc/passwd\r\n", "");
    return with("404 Not Found", "", "");
  }

  std::string photo_;
  int listener_ = -1;
  unsigned port_ = 0;
  std::atomic<bool> stopping_ = false;
  std::atomic<int> requests_ = 0;
  std::thread thread_;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(urls)

BOOST_AUTO_TEST_CASE(a_photo_behind_a_url_is_answered_like_the_file) {
  const trained_folder& made = shared_folder();
  const photo_server server(read_text(made.photo("red/0.png")));
  const auto ask = [&](const std::string& photo) {
    return must_run({"query", "--index", made.index(), photo, "--allow-local-urls", "--json"}).json();
  };
  const auto expected = ask(made.photo("red/0.png")).at("results").at(0).at("matches");
  BOOST_TEST(ask(server.url("/photo")).at("results").at(0).at("matches") == expected);
  BOOST_TEST(ask(server.url("/moved")).at("results").at(0).at("matches") == expected);
}

BOOST_AUTO_TEST_CASE(addresses_of_this_machine_are_refused_before_anything_is_sent) {
  const trained_folder& made = shared_folder();
  const photo_server server(read_text(made.photo("red/0.png")));
  const std::string port = server.url("").substr(server.url("").rfind(':'));
  for (const std::string& url :
       {server.url("/photo"), "http://localhost" + port + "/photo", "http://[::ffff:127.0.0.1]" + port + "/photo"}) {
    const auto result = run_imgsim({"query", "--index", made.index(), url});
    BOOST_TEST(result.exit_code == 1);
    BOOST_TEST(result.err.find("--allow-local-urls") != std::string::npos, result.err);
  }
  BOOST_TEST(server.requests() == 0);
}

BOOST_AUTO_TEST_CASE(answers_that_are_no_photo_are_explained) {
  const trained_folder& made = shared_folder();
  const photo_server server("unused");
  const struct {
    const char* path;
    const char* reason;
  } table[] = {{"/missing", "status 404"},
               {"/page", "no JPEG, PNG or WebP"},
               {"/large", "is larger than the limit of 64.0 MiB"},
               {"/loop", "redirects more than 5 times"},
               {"/file", "neither http nor https"}};
  for (const auto& row : table) {
    const auto result = run_imgsim({"query", "--index", made.index(), server.url(row.path), "--allow-local-urls"});
    BOOST_TEST(result.exit_code == 1);
    BOOST_TEST(result.err.starts_with("imgsim query: " + server.url(row.path) + ": "));
    BOOST_TEST(result.err.find(row.reason) != std::string::npos, result.err);
  }
}

BOOST_AUTO_TEST_CASE(a_url_that_is_none_is_told_what_it_has_to_be) {
  for (const char* url : {"http://nosuchhost:-1/", "http://nosuchhost:99999/", "http://[::1"}) {
    const auto result = run_imgsim({"query", "--index", shared_folder().index(), url});
    BOOST_TEST(result.exit_code == 1);
    BOOST_TEST(result.err == "imgsim query: " + std::string(url) +
                                 ": is no URL: expected http(s)://HOST/PATH or http(s)://HOST:PORT/PATH, with a port "
                                 "of 0 to 65535\n");
  }
}

BOOST_AUTO_TEST_SUITE_END()

#endif
