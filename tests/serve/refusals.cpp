// Requests that are hostile or wrong.
#include <algorithm>
#include <set>

#include <boost/test/unit_test.hpp>

#include "serve/served_index.hpp"

using namespace imgsim_test;

BOOST_AUTO_TEST_SUITE(serve_refusals)

namespace {

/// A PNG of one row that claims to be `side` pixels wide and high: its header, whole, and no pixels.
std::string claimed_png(std::uint32_t side) {
  const imgsim::rgb_image dot{.width = 2, .height = 2, .pixels = std::vector<std::uint8_t>(12, 9)};
  const std::vector<std::byte> made = imgsim::encode_png(dot.view());
  std::string png(reinterpret_cast<const char*>(made.data()), made.size());
  for (const std::size_t at : {std::size_t{16}, std::size_t{20}})
    for (std::size_t i = 0; i < 4; ++i) png[at + i] = static_cast<char>(side >> (24 - 8 * i));
  std::uint32_t crc = ~0U;  // of the type and data of the chunk (PNG specification, annex D)
  for (std::size_t i = 12; i < 29; ++i) {
    crc ^= static_cast<std::uint8_t>(png[i]);
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) != 0 ? 0xedb88320U ^ (crc >> 1) : crc >> 1;
  }
  for (std::size_t i = 0; i < 4; ++i) png[29 + i] = static_cast<char>(~crc >> (24 - 8 * i));
  return png;
}

std::set<std::string> files_below(const std::filesystem::path& folder) {
  std::set<std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) files.insert(entry.path().string());
  return files;
}

}  // namespace

BOOST_AUTO_TEST_CASE(no_path_leads_out_of_the_photos) {
  const served_index& server = shared_server();
  const std::string secret = "the words of a secret file";
  write_text(std::filesystem::path(grouped_index().photos()).parent_path() / "secret.txt", secret);
  const auto photos = server.get("/api/photos").json();
  const std::string content = photos.at("contents").at(0);
  for (const std::string path : {"/../secret.txt",
                                 "/photo/../secret.txt",
                                 "/photo/%2e%2e%2fsecret.txt",
                                 "/photo/..%2f..%2fsecret.txt",
                                 "//etc/passwd",
                                 "/photo//etc/passwd",
                                 "/photo/0/../../secret.txt",
                                 "/thumbnail/0.jpg",
                                 "/photo/-1",
                                 "/photo/+0",
                                 "/photo/0x0",
                                 "/photo/ 0",
                                 "/photo/99999999999999999999999",
                                 "/photo/24",
                                 "/photo/0%00",
                                 "/photo/",
                                 "/photo",
                                 "/thumbnail/red/0.png",
                                 "/photo/0/0",
                                 "/serve/assets/app.js",
                                 "/./app.js",
                                 "/app.js/",
                                 "/%2fapp.js",
                                 "/manifest.json",
                                 "/embeddings.npy"}) {
    for (const std::string& query : {std::string(), "?content=" + content}) {
      const http_answer answer = server.get(path + query);
      BOOST_TEST((answer.status == 404 || answer.status == 400), path << query << ": " << answer.status);
      BOOST_TEST(answer.body.find(secret) == std::string::npos);
    }
  }
  // A row with the content of another one: the index was replaced since the page was made.
  BOOST_TEST(server.get("/photo/1?content=" + content).status == 404);
  BOOST_TEST(server.get("/photo/0?content=" + content).status == 200);
}

BOOST_AUTO_TEST_CASE(other_hosts_and_origins_get_nothing) {
  const served_index& server = shared_server();
  BOOST_TEST(server.get("/api/photos", "evil.example").status == 403);
  BOOST_TEST(server.get("/", "evil.example:" + std::to_string(server.port)).status == 403);
  BOOST_TEST(server.get("/api/photos", "evil.example").body.find("red/0.png") == std::string::npos);
  BOOST_TEST(server.get("/api/index", "localhost:" + std::to_string(server.port)).status == 200);
  const std::string photo = read_text(grouped_index().photo("red/0.png"));
  for (const char* origin :
       {"", "Origin: null\r\n", "Origin: http://evil.example\r\n", "Origin: http://127.0.0.1:1\r\n"}) {
    BOOST_TEST(server.post("/api/search", photo, origin).status == 403);
    BOOST_TEST(server.post("/api/duplicates", "", origin).status == 403);
  }
  BOOST_TEST(server.get("/api/duplicates").json().at("state") == "idle");
}

