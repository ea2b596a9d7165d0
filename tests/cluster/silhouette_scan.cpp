// The scan for medoid silhouettes on each instruction set, against the loss of a point written down.
#include <algorithm>
#include <cstdint>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <imgsim/core/random.hpp>
#include <imgsim/cpu/cluster/silhouette_scan.hpp>

using namespace imgsim;

BOOST_AUTO_TEST_SUITE(silhouette_scan)

namespace {

/// Multiples of 1 / 8: many ties, and now and then 0.
float some_distance(random_stream& random) {
  return static_cast<float>(random.below(25)) / 8;
}

cpu::silhouette_points some_points(std::size_t size, std::size_t medoids, random_stream& random) {
  cpu::silhouette_points points(size);
  points.clear(medoids);
  for (std::size_t o = 0; o < size; ++o) {
    for (std::uint32_t position = 0; position < medoids; ++position) points.insert(o, position, some_distance(random));
  }
  points.settle_all();
  return points;
}

/// [K] what the loss of all changes by where each medoid is exchanged for the candidate, less its removal's change.
std::vector<std::int64_t> expected_changes(const cpu::silhouette_points& points, std::size_t medoids,
                                           const std::vector<float>& row) {
  std::vector<std::int64_t> changes(medoids, 0);
  for (std::size_t o = 0; o < points.size(); ++o) {
    const float nearest = points.nearest[o], second = points.second[o], third = points.third[o];
    for (std::size_t position = 0; position < medoids; ++position)
      changes[position] +=
          position == points.label[o]          ? silhouette_loss(second, third, row[o]) - points.without_nearest[o]
          : position == points.second_label[o] ? silhouette_loss(nearest, third, row[o]) - points.without_second[o]
                                               : silhouette_loss(nearest, second, row[o]) - points.loss[o];
  }
  return changes;
}

}  // namespace

BOOST_AUTO_TEST_CASE(every_instruction_set_finds_the_same_changes) {
  using cpu::silhouette_scan_body;
  random_stream random(1);
  constexpr float kOdd[] = {-1.0f, -0.0f, 0.0f, 1e-42f, 1e38f};
  for (const std::size_t size : {1, 63, 64, 200, 515})
    for (const std::size_t medoids : {2, 3, 5}) {  // of two, no third is near: all points take part
      const cpu::silhouette_points points = some_points(size, medoids, random);
      for (const float scale : {0.1f, 1.0f, 4.0f}) {  // candidates that nearly all points are near to, and hardly any
        std::vector<float> row(size);
        for (float& value : row) value = random.below(20) == 0 ? kOdd[random.below(5)] : scale * some_distance(random);
        const std::vector<std::int64_t> expected = expected_changes(points, medoids, row);
        for (const simd_level level : kSimdLevels) {
          if (!is_supported(level)) continue;
          std::vector<std::int64_t> tables(silhouette_scan_body::kTables * medoids, 0);
          std::int64_t shared = 0;
          expand(silhouette_scan_body{points, row.data(), medoids, &shared, tables.data()}, level);
          std::vector<std::int64_t> found(medoids, shared);
          for (std::size_t i = 0; i < tables.size(); ++i) found[i % medoids] += tables[i];
          BOOST_TEST(found == expected, boost::test_tools::per_element());
        }
      }
    }
}

BOOST_AUTO_TEST_CASE(losses_are_ratios_in_units) {
  const auto one = static_cast<std::int64_t>(1 / kSilhouetteUnit);
  BOOST_TEST(silhouette_loss(1, 4) == one / 4);
  BOOST_TEST(silhouette_loss(1, 3) == (one + 1) / 3);
  BOOST_TEST(silhouette_loss(2, 3) == (2 * one + 1) / 3);  // rounded up
  BOOST_TEST(silhouette_loss(2, 2) == one);
  BOOST_TEST(silhouette_loss(0, 0) == one);
  BOOST_TEST(silhouette_loss(-1, 2) == 0);
  BOOST_TEST(silhouette_loss(2, std::numeric_limits<float>::infinity()) == 0);
  BOOST_TEST(silhouette_loss(1, 4, 2) == one / 2);
  BOOST_TEST(silhouette_loss(1, 4, 0.5f) == one / 2);
  BOOST_TEST(silhouette_loss(1, 4, 8) == one / 4);
}

BOOST_AUTO_TEST_SUITE_END()
