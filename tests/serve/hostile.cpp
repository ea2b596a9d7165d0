// Requests damaged at random, to the whole server: its library's reading of HTTP, the guard, the pages.
#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "serve/served_index.hpp"
#include "support/damaged.hpp"

using namespace imgsim_test;

BOOST_AUTO_TEST_SUITE(serve_hostile)

namespace {

/// Requests as the pages make them, and of kinds that they do not make.
std::vector<std::string> sound_requests(const served_index& server, const std::string& photo) {
  const std::string host = "Host: " + server.host() + "\r\n";
  const std::string own = host + server.own_headers();
  const auto photos = server.get("/api/photos").json();
  const auto post = [&](const std::string& headers, const std::string& body) {
    return "POST /api/search?n=3&metric=cosine HTTP/1.1\r\n" + own + headers + "\r\n" + body;
  };
  const std::string form =
      "--x\r\nContent-Disposition: form-data; name=\"p\"; filename=\"a.png\"\r\n\r\n" + photo + "\r\n--x--\r\n";
  return {
      "GET /api/neighbours?row=1&n=3&metric=cosine&prior=0.5 HTTP/1.1\r\n" + host + "\r\n",
      "GET " + picture_target(photos, 2, "photo") + " HTTP/1.1\r\n" + host + "Range: bytes=0-99\r\n\r\n",
      "GET " + picture_target(photos, 3, "thumbnail") + " HTTP/1.1\r\n" + host + "Sec-Fetch-Site: none\r\n\r\n",
      "HEAD /app.js HTTP/1.1\r\n" + host + "Accept-Encoding: gzip, br\r\n\r\n",
      post("Content-Length: " + std::to_string(photo.size()) + "\r\n", photo),
      post("Transfer-Encoding: chunked\r\n", "4\r\n" + photo.substr(0, 4) + "\r\n0\r\n\r\n"),
      post("Content-Type: multipart/form-data; boundary=x\r\nContent-Length: " + std::to_string(form.size()) + "\r\n",
           form)};
}

std::string damaged_text(const std::string& text, imgsim::random_stream& random) {
  const auto bytes = imgsim::bytes_of(text);
  const std::vector<std::byte> made = damaged({bytes.begin(), bytes.end()}, random);
  return std::string(imgsim::text_of(made));
}

}  // namespace

BOOST_AUTO_TEST_CASE(damaged_requests_are_answered_or_dropped_and_the_server_goes_on) {
  constexpr std::uint64_t kDamaged = 40;  // of each request
  const served_index server(grouped_index().index());
  const auto before = server.get("/api/neighbours?row=0&n=5").json();
  const std::string photo = read_text(grouped_index().photo("red/0.png"));
  const auto requests = sound_requests(server, photo);
  std::set<int> seen;
  for (std::size_t r = 0; r < requests.size(); ++r) {
    for (std::uint64_t i = 0; i < kDamaged; ++i) {
      imgsim::random_stream random(i, r);
      const std::string request = damaged_text(requests[r], random);
      const connection to(server.port);
      to.send(request);
      to.end_sending();
      const http_answer answer = to.read_to_end();
      seen.insert(answer.status);
      BOOST_TEST_CONTEXT("request " << r << ", damage " << i << ": status " << answer.status) {
        // 500 would be a fault that nobody thought of.
        BOOST_TEST((answer.status == 0 || (answer.status >= 200 && answer.status < 500)));
        if (answer.status == 0) continue;
        BOOST_TEST(answer.headers.contains("content-security-policy"));
        if (request.starts_with("POST ") && request.find("Origin: http://" + server.host() + "\r") == std::string::npos)
          BOOST_TEST(answer.status >= 400);
      }
    }
  }
  BOOST_TEST(seen.contains(200));
  BOOST_TEST(seen.contains(400));
  BOOST_TEST(seen.contains(403));
  BOOST_TEST(server.get("/api/neighbours?row=0&n=5").json() == before);
  BOOST_TEST(server.post("/api/search", photo).status == 200);
}

BOOST_AUTO_TEST_CASE(clients_that_say_nothing_keep_no_other_waiting) {
  const served_index server(grouped_index().index());
  std::vector<std::unique_ptr<connection>> silent;
  for (int i = 0; i < 60; ++i) {
    silent.push_back(std::make_unique<connection>(server.port, "127.0.0.1", "127.0.0." + std::to_string(2 + i % 3)));
    silent.back()->send("GET / HTT");
  }
  const auto begin = std::chrono::steady_clock::now();
  BOOST_TEST(server.get("/api/neighbours?row=0&n=5").status == 200);
  BOOST_TEST(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count() <
             4);  // they are given up later
}

BOOST_AUTO_TEST_SUITE_END()
