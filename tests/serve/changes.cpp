// Photos and an index that change, or are not what they should be, while they are served.
#include <algorithm>
#include <filesystem>

#include <boost/test/unit_test.hpp>

#include "serve/served_index.hpp"

using namespace imgsim_test;

BOOST_AUTO_TEST_SUITE(serve_changes)

namespace {

std::size_t row_of(const nlohmann::json& photos, const std::string& path) {
  const auto& paths = photos.at("paths");
  const auto found = std::find(paths.begin(), paths.end(), path);
  BOOST_REQUIRE((found != paths.end()));
  return static_cast<std::size_t>(found - paths.begin());
}

void index_again(const trained_folder& made) {
  static_cast<void>(must_run({"index", "--images", made.photos(), "--index", made.index(), "--quiet"}));
}

/// Until the served index has as many photos.
nlohmann::json photos_when(const served_index& server, std::size_t count) {
  for (int i = 0; i < 200; ++i) {
    auto photos = server.get("/api/photos").json();
    if (photos.at("paths").size() == count) return photos;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  throw std::runtime_error("the served index does not follow the one on disk");
}

}  // namespace

BOOST_AUTO_TEST_CASE(photos_that_are_gone_damaged_or_others_are_told_and_harm_nothing) {
  const trained_folder made;
  write_text(made.photo("secret.txt"), "the words of a secret file");
  const served_index server(made.index(),
                            {"--thumbnails", "/dev/null/nowhere"});  // none is made before it is asked for
  const auto photos = server.get("/api/photos").json();
  std::filesystem::remove(made.photo("red/0.png"));
  write_text(made.photo("red/1.png"), read_text(made.photo("red/1.png")).substr(0, 100));
  std::filesystem::remove(made.photo("red/2.png"));
  std::filesystem::create_symlink(made.photo("secret.txt"), made.photo("red/2.png"));
  std::filesystem::copy_file(made.photo("blue/0.png"), made.photo("red/3.png"),
                             std::filesystem::copy_options::overwrite_existing);
  std::filesystem::remove(made.photo("red/4.png"));
  std::filesystem::create_directory(made.photo("red/4.png"));
  const struct {
    const char* path;
    const char* reason;
  } table[] = {{"red/0.png", ""},
               {"red/1.png", "changed since"},
               {"red/2.png", "changed since"},
               {"red/3.png", "changed since"},
               {"red/4.png", ""}};
  for (const auto& row : table) {
    for (const char* kind : {"thumbnail", "photo"}) {
      const http_answer answer = server.get(picture_target(photos, row_of(photos, row.path), kind));
      BOOST_TEST(answer.status == 404, row.path);
      BOOST_TEST(answer.json().at("reason").get<std::string>().find(row.reason) != std::string::npos, answer.body);
      BOOST_TEST(answer.body.find("secret file") == std::string::npos);
    }
    BOOST_TEST(server.get("/api/neighbours?row=" + std::to_string(row_of(photos, row.path))).status == 200);
  }
  BOOST_TEST(server.get(picture_target(photos, row_of(photos, "red/5.png"), "photo")).status == 200);
}

BOOST_AUTO_TEST_CASE(a_replaced_index_is_read_again) {
  const trained_folder made;
  const served_index server(made.index());
  const auto before = server.get("/api/photos").json();
  write_photo(made.photo("aaa.png"), 0, 77);
  index_again(made);
  const auto after = photos_when(server, before.at("paths").size() + 1);
  BOOST_TEST(after.at("version") != before.at("version"));
  BOOST_TEST(after.at("paths").at(0) == "aaa.png");
  BOOST_TEST(server.get("/api/neighbours?row=0").json().at("version") == after.at("version"));
  // Row 0 is another photo now: a page of before does not get its picture under the old name.
  BOOST_TEST(server.get(picture_target(before, 0, "photo")).status == 404);
  BOOST_TEST(server.get(picture_target(after, 0, "photo")).body == read_text(made.photo("aaa.png")));
}

BOOST_AUTO_TEST_CASE(an_index_that_breaks_is_shown_as_it_was) {
  const trained_folder made;
  const served_index server(made.index());
  const auto before = server.get("/api/photos").json();
  write_text(made.index() + "/manifest.json.new", "{}");
  std::filesystem::rename(made.index() + "/manifest.json.new", made.index() + "/manifest.json");
  for (int i = 0; i < 100 && server.get("/api/index").json().at("faults").empty(); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  const auto info = server.get("/api/index").json();
  BOOST_REQUIRE(info.at("faults").size() == 1u);
  BOOST_TEST(info.at("faults").at(0).get<std::string>().find("earlier version") != std::string::npos);
  BOOST_TEST(server.get("/api/photos").json() == before);
  BOOST_TEST(server.get("/api/neighbours?row=0").status == 200);
}

BOOST_AUTO_TEST_CASE(an_index_that_is_gone_is_shown_as_it_was_until_it_is_back) {
  const trained_folder made;
  const served_index server(made.index());
  const auto before = server.get("/api/photos").json();
  const auto wait_for = [&](std::size_t faults) {
    for (int i = 0; i < 100 && server.get("/api/index").json().at("faults").size() != faults; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    return server.get("/api/index").json().at("faults");
  };
  std::filesystem::rename(made.index(), made.index() + "-elsewhere");
  BOOST_TEST(wait_for(1) == nlohmann::json{"The index is gone; its earlier version is shown."});
  BOOST_TEST(server.get("/api/photos").json() == before);
  std::filesystem::rename(made.index() + "-elsewhere", made.index());
  BOOST_TEST(wait_for(0).empty());
}

BOOST_AUTO_TEST_CASE(names_of_any_bytes_arrive_as_text) {
  const trained_folder made;
  const std::string evil = "<img src=x onerror=alert(1)>.png", bytes = "caf\xe9.png", quotes = "\"'`&\n.png";
  for (const std::string& name : {evil, bytes, quotes}) write_photo(made.photo(name), 2, name.size());
  index_again(made);
  const served_index server(made.index());
  const auto photos = server.get("/api/photos").json();
  for (const std::string& shown : {evil, std::string("caf\0e9.png", 10), quotes}) {
    const std::size_t row = row_of(photos, shown);
    BOOST_TEST(server.get(picture_target(photos, row, "photo")).status == 200);
    BOOST_TEST(server.get(picture_target(photos, row, "thumbnail")).status == 200);
    BOOST_TEST(server.get("/api/neighbours?row=" + std::to_string(row)).json().at("query") == shown);
  }
}

BOOST_AUTO_TEST_CASE(a_damaged_model_or_damaged_groups_leave_the_rest) {
  const grouped_folder made;
  write_text(made.index() + "/model.safetensors", "no model");
  write_text(made.index() + "/k_groups.json", "{");
  const served_index server(made.index());
  const auto info = server.get("/api/index").json();
  BOOST_TEST(info.at("faults").size() == 2u);
  BOOST_TEST(info.at("searches_new_photos") == false);
  BOOST_TEST(info.at("groups").is_null());
  BOOST_TEST(server.get("/api/neighbours?row=1").status == 200);
  BOOST_TEST(server.get("/api/groups").json().at("k") == 0);
  BOOST_TEST(server.post("/api/search", read_text(made.photo("red/0.png"))).status == 409);
}

BOOST_AUTO_TEST_SUITE_END()
