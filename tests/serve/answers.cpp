// What the pages ask for is what the commands say of the same index.
#include <set>
#include <thread>

#include <boost/test/unit_test.hpp>

#include <imgsim/image/decode.hpp>
#include <imgsim/report/html_style.hpp>
#include <imgsim/report/number.hpp>

#include "serve/served_index.hpp"

using namespace imgsim_test;

BOOST_AUTO_TEST_SUITE(serve_answers)

namespace {

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

nlohmann::json matches_of_command(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"query", "--index", grouped_index().index(), "--json"});
  return must_run(arguments).json().at("results").at(0).at("matches");
}

}  // namespace

BOOST_AUTO_TEST_CASE(its_address_and_what_it_serves_are_printed) {
  const served_index& server = shared_server();
  BOOST_TEST(server.announced.at("photos") == kLabels * kPhotosOfLabel);
  BOOST_TEST(server.announced.at("index") == grouped_index().index());
  BOOST_TEST(server.announced.at("url") == "http://" + server.host() + "/");
}

BOOST_AUTO_TEST_CASE(pages_are_served_with_headers_that_keep_them_to_themselves) {
  const served_index& server = shared_server();
  const struct {
    const char* path;
    const char* type;
    const char* holds;
  } table[] = {{"/", "text/html; charset=utf-8", "<main"},
               {"/app.js", "text/javascript; charset=utf-8", "import"},
               {"/style.css", "text/css; charset=utf-8", "var(--accent)"},
               {"/colours.css", "text/css; charset=utf-8", imgsim::detail::kPageColours.data()},
               {"/icon.svg", "image/svg+xml", "<svg"}};
  for (const auto& row : table) {
    const http_answer answer = server.get(row.path);
    BOOST_TEST(answer.status == 200);
    BOOST_TEST(answer.headers.at("content-type") == row.type);
    BOOST_TEST(answer.body.find(row.holds) != std::string::npos);
  }
  for (const char* path : {"/", "/api/index", "/nothing/here"}) {
    const http_answer answer = server.get(path);
    const std::string policy = answer.headers.at("content-security-policy");
    BOOST_TEST(policy.starts_with("default-src 'none'"));
    BOOST_TEST(policy.find("unsafe") == std::string::npos);
    BOOST_TEST(answer.headers.at("x-content-type-options") == "nosniff");
    BOOST_TEST(answer.headers.at("referrer-policy") == "no-referrer");
    BOOST_TEST(answer.headers.at("cross-origin-resource-policy") == "same-origin");
  }
}

BOOST_AUTO_TEST_CASE(no_page_loads_anything_from_elsewhere) {
  const served_index& server = shared_server();
  const std::string page = server.get("/").body;
  BOOST_TEST(page.find("//") == std::string::npos);
  BOOST_TEST(page.find("style=") == std::string::npos);
  BOOST_TEST(page.find("onclick") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(neighbours_are_those_of_query) {
  const served_index& server = shared_server();
  for (const std::string metric : {"cosine", "euclidean"}) {
    const auto answer = server.get("/api/neighbours?row=5&n=7&metric=" + metric).json();
    auto matches = answer.at("matches");
    for (auto& match : matches)
      for (const char* more : {"probability", "percent"}) match.erase(more);
    BOOST_TEST(matches == matches_of_command({"--id", "5", "-n", "7", "--metric", metric}));
  }
}

BOOST_AUTO_TEST_CASE(probabilities_are_those_of_query_and_come_as_text_too) {
  auto matches = shared_server().get("/api/neighbours?row=5&n=7&prior=0.01").json().at("matches");
  for (auto& match : matches) {
    BOOST_TEST(match.at("percent") == imgsim::percent_text(match.at("probability").get<double>()));
    match.erase("percent");
  }
  BOOST_TEST(matches == matches_of_command({"--id", "5", "-n", "7", "--probability", "--prior", "0.01"}));
}

BOOST_AUTO_TEST_CASE(a_new_photo_is_answered_as_query_does) {
  const temporary_folder folder;
  const auto photo = folder.path() / "new.png";
  write_photo(photo, 1, 99);
  for (const std::string metric : {"cosine", "euclidean"}) {
    const http_answer answer = shared_server().post("/api/search?n=9&metric=" + metric, read_text(photo));
    BOOST_TEST(answer.status == 200);
    auto matches = answer.json().at("matches");
    for (auto& match : matches)
      for (const char* more : {"probability", "percent"}) match.erase(more);
    BOOST_TEST(matches == matches_of_command({photo.string(), "-n", "9", "--metric", metric}));
  }
  const auto predicted = must_run({"predict", "--index", grouped_index().index(), photo.string(), "--json"}).json();
  const auto answer = shared_server().post("/api/search", read_text(photo)).json();
  BOOST_TEST(answer.at("group").at("group") == predicted.at("results").at(0).at("group"));
}

BOOST_AUTO_TEST_CASE(groups_are_those_of_k_groups_json) {
  const auto stored = nlohmann::json::parse(read_text(grouped_index().groups() + "/k_groups.json"));
  const auto answer = shared_server().get("/api/groups").json();
  for (const char* field : {"k", "method", "metric", "medoids", "clusters"})
    BOOST_TEST(answer.at(field) == stored.at(field));
  const auto photos = shared_server().get("/api/photos").json();
  BOOST_TEST(photos.at("paths") == stored.at("paths"));
  for (std::size_t group = 0; group < 3; ++group)
    for (const std::size_t row : stored.at("clusters").at(group)) BOOST_TEST(photos.at("groups").at(row) == group);
}

BOOST_AUTO_TEST_CASE(a_photo_comes_byte_for_byte_and_its_thumbnail_small) {
  const served_index& server = shared_server();
  const auto photos = server.get("/api/photos").json();
  const std::string name = photos.at("paths").at(3);
  const http_answer whole = server.get(picture_target(photos, 3, "photo"));
  BOOST_TEST(whole.body == read_text(grouped_index().photo(name)));
  BOOST_TEST(whole.headers.at("content-type") == "image/png");
  const http_answer small = server.get(picture_target(photos, 3, "thumbnail"));
  BOOST_TEST(small.headers.at("content-type") == "image/jpeg");
  BOOST_TEST(small.headers.at("cache-control").find("immutable") != std::string::npos);
  BOOST_TEST(imgsim::decode_image(bytes_of(small.body)).width == 40u);  // it is never enlarged
}

BOOST_AUTO_TEST_CASE(many_requests_at_once_are_all_answered) {
  const served_index& server = shared_server();
  const auto photos = server.get("/api/photos").json();
  const std::string photo = read_text(grouped_index().photo(photos.at("paths").at(0)));
  std::atomic<int> failed = 0;
  std::vector<std::thread> clients;
  for (std::size_t c = 0; c < 6; ++c) {
    clients.emplace_back([&, c] {
      for (std::size_t i = 0; i < 15; ++i) {
        const std::size_t row = (c * 15 + i) % photos.at("paths").size();
        failed += server.get("/api/neighbours?row=" + std::to_string(row)).status != 200;
        failed += server.get(picture_target(photos, row, "thumbnail")).status != 200;
        const int status = server.post("/api/search", photo).status;
        failed += status != 200 && status != 503;  // 503: four others are being searched with
      }
    });
  }
  for (std::thread& client : clients) client.join();
  BOOST_TEST(failed == 0);
}

BOOST_AUTO_TEST_SUITE_END()
