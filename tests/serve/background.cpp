// Work that is begun by a page and watched.
#include <boost/test/unit_test.hpp>

#include "serve/served_index.hpp"

using namespace imgsim_test;

BOOST_AUTO_TEST_SUITE(serve_background)

namespace {

const trained_folder& folder_with_a_copy() {
  static const trained_folder made;
  static const bool done = [] {
    std::filesystem::copy_file(made.photo("red/3.png"), made.photo("blue/copy.png"));
    static_cast<void>(must_run({"index", "--images", made.photos(), "--index", made.index(), "--quiet"}));
    return true;
  }();
  static_cast<void>(done);
  return made;
}

}  // namespace

BOOST_AUTO_TEST_CASE(duplicates_are_those_of_the_command) {
  const served_index server(folder_with_a_copy().index());
  BOOST_TEST(server.get("/api/duplicates").json().at("state") == "idle");
  static_cast<void>(server.post("/api/duplicates", ""));
  const auto state = server.finished("/api/duplicates");
  BOOST_REQUIRE(state.at("state") == "done");
  BOOST_TEST(state.at("version") == server.get("/api/index").json().at("version"));
  const auto expected = must_run({"duplicates", "--index", folder_with_a_copy().index(), "--json"}).json();
  BOOST_TEST(state.at("result").at("groups") == expected.at("groups"));
  BOOST_TEST(state.at("result").at("groups").size() >= 1u);
  // Asked for again it is not done again.
  BOOST_TEST(server.post("/api/duplicates", "").json() == state);
}

BOOST_AUTO_TEST_CASE(the_choice_of_k_is_that_of_the_command) {
  const served_index server(folder_with_a_copy().index());
  static_cast<void>(server.post("/api/choose-k", ""));
  const auto state = server.finished("/api/choose-k");
  BOOST_REQUIRE(state.at("state") == "done");
  BOOST_TEST(state.at("result") == must_run({"choose-k", "--index", folder_with_a_copy().index(), "--json"}).json());
}

BOOST_AUTO_TEST_CASE(the_map_has_a_place_for_every_photo_the_same_on_every_run) {
  nlohmann::json maps[2];
  for (nlohmann::json& map : maps) {
    const served_index server(folder_with_a_copy().index());
    static_cast<void>(server.post("/api/map", ""));
    const auto state = server.finished("/api/map");
    BOOST_REQUIRE(state.at("state") == "done");
    map = state.at("result");
  }
  BOOST_TEST(maps[0] == maps[1]);
  const auto& x = maps[0].at("x");
  const auto& y = maps[0].at("y");
  BOOST_REQUIRE(x.size() == kLabels * kPhotosOfLabel + 1);
  BOOST_REQUIRE(y.size() == x.size());
  double low = 1, high = 0;
  for (std::size_t row = 0; row < x.size(); ++row) {
    for (const double place : {x.at(row).get<double>(), y.at(row).get<double>()})
      BOOST_TEST((place >= 0 && place <= 1));
    low = std::min(low, x.at(row).get<double>());
    high = std::max(high, x.at(row).get<double>());
  }
  BOOST_TEST(low == 0.0);  // it is as wide as it may be
  BOOST_TEST(high == 1.0);
}

BOOST_AUTO_TEST_CASE(work_that_fails_says_why_and_can_be_tried_again) {
  const trained_folder made;
  const served_index server(made.index());
  write_text(made.index() + "/model.safetensors", "no model any more");
  static_cast<void>(server.post("/api/duplicates", ""));
  const auto state = server.finished("/api/duplicates");
  BOOST_TEST(state.at("state") == "failed");
  BOOST_TEST(state.at("reason").get<std::string>().find("model.safetensors") != std::string::npos);
  BOOST_TEST(server.post("/api/duplicates", "").status == 200);
  BOOST_TEST(server.get("/api/index").status == 200);
}

BOOST_AUTO_TEST_SUITE_END()
