// k_groups.json: what is written comes back, for paths of any bytes; hostile files are refused in one sentence.
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include <imgsim/cluster/groups.hpp>
#include <imgsim/core/path_text.hpp>

using namespace imgsim;

namespace {

groups example() {
  return {
      .method = "k-medoids",
      .metric = "cosine",
      .cost = 1.0 / 3,
      .seed = 18446744073709551615u,
      .medoids = {3, 1},
      .clusters = {{0, 3}, {1, 2}},
      .paths = {"a b.jpg", "caf\xc3\xa9/100%25.png", "caf\xe9.jpg", std::string("\xff\xc3\n\\\"00\xf0\x9f\x90\xb1")}};
}

using json = nlohmann::json;

}  // namespace

BOOST_AUTO_TEST_SUITE(groups_file)

BOOST_AUTO_TEST_CASE(what_is_written_comes_back) {
  const groups written = example();
  const std::string text = to_json(written).dump(1);
  BOOST_TEST((parse_groups(json::parse(text), "k_groups.json") == written));
  const groups none{.method = "k-means", .medoids = {}, .clusters = {}, .paths = {}};
  BOOST_TEST((parse_groups(json::parse(to_json(none).dump()), "k_groups.json") == none));
}

BOOST_AUTO_TEST_CASE(fields_are_those_of_the_design) {
  const auto document = to_json(example());
  std::vector<std::string> names;
  for (const auto& item : document.items()) names.push_back(item.key());
  BOOST_TEST(
      names == (std::vector<std::string>{"k", "method", "metric", "cost", "seed", "medoids", "clusters", "paths"}),
      boost::test_tools::per_element());
  BOOST_TEST(document["k"] == 2);
  BOOST_TEST(document["clusters"].dump() == "[[0,3],[1,2]]");
  BOOST_TEST(document["paths"][1] == "caf\xc3\xa9/100%25.png");
}

groups with_outliers() {
  groups grouping = example();
  grouping.max_distance = 0.5;
  grouping.outlier_distance = 0.25;
  grouping.clusters = {{3}, {1}};
  grouping.outliers = {0, 2};
  return grouping;
}

BOOST_AUTO_TEST_CASE(outliers_are_listed_apart) {
  const json document = json::parse(to_json(with_outliers()).dump());
  BOOST_TEST(document["outliers"].dump() == "[0,2]");
  BOOST_TEST(document["outlier_distance"] == 0.25);
  BOOST_TEST(document["max_distance"] == 0.5);
  BOOST_TEST((parse_groups(document, "k_groups.json") == with_outliers()));
  BOOST_TEST(labels_of(with_outliers()) == (std::vector<std::uint32_t>{kNoGroup, 1, kNoGroup, 0}),
             boost::test_tools::per_element());
  BOOST_TEST((rows_by_label(labels_of(with_outliers()), 2) == with_outliers().clusters));
  const std::vector<std::function<void(json&)>> harms{
      [](json& d) { d["outliers"] = {0}; },  // row 2 is missing
      [](json& d) { d["outliers"] = {0, 2, 2}; },  // twice
      [](json& d) { d["outliers"] = {0, 1, 2}; },  // row 1 is in a cluster
      [](json& d) { d["outliers"] = {0, 2, 4}; },  // row 4 of 4
      [](json& d) { d["outliers"] = {0, -2}; },      [](json& d) { d["outliers"] = "0, 2"; },
      [](json& d) { d.erase("outliers"); },          [](json& d) { d.erase("outlier_distance"); },
      [](json& d) { d["outlier_distance"] = true; }, [](json& d) { d["max_distance"] = "0.5"; },
  };
  for (std::size_t i = 0; i < harms.size(); ++i) {
    json harmed = document;
    harms[i](harmed);
    BOOST_TEST_CONTEXT("harm " << i) {
      BOOST_CHECK_THROW((void)parse_groups(harmed, "k_groups.json"), io_error);
    }
  }
  groups unsorted = with_outliers();
  unsorted.outliers = {2, 0};
  BOOST_CHECK_THROW((void)to_json(unsorted), invalid_argument);
}

BOOST_AUTO_TEST_CASE(labels_and_rows_are_inverse) {
  const groups grouping = example();
  const std::vector<std::uint32_t> labels = labels_of(grouping);
  BOOST_TEST(labels == (std::vector<std::uint32_t>{0, 1, 1, 0}), boost::test_tools::per_element());
  BOOST_TEST((rows_by_label(labels, 2) == grouping.clusters));
  BOOST_TEST(rows_by_label(labels, 4)[3].empty());
  BOOST_CHECK_THROW((void)rows_by_label(labels, 1), invalid_argument);
}

BOOST_AUTO_TEST_CASE(order_of_rows_and_unknown_fields_do_not_matter) {
  json document = to_json(example());
  document["clusters"] = json::parse("[[3,0],[2,1]]");
  document["future"] = 1;
  document.erase("metric");
  groups expected = example();
  expected.metric.clear();
  BOOST_TEST((parse_groups(document, "k_groups.json") == expected));
}

