// Photo statistics against their float64 definitions, and what each is blind to.
#include <imgsim/image/photo_statistics.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <imgsim/core/random.hpp>
#include <imgsim/core/tensor.hpp>
#include <imgsim/cpu/context.hpp>

#include "../reference/photo_statistics.hpp"

namespace {

using imgsim::photo_statistic;
using imgsim::tensor;
namespace reference = imgsim_test::reference;

/// Blocks of random colours with noise on top, so that every bin, direction and contrast comes up.
tensor<std::uint8_t, 4> photos(std::size_t count, std::size_t height, std::size_t width) {
  tensor<std::uint8_t, 4> out({count, height, width, 3});
  imgsim::random_stream random(height * 1000 + width);
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t c = 0; c < 3; ++c) {
      const double slope = random.normal(), phase = random.normal(), level = static_cast<double>(random.below(256));
      for (std::size_t y = 0; y < height; ++y)
        for (std::size_t x = 0; x < width; ++x) {
          const double wave = std::sin(slope * static_cast<double>(x) + phase * static_cast<double>(y));
          const double noise = y % 8 < 4 ? random.normal() * 12 : 0;
          out(i, y, x, c) = static_cast<std::uint8_t>(std::clamp(level + 90 * wave + noise, 0.0, 255.0));
        }
    }
  }
  return out;
}

/// In the order of photo_statistic.
constexpr std::array kDefinitions{reference::edge_cells, reference::local_patterns, reference::colour_contrast};
static_assert(kDefinitions.size() == imgsim::kPhotoStatistics.size());

std::vector<float> statistic_of(photo_statistic statistic, imgsim::view<const std::uint8_t, 4> photo) {
  tensor<float, 2> out({1, imgsim::entry_of(statistic).width});
  imgsim::compute_statistic(imgsim::cpu_context(1), statistic, photo, out.view());
  return {out.begin(), out.end()};
}

/// The root of a mean of at most `terms` float32 terms of at most `largest` each, summed in float64: each term is off
/// by a few units in the last place (a quotient, a root, an arc tangent and a product), and the root of a number off by
/// e is off by at most sqrt(e).
double tolerance(double largest) {
  return std::sqrt(16.0 * largest * std::numeric_limits<float>::epsilon());
}

}  // namespace

BOOST_AUTO_TEST_SUITE(photo_statistics)

