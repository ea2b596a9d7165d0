// Search by a graph of neighbours: graphs made by hand, damaged ones, and those of hnswlib where it is there.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <imgsim/core/random.hpp>
#include <imgsim/cpu/graph_search.hpp>
#include <imgsim/metric/cosine.hpp>
#include <imgsim/metric/euclidean.hpp>

#ifdef IMGSIM_TEST_HNSW
#include <imgsim/cpu/hnsw.hpp>
#endif

using namespace imgsim;

BOOST_AUTO_TEST_SUITE(neighbour_graphs)

namespace {

/// Points around centres, so that near ones are far from evenly spread.
tensor<float, 2> clustered_rows(std::size_t count, std::size_t depth, std::uint64_t seed) {
  random_stream random(seed);
  tensor<float, 2> centres({20, depth}), rows({count, depth});
  for (float& value : centres) value = static_cast<float>(2 * random.normal());
  for (std::size_t row = 0; row < count; ++row)
    for (std::size_t i = 0; i < depth; ++i) rows(row, i) = centres(row % 20, i) + static_cast<float>(random.normal());
  return rows;
}

/// A ring of points on a circle, each linked to the next and the one before; two lines above, half of the ring apart.
neighbour_graph ring(std::size_t count) {
  neighbour_graph graph{tensor<std::int32_t, 2>({count, 3}), tensor<std::int32_t, 2>({4, 4})};
  const auto number = [](std::size_t value) { return static_cast<std::int32_t>(value); };
  for (std::size_t row = 0; row < count; ++row) {
    graph.links(row, 0) = number((row + 1) % count);
    graph.links(row, 1) = number((row + count - 1) % count);
    graph.links(row, 2) = -1;
  }
  const std::int32_t lines[4][4] = {{0, 1, -1, -1}, {0, -1, 2, -1}, {number(count / 2), -1, 3, 1}, {1, -1, -1, -1}};
  for (std::size_t line = 0; line < 4; ++line) std::ranges::copy(lines[line], graph.layers.view().row(line));
  return graph;
}

tensor<float, 2> circle(std::size_t count) {
  tensor<float, 2> rows({count, 2});
  for (std::size_t row = 0; row < count; ++row) {
    const double angle = 2 * 3.14159265358979 * static_cast<double>(row) / static_cast<double>(count);
    rows(row, 0) = static_cast<float>(std::cos(angle));
    rows(row, 1) = static_cast<float>(std::sin(angle));
  }
  return rows;
}

void check_equal(const top_n_result& found, const top_n_result& expected) {
  BOOST_TEST_REQUIRE(found.rows.extents() == expected.rows.extents());
  BOOST_TEST(std::ranges::equal(found.rows, expected.rows));
  BOOST_TEST(std::ranges::equal(found.similarity, expected.similarity,
                                [](float a, float b) { return a == b || (std::isnan(a) && std::isnan(b)); }));
}

/// The reason of the invalid_argument that a walk throws, or "".
std::string reason_of_walk(const neighbour_graph& graph, const tensor<float, 2>& rows) {
  try {
    static_cast<void>(approximate_top_n(cpu_context(1), rows.view(), graph.view(), rows.view(), cosine{}, {.n = 3}, 8));
  } catch (const invalid_argument& fault) {
    return fault.what();
  }
  return "";
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_walk_along_a_ring_finds_what_is_nearest) {
  const tensor<float, 2> rows = circle(200);
  const neighbour_graph graph = ring(200);
  for (const bool exclude_self : {false, true})
    for (const std::size_t threads : {1, 3}) {
      const cpu_context context(threads);
      const top_n_options options{.n = 5, .exclude_self = exclude_self};
      const approximate_top_n_result walked =
          approximate_top_n(context, rows.view(), graph.view(), rows.view(), euclidean{}, options, 12);
      check_equal(walked.found, top_n(context, rows.view(), rows.view(), euclidean{}, options));
      BOOST_TEST(walked.compared < 200u * 120u);  // from one of two places, half of the ring apart
    }
}

BOOST_AUTO_TEST_CASE(where_a_walk_ends_early_the_answer_is_the_exact_one) {
  const cpu_context context(2);
  tensor<float, 2> rows = circle(60);
  neighbour_graph graph = ring(60);
  for (std::int32_t& link : graph.links)
    if (link == 7) link = -1;  // of row 6 the links end here: nothing leads to row 7 from that side, nor from the other
  const auto query = rows.view().slice(7, 1);
  for (const std::size_t n : {60, 100})
    check_equal(approximate_top_n(context, rows.view(), graph.view(), query, cosine{}, {.n = n}, 4).found,
                top_n(context, rows.view(), query, cosine{}, {.n = n}));
  // Row 7 itself is missed as long as others are enough.
  const auto near = approximate_top_n(context, rows.view(), graph.view(), query, cosine{}, {.n = 3}, 4);
  BOOST_TEST(near.found.rows(0, 0) != 7);
  BOOST_TEST(near.found.similarity(0, 0) < 1);

  rows(20, 0) = std::numeric_limits<float>::quiet_NaN();  // as a query, and as a row
  for (const std::size_t row : {20, 21}) {
    const auto one = rows.view().slice(row, 1);
    check_equal(approximate_top_n(context, rows.view(), ring(60).view(), one, cosine{}, {.n = 60}, 4).found,
                top_n(context, rows.view(), one, cosine{}, {.n = 60}));
  }
  const auto none =
      approximate_top_n(context, rows.view(), ring(60).view(), rows.view().slice(0, 0), cosine{}, {.n = 3}, 4);
  BOOST_TEST(none.found.queries() == 0u);
}

BOOST_AUTO_TEST_CASE(damaged_numbers_are_refused) {
  const tensor<float, 2> rows = circle(50);
  BOOST_TEST(reason_of_walk(ring(50), rows) == "");
  const std::string damaged = "the graph of neighbours is damaged: ";
  for (const std::int32_t wrong :
       {-2, 50, std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max()}) {
    const std::string number = std::to_string(wrong);
    neighbour_graph graph = ring(50);
    graph.links(30, 1) = wrong;
    BOOST_TEST(reason_of_walk(graph, rows) == damaged + "it names row " + number + " of 50");
    graph = ring(50);
    graph.layers(0, 0) = wrong;
    BOOST_TEST(reason_of_walk(graph, rows) == damaged + "it names row " + number + " of 50");
    graph = ring(50);
    graph.layers(1, 2) = wrong;
    BOOST_TEST(reason_of_walk(graph, rows) == damaged + "it names line " + number + " of 4");
    graph = ring(50);
    graph.layers(0, 1) = wrong;
    BOOST_TEST(reason_of_walk(graph, rows) == damaged + "it names line " + number + " of 4");
  }
  neighbour_graph graph = ring(50);
  graph.layers(0, 1) = 0;  // no way down
  BOOST_TEST(reason_of_walk(graph, rows) == damaged + "line 0 leads to line 0");
  graph.layers(0, 1) = 3;
  graph.layers(3, 1) = 2;
  BOOST_TEST(reason_of_walk(graph, rows) == damaged + "line 3 leads to line 2");
  BOOST_TEST(reason_of_walk(ring(49), rows) == "a graph of shapes [49, 3] and [4, 4] is none of 50 rows");
  graph.layers = tensor<std::int32_t, 2>({0, 4});
  BOOST_TEST(reason_of_walk(graph, rows) == "a graph of shapes [50, 3] and [0, 4] is none of 50 rows");
}

BOOST_AUTO_TEST_CASE(recall_counts_the_rows_of_the_exact_answer_and_their_equals) {
  const auto answer = [](std::vector<float> similarity) {
    top_n_result made{tensor<std::int64_t, 2>({2, 2}), tensor<float, 2>({2, 2})};
    std::ranges::copy(similarity, made.similarity.begin());
    return made;
  };
  const top_n_result exact = answer({0.9f, 0.8f, 0.5f, 0.5f});
  BOOST_TEST(recall_of(exact, exact) == 1.0);
  BOOST_TEST(recall_of(answer({0.9f, 0.7f, 0.5f, 0.5f}), exact) == 0.75);
  BOOST_TEST(recall_of(answer({0.8f, 0.7f, 0.4f, 0.4f}), exact) == 0.25);
  BOOST_CHECK_THROW((void)recall_of({tensor<std::int64_t, 2>({1, 2}), tensor<float, 2>({1, 2})}, exact),
                    invalid_argument);
}

#ifdef IMGSIM_TEST_HNSW

BOOST_AUTO_TEST_CASE(graphs_of_hnswlib_find_nearly_all) {
  const tensor<float, 2> rows = clustered_rows(3000, 24, 1);
  const tensor<float, 2> queries = clustered_rows(100, 24, 1);  // the first of the same
  const cpu_context context(2);
  const auto check = [&](auto metric) {
    const neighbour_graph graph = build_hnsw_graph(context, rows.view(), metric, {.links = 8, .candidates = 60});
    BOOST_TEST(graph.links.extents() == (std::array<std::size_t, 2>{3000, 16}), boost::test_tools::per_element());
    BOOST_TEST(graph.layers.extent(0) > 100u);
    const top_n_result exact = top_n(context, rows.view(), queries.view(), metric, {.n = 10});
    double before = 0;
    for (const std::size_t breadth : {10, 40, 160}) {
      const auto walked =
          approximate_top_n(context, rows.view(), graph.view(), queries.view(), metric, {.n = 10}, breadth);
      const double recall = recall_of(walked.found, exact);
      BOOST_TEST(recall >= before);
      before = recall;
      BOOST_TEST(walked.compared < 100u * 1500u);
      // What is found has the very similarity that it has in the exact answer.
      for (std::size_t q = 0; q < 100; ++q)
        for (std::size_t rank = 0; rank < 10; ++rank)
          for (std::size_t other = 0; other < 10; ++other)
            if (walked.found.rows(q, rank) == exact.rows(q, other))
              BOOST_TEST(walked.found.similarity(q, rank) == exact.similarity(q, other));
    }
    BOOST_TEST(before >= 0.99);
  };
  check(cosine{});
  check(euclidean{});
}

BOOST_AUTO_TEST_CASE(one_thread_builds_the_same_graph_every_time) {
  const tensor<float, 2> rows = clustered_rows(500, 8, 2);
  const auto built = [&](std::uint64_t seed) {
    return build_hnsw_graph(cpu_context(1), rows.view(), cosine{}, {.links = 4, .candidates = 20, .seed = seed});
  };
  const neighbour_graph one = built(3);
  BOOST_TEST(std::ranges::equal(one.links, built(3).links));
  BOOST_TEST(std::ranges::equal(one.layers, built(3).layers));
  BOOST_TEST(!std::ranges::equal(one.layers, built(4).layers));
}

BOOST_AUTO_TEST_CASE(few_rows_equal_rows_and_zero_rows) {
  const cpu_context context(2);
  for (const std::size_t count : {1, 2, 3, 40}) {
    tensor<float, 2> rows({count, 3});  // all zero, then all the same
    for (const float value : {0.0f, 0.5f}) {
      std::ranges::fill(rows, value);
      const neighbour_graph graph = build_hnsw_graph(context, rows.view(), cosine{}, {.links = 4, .candidates = 10});
      const auto found = approximate_top_n(context, rows.view(), graph.view(), rows.view(), cosine{},
                                           {.n = 5, .exclude_self = true}, 5);
      const top_n_result exact = top_n(context, rows.view(), rows.view(), cosine{}, {.n = 5, .exclude_self = true});
      BOOST_TEST(std::ranges::equal(found.found.similarity, exact.similarity));
    }
  }
}

BOOST_AUTO_TEST_CASE(building_tells_how_far_it_is_and_can_be_stopped) {
  tensor<float, 2> rows = clustered_rows(1500, 4, 3);
  std::vector<std::size_t> told;
  static_cast<void>(
      build_hnsw_graph(cpu_context(2), rows.view(), euclidean{},
                       {.links = 4, .candidates = 10, .on_progress = [&](std::size_t done, std::size_t total) {
                          BOOST_TEST(total == 1500u);
                          told.push_back(done);
                        }}));
  BOOST_TEST(told == (std::vector<std::size_t>{1025, 1500}), boost::test_tools::per_element());
  std::stop_source stop;
  stop.request_stop();
  BOOST_CHECK_THROW((void)build_hnsw_graph(cpu_context(2), rows.view(), euclidean{}, {.stop = stop.get_token()}),
                    cancelled);
  BOOST_CHECK_THROW((void)build_hnsw_graph(cpu_context(2), rows.view(), euclidean{}, {.links = 1}), invalid_argument);
  BOOST_CHECK_THROW((void)build_hnsw_graph(cpu_context(2), rows.view().slice(0, 0), euclidean{}), invalid_argument);
  rows(7, 1) = std::numeric_limits<float>::infinity();
  BOOST_CHECK_THROW((void)build_hnsw_graph(cpu_context(2), rows.view(), euclidean{}), invalid_argument);
}

#endif

BOOST_AUTO_TEST_SUITE_END()