BOOST_AUTO_TEST_CASE(hostile_files_are_refused) {
  const std::vector<std::function<void(json&)>> harms{
      [](json& d) { d = json::array(); },
      [](json& d) { d = nullptr; },
      [](json& d) { d["k"] = 3; },
      [](json& d) { d["k"] = -2; },
      [](json& d) { d["k"] = 2.0; },
      [](json& d) { d["method"] = 1; },
      [](json& d) { d["method"] = ""; },
      [](json& d) { d["metric"] = nullptr; },
      [](json& d) { d["cost"] = "1"; },
      [](json& d) { d["cost"] = nullptr; },
      [](json& d) { d["seed"] = -1; },
      [](json& d) { d["seed"] = 0.5; },
      [](json& d) { d["medoids"] = {3}; },
      [](json& d) { d["medoids"] = {3, 1, 2}; },
      [](json& d) { d["medoids"] = {1, 3}; },  // each in the other's cluster
      [](json& d) { d["medoids"] = {3, -1}; },
      [](json& d) { d["medoids"] = {3, 1.0}; },
      [](json& d) { d["medoids"] = 3; },
      [](json& d) { d["medoids"] = json::parse("[3, 18446744073709551616]"); },
      [](json& d) { d["clusters"] = json::parse("[[0, 3], [1]]"); },        // row 2 is missing
      [](json& d) { d["clusters"] = json::parse("[[0, 3], [1, 2, 0]]"); },  // row 0 twice
      [](json& d) { d["clusters"] = json::parse("[[0, 3, 3], [1, 2]]"); },
      [](json& d) { d["clusters"] = json::parse("[[0, 3], [1, 2, 4]]"); },  // row 4 of 4
      [](json& d) { d["clusters"] = json::parse("[[0, 3], [1, 2, 9223372036854775808]]"); },
      [](json& d) { d["clusters"] = json::parse("[[0, 3], [1, 2], []]"); },
      [](json& d) { d["clusters"] = json::parse("[[0, 3], 1]"); },
      [](json& d) { d["clusters"] = json::parse("[[0, 3], [1, \"2\"]]"); },
      [](json& d) { d["clusters"] = "x"; },
      [](json& d) { d["paths"] = 4; },
      [](json& d) { d["paths"][2] = 4; },
      [](json& d) { d["paths"].push_back("e.jpg"); },
      [](json& d) { d["paths"][0] = std::string("a\0", 2); },
      [](json& d) {
        d["paths"][0] = std::string(
            "a\0"
            "1",
            3);
      },
      [](json& d) {
        d["paths"][0] = std::string(
            "a\0"
            "1G",
            4);
      },
      [](json& d) {
        d["paths"][0] = std::string(
            "a\0"
            "FF",
            4);
      },
  };
  for (std::size_t i = 0; i < harms.size(); ++i) {
    json document = to_json(example());
    harms[i](document);
    BOOST_TEST_INFO("harm " << i << ": " << document.dump(-1, ' ', true));
    BOOST_CHECK_THROW((void)parse_groups(document, "k_groups.json"), io_error);
  }
  for (const char* field : {"k", "method", "cost", "seed", "medoids", "clusters", "paths"}) {
    json document = to_json(example());
    document.erase(field);
    BOOST_CHECK_EXCEPTION((void)parse_groups(document, "k_groups.json"), io_error,
                          [&](const auto& e) { return std::string(e.what()).find(field) != std::string::npos; });
  }
}

BOOST_AUTO_TEST_CASE(broken_groups_are_not_written) {
  groups grouping = example();
  grouping.cost = std::numeric_limits<double>::quiet_NaN();
  BOOST_CHECK_THROW((void)to_json(grouping), invalid_argument);
  grouping = example();
  grouping.clusters[0] = {3, 0};
  BOOST_CHECK_THROW((void)to_json(grouping), invalid_argument);
}

BOOST_AUTO_TEST_CASE(every_path_of_two_bytes_comes_back_and_is_utf8) {
  for (int first = 1; first < 256; ++first) {
    for (int second = 1; second < 256; ++second) {
      const std::string path{static_cast<char>(first), static_cast<char>(second)};
      const std::string text = path_to_text(path);
      BOOST_REQUIRE(path_from_text(text) == path);
      BOOST_REQUIRE_NO_THROW((void)json(text).dump());  // throws for text that is not UTF-8
    }
  }
}

BOOST_AUTO_TEST_CASE(utf8_is_kept_and_what_only_looks_like_it_is_escaped) {
  for (const char* kept :
       {"", "plain", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x90\xb1", "\xed\x9f\xbf", "\xf4\x8f\xbf\xbf"}) {
    BOOST_TEST(path_to_text(kept) == kept);
  }
  for (const char* broken : {"\xc3", "\xc0\xaf", "\xe2\x82", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf8",
                             "\xf0\x9f\x90", "\x80"}) {
    const std::string text = path_to_text(broken);
    BOOST_TEST(text.size() == 3 * std::string(broken).size());
    BOOST_TEST((path_from_text(text) == std::string(broken)));
    BOOST_CHECK_NO_THROW((void)json(text).dump());
  }
  BOOST_TEST(path_to_text("caf\xe9.jpg") == std::string("caf\0e9.jpg", 10));
}

BOOST_AUTO_TEST_SUITE_END()
