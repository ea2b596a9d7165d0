// The metrics' own formulas, and their registry.
#include <cmath>
#include <cstddef>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <imgsim/cpu/search.hpp>
#include <imgsim/metric/registry.hpp>

#include "search/search_paths.hpp"

using namespace imgsim_test;

BOOST_AUTO_TEST_SUITE(metric)

BOOST_AUTO_TEST_CASE(names_find_their_types) {
  std::vector<std::string> names;
  for (const std::string_view name : imgsim::metric_names)
    names.push_back(imgsim::visit_metric(name, [&](auto metric) {
      BOOST_TEST(decltype(metric)::name == name);
      return std::string(decltype(metric)::name);
    }));
  BOOST_TEST(names == (std::vector<std::string>{"cosine", "euclidean"}), boost::test_tools::per_element());
  BOOST_TEST(imgsim::visit_metric("euclidean",
                                  [](auto metric) { return std::is_same_v<decltype(metric), imgsim::euclidean>; }));
}

BOOST_AUTO_TEST_CASE(an_unknown_name_is_answered_with_the_known_ones) {
  BOOST_CHECK_EXCEPTION(
      imgsim::visit_metric("hamming", [](auto) {}), imgsim::invalid_argument, [](const imgsim::invalid_argument& e) {
        const std::string text = e.what();
        return text.find("hamming") != std::string::npos && text.find("cosine, euclidean") != std::string::npos;
      });
}

BOOST_AUTO_TEST_CASE(a_user_s_metric_takes_the_canonical_path) {
  static_assert(imgsim::metric<manhattan>);
  static_assert(!imgsim::cosine_form_metric<manhattan>);
  static_assert(imgsim::cosine_form_metric<imgsim::cosine>);
  static_assert(imgsim::cosine_form_metric<imgsim::euclidean>);
}

BOOST_AUTO_TEST_CASE(cosine_values) {
  using imgsim::cosine;
  BOOST_TEST(cosine::finish(3, 9, 1) == 1);
  BOOST_TEST(cosine::finish(-3, 9, 1) == -1);
  BOOST_TEST(cosine::finish(0, 0, 4) == 0);
  BOOST_TEST(cosine::finish(0, 0, 0) == 0);
  BOOST_TEST(cosine::finish(std::nextafter(2.0, 3.0), 4, 1) ==
             1);  // never above 1, so that distances are never below 0
  BOOST_TEST(cosine::distance(0.25) == 0.75);
  for (const double norm : {0.1, 3.3, 1e77, 1e-89}) BOOST_TEST(cosine::finish(norm, norm, norm) == 1);
}

BOOST_AUTO_TEST_CASE(euclidean_values) {
  using imgsim::euclidean;
  BOOST_TEST(euclidean::similarity(euclidean::finish(25, 1, 1)) == -5);
  BOOST_TEST(euclidean::distance(euclidean::finish(25, 1, 1)) == 5);
  BOOST_TEST(!std::signbit(euclidean::similarity(euclidean::finish(0, 1, 1))));
  BOOST_TEST(!std::signbit(euclidean::distance(euclidean::finish(0, 1, 1))));
}

/// The bounds that let a backend rule rows out must hold the canonical key, for each metric, on hard rows too.
BOOST_AUTO_TEST_CASE(bounds_hold_the_canonical_key) {
  const std::size_t depth = 300;
  float_matrix rows = random_matrix(96, depth, 3);
  for (std::size_t r = 0; r < 96; ++r)
    for (std::size_t i = 0; i < depth; ++i) {
      if (r % 3 == 0) rows(r, i) = rows(0, i) + 1e-6f * rows(r, i);
      if (r % 3 == 1) rows(r, i) *= std::pow(10.0f, static_cast<float>(r % 60) - 30);
    }
  const auto check_rows = [&]<class Rows>(Rows, imgsim::cpu::simd_level level) {
    const auto view = std::as_const(rows).view();
    const imgsim::cpu::key_bounds bounds(Rows::product_error(depth), depth);
    const auto packed = Rows::pack(imgsim::cpu_context(1), view, Rows::make_frame(view), level);
    float_matrix products({imgsim::cpu::kTileRows, imgsim::cpu::kTileRows});
    Rows::multiply(packed, 0, 96, packed, 0, 2, {.level = level}, products.data());
    const auto check = [&](auto metric) {
      using Metric = decltype(metric);
      for (std::size_t i = 0; i < 96; ++i)
        for (std::size_t j = 0; j < 96; ++j) {
          const auto found = bounds.candidate_for<Metric>(products(i, j), packed.norms[i], packed.norms[j],
                                                          error_of(packed, i), error_of(packed, j), j);
          const double key =
              canonical_reference_key(Metric::name, {rows.view().row(i), depth}, {rows.view().row(j), depth});
          BOOST_TEST_REQUIRE(found.low <= key);
          BOOST_TEST_REQUIRE(key <= found.high);
        }
    };
    check(imgsim::cosine{});
    check(imgsim::euclidean{});
  };
  for (const auto level : imgsim::cpu::kSimdLevels) {
    if (!imgsim::cpu::is_supported(level)) continue;
    check_rows(imgsim::cpu::packed_rows{}, level);
    check_rows(imgsim::cpu::byte_rows{}, level);
  }
}

BOOST_AUTO_TEST_SUITE_END()
