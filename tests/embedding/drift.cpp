// Drift: its figure, how seldom it alarms without a reason, and its form in a model.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>

#include <boost/test/unit_test.hpp>

#include <imgsim/core/random.hpp>
#include <imgsim/core/tensor.hpp>
#include <imgsim/embedding/drift.hpp>
#include <support/reason.hpp>

BOOST_AUTO_TEST_SUITE(drift)

namespace {

constexpr std::size_t kDimension = 24;

/// Rows around a centre that lies `shift` away from 0 along the first number; of several kinds, so that they are far
/// from any bell curve.
imgsim::tensor<float, 2> photos(std::size_t count, double shift, std::uint64_t seed) {
  imgsim::tensor<float, 2> rows({count, kDimension});
  imgsim::random_stream random(seed, 5);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t kind = random.below(3);
    for (std::size_t d = 0; d < kDimension; ++d)
      rows(i, d) = static_cast<float>(random.uniform(-1, 1) + (d % 3 == kind ? 1.5 : 0) + (d == 0 ? shift : 0));
  }
  return rows;
}

imgsim::drift_report report_of(double shift, std::uint64_t seed, std::size_t count = 300) {
  const auto reference = imgsim::make_drift_reference(photos(200, 0, seed).view());
  const auto report = imgsim::measure_drift(reference, photos(count, shift, seed + 1'000'000).view());
  BOOST_REQUIRE(report);
  return *report;
}

}  // namespace

BOOST_AUTO_TEST_CASE(photos_of_one_kind_are_told_apart_by_chance_alone) {
  // 1 in 1000 is promised; 3000 samples have more than 9 in one of 1000 tests at that rate, and the seeds are fixed.
  std::size_t passed = 0;
  double sum = 0;
  for (std::uint64_t seed = 0; seed < 3000; ++seed) {
    const imgsim::drift_report report = report_of(0, seed, seed % 2 == 0 ? 20 : 150);
    passed += report.told_apart > report.chance ? 1 : 0;
    sum += report.told_apart;
  }
  BOOST_TEST(passed <= 9u);
  BOOST_TEST(std::abs(sum / 3000 - 0.5) < 0.01);
}

BOOST_AUTO_TEST_CASE(a_shift_is_found_and_grows_with_the_figure) {
  double before = 0.5;
  for (const double shift : {0.5, 1.0, 2.0, 4.0}) {
    const imgsim::drift_report report = report_of(shift, 1);
    BOOST_TEST(report.told_apart > before);
    before = report.told_apart;
  }
  BOOST_TEST(before > 0.95);
  BOOST_TEST(report_of(2.0, 2).drifted());
  BOOST_TEST(!report_of(0.0, 2).drifted());
}

BOOST_AUTO_TEST_CASE(a_sure_but_small_difference_is_no_drift) {
  const imgsim::drift_reference reference = imgsim::make_drift_reference(photos(4000, 0, 1).view());
  const auto report = imgsim::measure_drift(reference, photos(4000, 0.3, 2).view());
  BOOST_TEST(report->told_apart > report->chance);
  BOOST_TEST(report->told_apart < imgsim::kLeastDrift);
  BOOST_TEST(!report->drifted());
}

BOOST_AUTO_TEST_CASE(the_figure_is_that_of_all_pairs) {
  // By its definition, with the same halves, on few enough photos for a loop.
  const auto known = photos(21, 0, 3), asked = photos(24, 0.8, 4);
  const auto reference = imgsim::make_drift_reference(known.view());
  const auto rows = imgsim::make_drift_reference(asked.view()).rows;
  double expected = 0;
  for (const std::size_t half : {0, 1}) {
    std::vector<double> direction(kDimension);
    const auto add_mean = [&](const std::vector<std::int8_t>& of, double sign) {
      double count = 0;
      for (std::size_t i = half; i * kDimension < of.size(); i += 2) ++count;
      for (std::size_t i = half; i * kDimension < of.size(); i += 2)
        for (std::size_t d = 0; d < kDimension; ++d) direction[d] += sign * of[i * kDimension + d] / count;
    };
    add_mean(rows, 1);
    add_mean(reference.rows, -1);
    const auto place = [&](const std::vector<std::int8_t>& of, std::size_t i) {
      double sum = 0;
      for (std::size_t d = 0; d < kDimension; ++d) sum += direction[d] * of[i * kDimension + d];
      return sum;
    };
    double wins = 0, pairs = 0;
    for (std::size_t i = 1 - half; i < 24; i += 2) {
      for (std::size_t j = 1 - half; j < 21; j += 2) {
        wins += place(rows, i) > place(reference.rows, j) ? 1 : 0;
        ++pairs;
      }
    }
    expected += 0.5 * wins / pairs;
  }
  BOOST_TEST(imgsim::measure_drift(reference, asked.view())->told_apart == expected,
             boost::test_tools::tolerance(1e-9));
}

