// A photo's features are the photo's alone: whatever else is in its batch, they are the same bytes.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <limits>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "model/network_support.hpp"

namespace {

using namespace imgsim;
using namespace imgsim_test;

constexpr std::array<std::size_t, 5> kBatches{1, 8, 9, 64, 65};

/// Rows of `together` that differ from those of `alone` in any bit.
std::size_t rows_that_differ(matrix_view<const float> together, matrix_view<const float> alone) {
  std::size_t differ = 0;
  for (std::size_t i = 0; i < together.extent(0); ++i)
    differ += std::memcmp(together.row(i), alone.row(i), together.extent(1) * sizeof(float)) != 0 ? 1 : 0;
  return differ;
}

void encodes_alike_in_every_batch(const architecture& description, precision arithmetic) {
  const cpu_context cpu(2);
  network net(cpu, description, arithmetic, 3);
  randomise(net, 5);
  const std::size_t most = std::ranges::max(kBatches);
  const auto photos = waves(most, 21, description.height);
  tensor<float, 2> alone({most, net.feature_size()}), together({most, net.feature_size()});
  for (std::size_t i = 0; i < most; ++i) net.encode(constant(photos).slice(i, 1), alone.view().slice(i, 1));
  for (const std::size_t batch : kBatches) {
    net.encode(constant(photos).slice(0, batch), together.view().slice(0, batch));
    BOOST_TEST(rows_that_differ(together.view().slice(0, batch), alone.view()) == 0u, "in batches of " << batch);
    // The last ones of the photos, whose places in the batch are others than before.
    const std::size_t first = most - batch;
    net.encode(constant(photos).slice(first, batch), together.view().slice(0, batch));
    BOOST_TEST(rows_that_differ(together.view().slice(0, batch), alone.view().slice(first, batch)) == 0u,
               "in batches of " << batch << " from photo " << first);
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(network_batches)

BOOST_AUTO_TEST_CASE(features_do_not_depend_on_the_batch) {
  for (const std::string_view name : preset_names()) {
    BOOST_TEST_CONTEXT(name) {
      encodes_alike_in_every_batch(preset(name, {.size = 32}), precision::float32);
      encodes_alike_in_every_batch(preset(name, {.size = 64}), precision::float32);
      encodes_alike_in_every_batch(preset(name), precision::float32);
    }
  }
}

BOOST_AUTO_TEST_CASE(features_in_bfloat16_do_not_depend_on_the_batch, *needs_bfloat16()) {
  for (const std::string_view name : preset_names()) {
    BOOST_TEST_CONTEXT(name) {
      encodes_alike_in_every_batch(small_preset(name), precision::bfloat16);
    }
  }
}

BOOST_AUTO_TEST_CASE(batches_of_any_size_follow_each_other) {
  const cpu_context cpu(2);
  network net(cpu, small_preset("strided-dense-16"), precision::float32, 1);
  for (const std::size_t batch : {9, 1, 17, 8, 65}) {
    const auto photos = waves(batch, batch);
    BOOST_TEST(std::isfinite(net.train_step(constant(photos), {}).data));
    tensor<float, 2> together({batch, net.feature_size()}), alone({1, net.feature_size()});
    net.encode(constant(photos), together.view());
    net.encode(constant(photos).slice(batch - 1, 1), alone.view());
    BOOST_TEST(rows_that_differ(std::as_const(together).view().slice(batch - 1, 1), alone.view()) == 0u);
  }
}

// As in PyTorch: a NaN is the largest of its window, wherever it stands in it, and no other window has it.
BOOST_AUTO_TEST_CASE(max_pooling_hands_on_nan) {
  std::vector<precision> kinds{precision::float32};
  if (has_bfloat16()) kinds.push_back(precision::bfloat16);
  for (const precision arithmetic : kinds) {
    for (const bool overlapping : {false, true}) {
      architecture a{.name = "nan", .height = 4, .width = 6};
      a.encoder = {{max_pooling{.window = {2, 2}, .stride = overlapping ? extent_2d{1, 1} : extent_2d{2, 2}}}};
      network net(cpu_context(1), a, arithmetic, 1);
      for (std::size_t place = 0; place < 4 * 6; ++place) {
        tensor<float, 4> photo({1, 4, 6, 3});
        std::ranges::fill(photo, -0.5f);
        const std::size_t row = place / 6, column = place % 6;
        photo(std::size_t{0}, row, column, std::size_t{1}) = std::numeric_limits<float>::quiet_NaN();
        tensor<float, 2> features({1, net.feature_size()});
        net.encode(std::as_const(photo).view(), features.view());

        const std::size_t step = overlapping ? 1 : 2;
        const std::size_t out_width = overlapping ? 5 : 3;
        const std::size_t out_height = overlapping ? 3 : 2;
        BOOST_REQUIRE_EQUAL(net.feature_size(), out_height * out_width * 3);
        for (std::size_t y = 0; y < out_height; ++y)
          for (std::size_t x = 0; x < out_width; ++x)
            for (std::size_t c = 0; c < 3; ++c) {
              const bool holds_it = c == 1 && row - y * step < 2 && column - x * step < 2;  // wraps where before it
              const float found = features(std::size_t{0}, (y * out_width + x) * 3 + c);
              BOOST_TEST((holds_it ? std::isnan(found) : found == -0.5f));
            }
      }
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
