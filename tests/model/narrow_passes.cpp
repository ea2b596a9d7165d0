// The hand-written passes of convolutions, at every level this machine has, against plain loops in double.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <imgsim/core/random.hpp>
#include <imgsim/cpu/network/narrow/passes.hpp>

#include "reference/layers.hpp"

namespace {

using namespace imgsim;
using cpu::narrow_passes;

constexpr double kUnit = 0x1p-24;  // the rounding error of one float operation

std::vector<float> random_floats(std::size_t count, std::uint64_t seed) {
  std::vector<float> values(count);
  random_stream random(seed);
  for (float& v : values) v = static_cast<float>(random.uniform(-1, 1));
  return values;
}

std::vector<double> widened(const std::vector<float>& from, bool absolute = false) {
  std::vector<double> to(from.begin(), from.end());
  if (absolute)
    for (double& v : to) v = std::fabs(v);
  return to;
}

struct convolution_case {
  feature_shape fine, coarse;
  std::size_t stride;
};

/// Both sides of a convolution with random values, its kernel and biases.
struct operands {
  static constexpr std::size_t kPhotos = 3;
  convolution_case shape;
  std::vector<float> fine = random_floats(kPhotos * shape.fine.size(), 1);
  std::vector<float> coarse = random_floats(kPhotos * shape.coarse.size(), 2);
  std::vector<float> kernel = random_floats(9 * shape.fine.channels * shape.coarse.channels, 3);
  std::vector<float> fine_bias = random_floats(shape.fine.channels, 4);
  std::vector<float> coarse_bias = random_floats(shape.coarse.channels, 5);

  [[nodiscard]] narrow_passes passes(simd_level level, cpu::element type = cpu::element::float32) const {
    narrow_passes made({{3, 3}, {shape.stride, shape.stride}}, shape.fine, shape.coarse, type, level);
    made.refresh(kernel.data(), coarse_bias.data(), fine_bias.data(), 1);
    return made;
  }