BOOST_AUTO_TEST_CASE(agree_with_their_definitions) {
  const struct {
    std::size_t height, width;
  } sizes[] = {{32, 32}, {64, 48}, {17, 23}, {9, 40}, {1, 5}, {2, 2}, {12, 12}};
  for (const auto& size : sizes) {
    const auto batch = photos(3, size.height, size.width);
    for (std::size_t i = 0; i < 3; ++i) {
      const auto photo = imgsim::photo_at(batch.view(), i);
      for (const imgsim::photo_statistic_entry& entry : imgsim::kPhotoStatistics) {
        BOOST_TEST_CONTEXT(entry.name << " of photo " << i << ", " << size.height << " x " << size.width) {
          const std::vector<double> expected = kDefinitions[static_cast<std::size_t>(entry.statistic)](photo);
          const std::vector<float> found = statistic_of(entry.statistic, batch.view().slice(i, 1));
          BOOST_REQUIRE(found.size() == expected.size());
          double worst = 0;
          for (std::size_t j = 0; j < found.size(); ++j) worst = std::max(worst, std::abs(found[j] - expected[j]));
          BOOST_TEST(worst <= tolerance(1.5));
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(do_not_depend_on_batch_or_threads) {
  const auto batch = photos(9, 24, 24);
  const imgsim::cpu_context three(3);
  for (const imgsim::photo_statistic_entry& entry : imgsim::kPhotoStatistics) {
    tensor<float, 2> all({9, entry.width + 5});  // rows may be strided
    const imgsim::matrix_view<float> columns(all.data() + 2, {9, entry.width}, {entry.width + 5, 1});
    imgsim::compute_statistic(three, entry.statistic, batch.view(), columns);
    for (std::size_t i = 0; i < 9; ++i) {
      const std::vector<float> alone = statistic_of(entry.statistic, batch.view().slice(i, 1));
      BOOST_TEST(std::equal(alone.begin(), alone.end(), columns.row(i)));
      BOOST_TEST(all(i, 0) == 0.0F);
      BOOST_TEST(all(i, entry.width + 4) == 0.0F);
    }
  }
}

BOOST_AUTO_TEST_CASE(each_is_blind_to_what_it_says) {
  // A pattern in the middle of a flat photo, moved by one block of the coarsest scale, and with its channels exchanged.
  const auto pattern = photos(1, 12, 12);
  tensor<std::uint8_t, 4> first({1, 40, 40, 3}), moved({1, 40, 40, 3}), exchanged({1, 40, 40, 3});
  for (auto* photo : {&first, &moved, &exchanged}) std::ranges::fill(*photo, std::uint8_t{90});
  for (std::size_t y = 0; y < 12; ++y)
    for (std::size_t x = 0; x < 12; ++x)
      for (std::size_t c = 0; c < 3; ++c) {
        first(0, 12 + y, 12 + x, c) = pattern(0, y, x, c);
        moved(0, 16 + y, 8 + x, c) = pattern(0, y, x, c);
        exchanged(0, 12 + y, 12 + x, (c + 1) % 3) = pattern(0, y, x, c);
      }
  const auto distance = [&](photo_statistic statistic, const tensor<std::uint8_t, 4>& other) {
    const auto a = statistic_of(statistic, first.view()), b = statistic_of(statistic, other.view());
    double sum = 0;
    for (std::size_t j = 0; j < a.size(); ++j) sum += std::abs(a[j] - b[j]);
    return sum;
  };
  BOOST_TEST(distance(photo_statistic::colour, moved) == 0.0);
  BOOST_TEST(distance(photo_statistic::texture, moved) == 0.0);
  BOOST_TEST(distance(photo_statistic::edges, moved) > 1.0);
  BOOST_TEST(distance(photo_statistic::edges, exchanged) <= 1e-4);
  BOOST_TEST(distance(photo_statistic::colour, exchanged) > 0.5);
}

BOOST_AUTO_TEST_CASE(a_flat_photo_has_one_colour_one_pattern_and_no_edge) {
  tensor<std::uint8_t, 4> flat({1, 16, 16, 3});
  std::ranges::fill(flat, std::uint8_t{200});
  for (const float edge : statistic_of(photo_statistic::edges, flat.view())) BOOST_TEST(edge == 0.0F);
  const auto colour = statistic_of(photo_statistic::colour, flat.view());
  BOOST_TEST(colour[((4 * 6 + 4) * 6 + 4) * 3] == 1.0F);
  const auto texture = statistic_of(photo_statistic::texture, flat.view());
  BOOST_TEST(texture[0] == 1.0F);
  BOOST_TEST(std::ranges::count(texture, 0.0F) == static_cast<std::ptrdiff_t>(texture.size()) - 3);
}

BOOST_AUTO_TEST_CASE(shapes_that_do_not_fit_are_refused) {
  const imgsim::cpu_context cpu(1);
  tensor<float, 2> out({1, imgsim::kColourFeatures});
  const tensor<std::uint8_t, 4> grey({1, 8, 8, 1}), two({2, 8, 8, 3});
  BOOST_CHECK_THROW(imgsim::compute_statistic(cpu, photo_statistic::colour, grey.view(), out.view()),
                    imgsim::invalid_argument);
  BOOST_CHECK_THROW(imgsim::compute_statistic(cpu, photo_statistic::colour, two.view(), out.view()),
                    imgsim::invalid_argument);
  BOOST_CHECK_THROW(imgsim::compute_statistic(cpu, photo_statistic::edges, two.view().slice(0, 1), out.view()),
                    imgsim::invalid_argument);
}

BOOST_AUTO_TEST_SUITE_END()