BOOST_AUTO_TEST_CASE(ties_count_half_and_zeros_are_no_direction) {
  const imgsim::tensor<float, 2> zeros({30, 4});
  const auto report = imgsim::measure_drift(imgsim::make_drift_reference(zeros.view()), zeros.view());
  BOOST_TEST(report->told_apart == 0.5);
}

BOOST_AUTO_TEST_CASE(too_few_photos_say_nothing) {
  const auto few = photos(imgsim::kFewestDriftPhotos - 1, 0, 1), enough = photos(imgsim::kFewestDriftPhotos, 0, 2);
  const auto of = [](const auto& rows) { return imgsim::make_drift_reference(rows.view()); };
  BOOST_TEST(!imgsim::measure_drift(of(few), enough.view()).has_value());
  BOOST_TEST(!imgsim::measure_drift(of(enough), few.view()).has_value());
  BOOST_TEST(imgsim::measure_drift(of(enough), enough.view()).has_value());
}

static_assert(imgsim::drift_reference_photos(337) == 256);
static_assert(imgsim::drift_reference_photos(16384) == 64);
static_assert(imgsim::drift_reference_photos(1 << 20) == imgsim::kFewestDriftPhotos);

BOOST_AUTO_TEST_CASE(many_photos_are_compared_evenly) {
  imgsim::tensor<float, 2> rows = photos(3 * imgsim::kMostDriftPhotos, 0, 1);
  for (std::size_t i = 2 * imgsim::kMostDriftPhotos; i < rows.extent(0); ++i) rows(i, 0) += 6;  // the last third
  const auto report = imgsim::measure_drift(imgsim::make_drift_reference(photos(200, 0, 2).view()), rows.view());
  BOOST_TEST(report->photos == imgsim::kMostDriftPhotos);
  BOOST_TEST(std::abs(report->told_apart - (2.0 / 3 * 0.5 + 1.0 / 3)) < 0.06);
}

BOOST_AUTO_TEST_CASE(a_reference_comes_back_and_rows_that_are_no_numbers_are_zeros) {
  auto rows = photos(25, 0, 1);
  rows(3, 2) = std::numeric_limits<float>::quiet_NaN();
  rows(4, 1) = -std::numeric_limits<float>::infinity();
  const auto reference = imgsim::make_drift_reference(rows.view());
  BOOST_TEST(std::all_of(reference.rows.begin() + 3 * kDimension, reference.rows.begin() + 5 * kDimension,
                         [](std::int8_t value) { return value == 0; }));
  const auto again = imgsim::parse_drift_reference(imgsim::to_json(reference).dump());
  BOOST_TEST(again.dimension == reference.dimension);
  BOOST_TEST(again.rows == reference.rows);
}

BOOST_AUTO_TEST_CASE(what_is_no_reference_is_refused) {
  const auto reason = [](const std::string& text) {
    return imgsim_test::complaint_of([&] { static_cast<void>(imgsim::parse_drift_reference(text)); });
  };
  for (const char* text :
       {"", "[]", "{}", R"({"photos":1,"dimension":3,"rows":7})", R"({"photos":-1,"dimension":3,"rows":"AQID"})",
        R"({"photos":1,"dimension":3,"rows":""})", R"({"photos":1,"dimension":3,"rows":"AQI!"})"})
    BOOST_TEST(reason(text).find("damaged") != std::string::npos, text);
  for (const char* text : {R"({"photos":2,"dimension":3,"rows":"AQID"})", R"({"photos":1,"dimension":0,"rows":"AQID"})",
                           R"({"photos":6148914691236517206,"dimension":3,"rows":"AQID"})"})
    BOOST_TEST(reason(text).find("not as many") != std::string::npos, text);
}

BOOST_AUTO_TEST_CASE(embeddings_of_another_dimension_are_refused) {
  const auto reference = imgsim::make_drift_reference(photos(30, 0, 1).view());
  const imgsim::tensor<float, 2> other({30, 3});
  BOOST_CHECK_THROW(static_cast<void>(imgsim::measure_drift(reference, other.view())), imgsim::invalid_argument);
}

BOOST_AUTO_TEST_SUITE_END()