  static reference::image photo(const std::vector<float>& values, const feature_shape& shape, std::size_t index,
                                bool absolute) {
    reference::image image(shape.height, shape.width, shape.channels);
    const std::vector<double> all = widened(values, absolute);
    const auto begin = all.begin() + static_cast<std::ptrdiff_t>(index * shape.size());
    image.values.assign(begin, begin + static_cast<std::ptrdiff_t>(shape.size()));
    return image;
  }
  [[nodiscard]] reference::image to_coarse(std::size_t index, bool absolute) const {
    return reference::convolve(photo(fine, shape.fine, index, absolute), widened(kernel, absolute),
                               widened(coarse_bias, absolute), 3, 3, shape.stride, shape.stride, true);
  }
  [[nodiscard]] reference::image to_fine(std::size_t index, bool absolute) const {
    return reference::convolve_transposed(photo(coarse, shape.coarse, index, absolute), widened(kernel, absolute),
                                          widened(fine_bias, absolute), 3, 3, shape.stride, shape.stride, true);
  }
};

constexpr double kSlope = 0.25;  // a power of two: rounds nothing

/// `computed` [photos, ...] is the rectified image of `expected(photo, false)`. A sum of n products and a bias is off
/// by at most n + 1 units of the sum of the terms' absolute values, in whatever order it is taken.
template <class Expected>
void check_images(const std::vector<float>& computed, std::size_t terms, const Expected& expected) {
  double worst = 0.0;  // of the bound
  const float* value = computed.data();
  for (std::size_t b = 0; b < operands::kPhotos; ++b) {
    const reference::image exact = expected(b, false), scale = expected(b, true);
    for (std::size_t i = 0; i < exact.values.size(); ++i, ++value) {
      const double rectified = exact.values[i] > 0 ? exact.values[i] : kSlope * exact.values[i];
      const double bound = static_cast<double>(terms + 1) * kUnit * scale.values[i];
      worst = std::max(worst, std::fabs(static_cast<double>(*value) - rectified) / bound);
    }
  }
  BOOST_TEST(worst <= 1.0);
  BOOST_TEST(worst > 0.0);
}

/// Sums of a row in float, then of rows: at most width + height units.
void check_gradient(const operands& o, const std::vector<float>& computed) {
  const auto& [fine, coarse, stride] = o.shape;
  const long top = reference::same_padding(fine.height, coarse.height, 3, stride);
  const long left = reference::same_padding(fine.width, coarse.width, 3, stride);
  const std::size_t rows = operands::kPhotos * coarse.height;
  double worst = 0.0;
  for (std::size_t at = 0; at < computed.size(); ++at) {
    const std::size_t c = at % coarse.channels, f = at / coarse.channels % fine.channels;
    const std::size_t column = at / coarse.channels / fine.channels % 3, row = at / coarse.channels / fine.channels / 3;
    double sum = 0.5, scale = 0.5;
    for (std::size_t y = 0; y < rows; ++y)
      for (std::size_t x = 0; x < coarse.width; ++x) {
        const long fine_y = static_cast<long>(y % coarse.height * stride + row) - top;
        const long fine_x = static_cast<long>(x * stride + column) - left;
        if (fine_y < 0 || fine_x < 0 || fine_y >= static_cast<long>(fine.height) ||
            fine_x >= static_cast<long>(fine.width))
          continue;
        const std::size_t of_fine = y / coarse.height * fine.height + static_cast<std::size_t>(fine_y);
        const double product =
            static_cast<double>(o.fine[(of_fine * fine.width + static_cast<std::size_t>(fine_x)) * fine.channels + f]) *
            static_cast<double>(o.coarse[(y * coarse.width + x) * coarse.channels + c]);
        sum += product;
        scale += std::fabs(product);
      }
    const double bound = static_cast<double>(fine.width + operands::kPhotos * fine.height + 2) * kUnit * scale;
    worst = std::max(worst, std::fabs(static_cast<double>(computed[at]) - sum) / bound);
  }
  BOOST_TEST(worst <= 1.0);
  BOOST_TEST(worst > 0.0);
}

template <class F>
void for_each_level(const F& f) {
  for (const simd_level level : kSimdLevels)
    if (is_supported(level)) BOOST_TEST_CONTEXT(name_of(level)) f(level);
}

/// Sides around the tiles of 4 and 8 pixels, one pixel, one row, one column; all counts of groups and padded outputs.
std::vector<convolution_case> stride_1_cases() {
  std::vector<convolution_case> cases;
  for (const auto& [height, width] : {extent_2d{1, 1}, {1, 7}, {6, 1}, {5, 8}, {4, 9}, {7, 16}, {8, 23}})
    for (const std::size_t fine : {1, 3, 4, 5, 8, 12, 16, 24})
      for (const std::size_t coarse : {1, 2, 3, 4, 7, 8, 12, 15})
        cases.push_back({{height, width, fine}, {height, width, coarse}, 1});
  return cases;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(narrow_passes_of_convolutions)

BOOST_AUTO_TEST_CASE(to_the_coarse_side_equals_the_reference) {
  for_each_level([](simd_level level) {
    cpu::onednn_session session(1);
    for (const convolution_case& shape : stride_1_cases()) {
      const operands o{shape};
      const narrow_passes passes = o.passes(level);
      BOOST_REQUIRE(passes.has_to_coarse());
      std::vector<float> out(operands::kPhotos * shape.coarse.size() + 1, 9.0f);
      passes.run_to_coarse(session.workers[0], o.fine.data(), out.data(), operands::kPhotos, kSlope);
      BOOST_TEST(out.back() == 9.0f);  // nothing is written past the end
      check_images(out, 9 * shape.fine.channels,
                   [&](std::size_t b, bool absolute) { return o.to_coarse(b, absolute); });
    }
  });
}

BOOST_AUTO_TEST_CASE(to_the_fine_side_equals_the_reference) {
  for_each_level([](simd_level level) {
    cpu::onednn_session session(1);
    for (const convolution_case& shape : stride_1_cases()) {
      const operands o{shape};
      const narrow_passes passes = o.passes(level);
      BOOST_REQUIRE_EQUAL(passes.has_to_fine(), shape.fine.channels < 16);
      if (!passes.has_to_fine()) continue;
      std::vector<float> out(operands::kPhotos * shape.fine.size() + 1, 9.0f);
      passes.run_to_fine(session.workers[0], o.coarse.data(), out.data(), operands::kPhotos, kSlope);
      BOOST_TEST(out.back() == 9.0f);
      check_images(out, 9 * shape.coarse.channels,
                   [&](std::size_t b, bool absolute) { return o.to_fine(b, absolute); });
    }
  });
}

BOOST_AUTO_TEST_CASE(pooled_on_the_way_equals_pooled_afterwards) {
  for_each_level([](simd_level level) {
    cpu::onednn_session session(1);
    for (const auto& [height, width] : {extent_2d{2, 2}, {4, 6}, {6, 16}, {2, 22}})
      for (const std::size_t fine : {1, 3, 8})
        for (const std::size_t coarse : {4, 8, 16}) {
          const operands o{{{height, width, fine}, {height, width, coarse}, 1}};
          narrow_passes passes({{3, 3}, {1, 1}}, o.shape.fine, o.shape.coarse, cpu::element::float32, level, true);
          passes.refresh(o.kernel.data(), o.coarse_bias.data(), nullptr, 1);
          std::vector<float> whole(operands::kPhotos * o.shape.coarse.size()), pooled(whole.size() / 4 + 1, 9.0f);
          passes.run_to_coarse(session.workers[0], o.fine.data(), whole.data(), operands::kPhotos, kSlope);
          passes.run_pooled_to_coarse(session.workers[0], o.fine.data(), pooled.data(), operands::kPhotos, kSlope);
          BOOST_TEST(pooled.back() == 9.0f);
          const auto at = [&](std::size_t y, std::size_t x, std::size_t c) {
            return whole[(y * width + x) * coarse + c];
          };
          std::size_t wrong = 0;
          for (std::size_t y = 0; y < operands::kPhotos * height / 2; ++y)
            for (std::size_t x = 0; x < width / 2; ++x)
              for (std::size_t c = 0; c < coarse; ++c)
                wrong += pooled[(y * width / 2 + x) * coarse + c] !=
                         std::max({at(2 * y, 2 * x, c), at(2 * y, 2 * x + 1, c), at(2 * y + 1, 2 * x, c),
                                   at(2 * y + 1, 2 * x + 1, c)});
          BOOST_TEST(wrong == 0u);
        }
  });
}

BOOST_AUTO_TEST_CASE(the_kernels_gradient_equals_the_reference) {
  std::vector<convolution_case> cases;
  for (const auto& [height, width] : {extent_2d{1, 1}, {2, 9}, {7, 5}})
    for (const std::size_t fine : {3, 4, 8, 12, 16, 24})
      for (const std::size_t coarse : {3, 4, 8, 12})
        if (std::max(fine, coarse) > 3) cases.push_back({{height, width, fine}, {height, width, coarse}, 1});
  // Padding differs with the parity of the sides.
  for (const auto& [height, width] : {extent_2d{1, 2}, {4, 6}, {5, 9}})
    for (const std::size_t fine : {3, 4, 8, 12})
      for (const std::size_t coarse : {32, 36, 48, 96})
        cases.push_back({{height, width, fine}, {(height + 1) / 2, (width + 1) / 2, coarse}, 2});
  for_each_level([&](simd_level level) {
    cpu::onednn_session session(1);
    for (const convolution_case& shape : cases) {
      const operands o{shape};
      const narrow_passes passes = o.passes(level);
      BOOST_REQUIRE(passes.has_gradient());
      std::vector<float> sum(o.kernel.size(), 0.5f);  // sums are added to
      passes.add_gradient(session.workers[0], o.fine.data(), o.coarse.data(), operands::kPhotos, sum.data());
      check_gradient(o, sum);
    }
  });
}

BOOST_AUTO_TEST_CASE(a_photo_does_not_depend_on_its_place_in_the_batch) {
  for_each_level([](simd_level level) {
    cpu::onednn_session session(1);
    for (const convolution_case& shape : stride_1_cases()) {
      const operands o{shape};
      const narrow_passes passes = o.passes(level);
      std::vector<float> all(operands::kPhotos * shape.coarse.size()), one(shape.coarse.size());
      passes.run_to_coarse(session.workers[0], o.fine.data(), all.data(), operands::kPhotos, kSlope);
      passes.run_to_coarse(session.workers[0], o.fine.data() + 2 * shape.fine.size(), one.data(), 1, kSlope);
      BOOST_TEST(std::equal(one.begin(), one.end(), all.begin() + static_cast<std::ptrdiff_t>(2 * one.size())));
    }
  });
}

BOOST_AUTO_TEST_CASE(oneDNN_keeps_what_it_is_fast_at) {
  const auto passes = [](const convolution_case& shape, cpu::element type = cpu::element::float32) {
    return operands{shape}.passes(simd_level::baseline, type);
  };
  const convolution_case last_layer{{6, 6, 16}, {6, 6, 3}, 1};
  BOOST_TEST(passes(last_layer).has_to_coarse());
  BOOST_TEST(!passes(last_layer).has_to_fine());
  BOOST_TEST(passes(last_layer).has_gradient());
  for (const narrow_passes& none : {passes(last_layer, cpu::element::bfloat16), passes({{6, 6, 32}, {6, 6, 16}, 1}),
                                    passes({{6, 6, 32}, {3, 3, 16}, 2})}) {
    BOOST_TEST(!none.has_to_coarse());
    BOOST_TEST(!none.has_to_fine());
    BOOST_TEST(!none.has_gradient());
  }
}

BOOST_AUTO_TEST_SUITE_END()