BOOST_AUTO_TEST_CASE(malformed_requests_are_told_as_such) {
  const served_index& server = shared_server();
  const std::string host = "Host: " + server.host() + "\r\n", own = "Origin: http://" + server.host() + "\r\n";
  for (const std::string& headers : {std::string(), std::string("Host: \r\n"), std::string("Host: a b\r\n"),
                                     "Host: " + server.host() + "x\r\n", host + host, host + own + own}) {
    const http_answer answer = server.send("GET /api/index HTTP/1.1\r\n" + headers + "Connection: close\r\n\r\n");
    BOOST_TEST(answer.status == 400, headers);
    BOOST_TEST(answer.json().at("reason").get<std::string>().find("names one") != std::string::npos, answer.body);
  }
  const http_answer no_request = server.send("GET\r\n\r\n");
  BOOST_TEST(no_request.status == 400);
  BOOST_TEST(no_request.json().at("reason") == "the request is malformed");
  BOOST_TEST(server.get("/nothing/here").json().at("reason") == "there is no such page");
  BOOST_TEST(server.get("/" + std::string(9'000, 'x')).status == 414);
}

BOOST_AUTO_TEST_CASE(a_request_within_the_body_of_a_refused_one_is_not_answered) {
  const served_index& server = shared_server();
  const std::string within = "POST /api/choose-k HTTP/1.1\r\nHost: " + server.host() + "\r\nContent-Length: 0\r\n" +
                             server.own_headers() + "\r\n";
  for (const std::string& method : {std::string("POST"), std::string("GET"), std::string("PUT")}) {
    // The server reads 4096 bytes ahead, and forgets what it does not use of them: the rest must come later.
    std::string refused = method + " /api/choose-k HTTP/1.1\r\nHost: " + server.host() +
                          "\r\nOrigin: http://evil.example\r\nContent-Length: 5000\r\n\r\n";
    refused.resize(4096, 'x');
    const connection to(server.port);
    to.send(refused);
    std::this_thread::sleep_for(std::chrono::milliseconds(150));
    to.send(within);
    const http_answer answer = to.read_to_end();
    BOOST_TEST(answer.body.find("HTTP/1.1") == std::string::npos, answer.body);
  }
  BOOST_TEST(server.get("/api/choose-k").json().at("state") == "idle");
}

BOOST_AUTO_TEST_CASE(uploads_are_bounded_whatever_they_claim) {
  const served_index& server = shared_server();
  const std::size_t limit = std::size_t{32} << 20;
  const std::string head =
      "POST /api/search HTTP/1.1\r\nHost: " + server.host() + "\r\nConnection: close\r\n" + server.own_headers();
  {  // by its length
    const connection to(server.port);
    to.send(head + "Content-Length: " + std::to_string(limit + 1) + "\r\n\r\nabc");
    BOOST_TEST(to.read_to_end().status == 413);
  }
  {  // by what comes: chunks without end
    const connection to(server.port);
    to.send(head + "Transfer-Encoding: chunked\r\n\r\n");
    const std::string chunk = "100000\r\n" + std::string(std::size_t{1} << 20, 'x') + "\r\n";
    std::size_t sent = 0;
    while (sent < 8 * limit && to.send(chunk)) sent += chunk.size();
    BOOST_TEST(sent < 2 * limit);
  }
  {  // a little that unpacks to a lot: gzip (RFC 1952) of an empty file, which a server that unpacks would call empty
    const std::string empty("\x1f\x8b\x08\0\0\0\0\0\0\x03\x03\0\0\0\0\0\0\0\0\0", 20);
    const http_answer packed = server.post("/api/search", empty, server.own_headers() + "Content-Encoding: gzip\r\n");
    BOOST_TEST(packed.status == 415);
    BOOST_TEST(packed.json().at("reason").get<std::string>().find("the photo itself") != std::string::npos,
               packed.body);
  }
  BOOST_TEST(server.get("/api/index").status == 200);
}

BOOST_AUTO_TEST_CASE(what_is_no_photo_is_explained_and_nothing_is_stored) {
  const served_index& server = shared_server();
  const std::string photo = read_text(grouped_index().photo("red/0.png"));
  const auto thumbnails = files_below(server.thumbnails());
  const auto index = files_below(grouped_index().index()), photos = files_below(grouped_index().photos());
  const struct {
    std::string body;
    const char* reason;
  } table[] = {{"", "empty"},
               {"<html>", "a web page"},
               {std::string(100, '\xff'), "no JPEG, PNG or WebP"},
               {photo.substr(0, photo.size() / 2), ""},
               {claimed_png(100'000), "too large"}};
  for (const auto& row : table) {
    const http_answer answer = server.post("/api/search", row.body);
    BOOST_TEST(answer.status == 415);
    BOOST_TEST(answer.json().at("reason").get<std::string>().find(row.reason) != std::string::npos, answer.body);
  }
  BOOST_TEST(server.post("/api/search", photo).status == 200);
  BOOST_TEST((files_below(server.thumbnails()) == thumbnails));
  BOOST_TEST((files_below(grouped_index().index()) == index));
  BOOST_TEST((files_below(grouped_index().photos()) == photos));
}

BOOST_AUTO_TEST_CASE(wrong_parameters_are_named) {
  const served_index& server = shared_server();
  const struct {
    const char* query;
    const char* reason;
  } table[] = {{"row=24", "row"},
               {"row=-1", "row"},
               {"row=1e3", "row"},
               {"row=0&n=0", "n:"},
               {"row=0&n=x", "n:"},
               {"row=0&prior=0", "prior"},
               {"row=0&prior=nan", "prior"},
               {"row=0&metric=<b>", "metric <b>"}};
  for (const auto& row : table) {
    const http_answer answer = server.get(std::string("/api/neighbours?") + row.query);
    BOOST_TEST(answer.status == 400, row.query);
    BOOST_TEST(answer.headers.at("content-type") == "application/json");
    BOOST_TEST(answer.json().at("reason").get<std::string>().find(row.reason) != std::string::npos, answer.body);
  }
  BOOST_TEST(server.get("/api/neighbours?row=0&n=1000").json().at("matches").size() == kLabels * kPhotosOfLabel - 1);
}

BOOST_AUTO_TEST_CASE(only_reading_is_served) {
  const served_index& server = shared_server();
  for (const char* method : {"PUT", "DELETE", "PATCH", "OPTIONS"}) {
    const http_answer answer = server.send(std::string(method) + " /photo/0 HTTP/1.1\r\nHost: " + server.host() +
                                           "\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    BOOST_TEST(answer.status == 405, method);
  }
  BOOST_TEST(server.post("/api/photos", "").status == 404);
  BOOST_TEST(server.post("/photo/0", "").status == 404);
}

BOOST_AUTO_TEST_CASE(bytes_that_are_no_request_end_their_connection_alone) {
  const served_index& server = shared_server();
  const std::string junk[] = {"\r\n\r\n",
                              std::string(20'000, 'a'),
                              "GET\r\n\r\n",
                              "GET " + std::string(10'000, 'x') + " HTTP/1.1\r\n\r\n",
                              "GET / HTTP/9.9\r\nHost: a\r\n\r\n",
                              std::string("\0\1\2\3\r\n\r\n", 8)};
  for (const std::string& bytes : junk) BOOST_TEST(server.send(bytes + "\r\n\r\n").status != 200);
  const std::string deep = "/photo/" + std::string(7'000, '1');
  BOOST_TEST(server.get(deep).status != 200);
  BOOST_TEST(server.get("/api/index").status == 200);
}

BOOST_AUTO_TEST_SUITE_END()
