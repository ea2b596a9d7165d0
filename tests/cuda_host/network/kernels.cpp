// Sums over all pixels and all values, in sizes that one block and that many share.
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstddef>
#include <vector>

#include <imgsim/core/random.hpp>

#include "cuda_host/network/operations.hpp"

namespace {

using namespace imgsim;
using namespace imgsim_test;

std::vector<float> uniform(std::size_t count, double low, double high, std::uint64_t seed) {
  std::vector<float> values(count);
  random_stream random(seed);
  for (float& value : values) value = static_cast<float>(random.uniform(low, high));
  return values;
}

struct scalar_loss {
  double loss;
  double slope;
};
scalar_loss reference_loss(loss_kind kind, bool after_sigmoid, double value, double t) {
  const double p = after_sigmoid ? 1.0 / (1.0 + std::exp(-value)) : std::min(std::max(value, 1e-7), 1.0 - 1e-7);
  if (kind == loss_kind::binary_cross_entropy) {
    const double loss = -t * std::log(p) - (1.0 - t) * std::log(1.0 - p);
    if (after_sigmoid) return {loss, p - t};
    return {loss, p == value ? (p - t) / (p * (1.0 - p)) : 0.0};
  }
  if (!after_sigmoid) return {(value - t) * (value - t), 2.0 * (value - t)};
  return {(p - t) * (p - t), 2.0 * (p - t) * p * (1.0 - p)};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(cuda_network_kernels)

// One block, several, and more than a warp has lanes; tiles that are full and not, fewer and more channels than a block
// has threads.
BOOST_AUTO_TEST_CASE(channels_are_summed) {
  struct shape {
    std::size_t pixels, channels;
  };
  for (const auto& [pixels, channels] :
       {shape{1, 1}, {7, 3}, {9, 256}, {3, 300}, {200, 300}, {70, 257}, {3000, 16}, {1100, 200}}) {
    const auto gradient = uniform(pixels * channels, -1, 1, 1), out = uniform(pixels * channels, -1, 1, 2);
    for (const float slope : {1.0f, 0.25f}) {
      const auto found = device_bias_gradient(gradient, out, channels, slope);
      BOOST_TEST_CONTEXT(pixels << " pixels of " << channels) {
        for (std::size_t c = 0; c < channels; ++c) {
          double sum = 0, size = 0;
          for (std::size_t p = 0; p < pixels; ++p) {
            const std::size_t i = p * channels + c;
            const float value = out[i] > 0 ? gradient[i] : slope * gradient[i];
            BOOST_TEST_REQUIRE(found.gradient[i] == value);
            sum += static_cast<double>(value);
            size += std::fabs(static_cast<double>(value));
          }
          // Runs of 16 terms in float32, the rest in float64, and one rounding of the sum.
          BOOST_TEST_REQUIRE(std::fabs(static_cast<double>(found.sums[c]) - sum) <= 17 * 0x1p-24 * size);
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(losses_are_summed) {
  for (const std::size_t count : {std::size_t{1}, std::size_t{1023}, std::size_t{20001}})
    for (const loss_kind kind : {loss_kind::binary_cross_entropy, loss_kind::mean_squared_error})
      for (const bool after_sigmoid : {false, true}) {
        auto values = after_sigmoid ? uniform(count, -6, 6, 1) : uniform(count, -0.1, 1.1, 1);
        if (after_sigmoid) values[count / 2] = 120.0f;  // where exp(-x) would be too large or too small
        const auto targets = uniform(count, 0, 1, 2);
        const auto found = device_loss(kind, after_sigmoid, values, targets, 0.5f);
        double sum = 0, size = 0;
        for (std::size_t i = 0; i < count; ++i) {
          if (values[i] == 120.0f) {  // log(1 - p) of the reference is infinite: the loss is z (1 - t)
            const bool entropy = kind == loss_kind::binary_cross_entropy;
            const auto t = static_cast<double>(targets[i]);
            sum += entropy ? 120.0 * (1.0 - t) : (1.0 - t) * (1.0 - t);
            size += entropy ? 120.0 : 1.0;
            continue;
          }
          const auto expected =
              reference_loss(kind, after_sigmoid, static_cast<double>(values[i]), static_cast<double>(targets[i]));
          // expf within 2 ulp (CUDA's table), five more roundings.
          BOOST_TEST_REQUIRE(std::fabs(static_cast<double>(found.gradient[i]) - 0.5 * expected.slope) <=
                             8 * 0x1p-23 * std::max(1.0, std::fabs(expected.slope)));
          sum += expected.loss;
          size += std::max(1.0, expected.loss);
        }
        BOOST_TEST(std::fabs(found.sum - sum) <= 16 * 0x1p-23 * size, count << " values: " << found.sum << ", " << sum);
      }
}

BOOST_AUTO_TEST_SUITE_END()
