// Every layer, forward and backward, against plain loops in double: outputs by value, gradients by central differences.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "model/network_support.hpp"

namespace {

using namespace imgsim;
using namespace imgsim_test;

constexpr double kEpsilon = std::numeric_limits<float>::epsilon() / 2;
constexpr double kEpsilonBfloat16 = 0x1p-9;

/// Rounding errors of a sum of n terms grow as sqrt(n) when they are independent; 16 leaves room for the worst of many
/// values and for the chain of layers.
double tolerance(std::size_t terms, double scale, double epsilon = kEpsilon) {
  return 16.0 * std::sqrt(static_cast<double>(terms)) * epsilon * scale;
}

double largest(const std::vector<reference::image>& batch) {
  double most = 0.0;
  for (const auto& photo : batch)
    for (const double v : photo.values) most = std::max(most, std::fabs(v));
  return most;
}

/// reconstruct(), evaluate() and encode() in inference mode.
void check_forward(const network_case& c, std::size_t batch, precision arithmetic, double epsilon) {
  BOOST_TEST_CONTEXT(c.name << ", batch " << batch) {
    const cpu_context cpu(2);
    network net(cpu, c.description, arithmetic, 3);
    randomise(net, 4);
    const auto photos = random_photos(batch, c.description, 5);
    const reference::parameters weights = as_parameters(net.state());
    const auto expected = reference::run(c.description, weights, as_images(photos), false);
    tensor<float, 4> out(photos.extents());
    net.reconstruct(photos.view(), out.view());
    const double allowed =
        tolerance(c.description.height * c.description.width * 4, std::max(1.0, largest(expected)), epsilon);
    double worst = 0.0;
    for (std::size_t i = 0; i < out.size(); ++i) {
      const std::size_t per_photo = out.size() / batch;
      worst = std::max(worst,
                       std::fabs(static_cast<double>(out.data()[i]) - expected[i / per_photo].values[i % per_photo]));
    }
    BOOST_TEST(worst <= allowed);
    const double loss = reference::total_loss(c.description, weights, as_images(photos), false);
    BOOST_TEST(std::fabs(net.evaluate(photos.view()).total() - loss) <=
               4.0 * allowed * std::max(1.0, largest(expected)));

    const auto code = reference::run(c.description, weights, as_images(photos), false, c.description.encoder.size());
    tensor<float, 2> features({batch, net.feature_size()});
    net.encode(photos.view(), features.view());
    BOOST_REQUIRE_EQUAL(net.feature_size(), code.front().values.size());
    worst = 0.0;
    for (std::size_t b = 0; b < batch; ++b)
      for (std::size_t i = 0; i < net.feature_size(); ++i)
        worst = std::max(worst, std::fabs(static_cast<double>(features(b, i)) - code[b].values[i]));
    BOOST_TEST(worst <=
               tolerance(c.description.height * c.description.width * 4, std::max(1.0, largest(code)), epsilon));
  }
}

struct gradient_pair {
  double computed, expected;
};

/// Up to `most` entries of each parameter's gradient beside central differences of the reference's loss.
std::vector<gradient_pair> gradient_pairs(const network_case& c, std::size_t batch, precision arithmetic,
                                          std::size_t most) {
  const cpu_context cpu(2);
  network net(cpu, c.description, arithmetic, 3);
  randomise(net, 4);
  const auto photos = random_photos(batch, c.description, 5);
  const std::vector<reference::image> images = as_images(photos);
  reference::parameters weights = as_parameters(net.state());
  std::vector<gradient_pair> pairs;
  for (const named_tensor& gradient : gradients_of_step(net, photos)) {
    std::vector<double>& values = weights[gradient.name];
    const std::size_t step = std::max<std::size_t>(1, values.size() / most) | 1;
    for (std::size_t i = 0; i < values.size(); i += step) {
      const double value = values[i];
      const double h = 1e-5;
      values[i] = value + h;
      const double above = reference::total_loss(c.description, weights, images, true);
      values[i] = value - h;
      const double below = reference::total_loss(c.description, weights, images, true);
      values[i] = value;
      pairs.push_back({static_cast<double>(gradient.values[i]), (above - below) / (2 * h)});
    }
  }
  return pairs;
}

void check_gradients(const network_case& c, std::size_t batch, std::size_t most = 12) {
  BOOST_TEST_CONTEXT(c.name << ", batch " << batch) {
    double worst = 0.0, scale = 0.0;
    for (const auto& [computed, expected] : gradient_pairs(c, batch, precision::float32, most)) {
      worst = std::max(worst, std::fabs(computed - expected));
      scale = std::max(scale, std::fabs(expected));
    }
    // Central differences add h^2 of the third derivative and 1e-16 / h of rounding: about 1e-10 each.
    BOOST_TEST(scale > 1e-6);
    BOOST_TEST(worst <= tolerance(batch * c.description.height * c.description.width * 4, scale) + 1e-9);
  }
}

network_case with_loss(network_case c, loss_kind loss, bool squash, double l2) {
  c.description.loss = loss;
  c.description.kernel_l2 = l2;
  if (squash) c.description.decoder.push_back({sigmoid{}});
  c.name += loss == loss_kind::binary_cross_entropy ? ", cross entropy" : ", squared error";
  return c;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(network_layers)

BOOST_AUTO_TEST_CASE(forward_equals_the_reference) {
  for (const network_case& c : network_cases())
    for (const std::size_t batch : {1, 9}) check_forward(c, batch, precision::float32, kEpsilon);
}

BOOST_AUTO_TEST_CASE(forward_in_bfloat16_equals_the_reference, *needs_bfloat16()) {
  for (const network_case& c : network_cases()) check_forward(c, 9, precision::bfloat16, kEpsilonBfloat16);
}

BOOST_AUTO_TEST_CASE(gradients_equal_central_differences) {
  for (const network_case& c : network_cases())
    for (const std::size_t batch : {2, 9}) check_gradients(c, batch);
}

BOOST_AUTO_TEST_CASE(gradients_in_bfloat16_point_the_same_way, *needs_bfloat16()) {
  for (const network_case& c : network_cases()) {
    BOOST_TEST_CONTEXT(c.name) {
      double error = 0.0, norm = 0.0;
      for (const auto& [computed, expected] : gradient_pairs(c, 9, precision::bfloat16, 12)) {
        error += (computed - expected) * (computed - expected);
        norm += expected * expected;
      }
      // A chain of about 8 roundings forward and as many back, and now and then a maximum or a sign that tips over.
      BOOST_TEST(std::sqrt(error / norm) <= 32.0 * kEpsilonBfloat16);
    }
  }
}

BOOST_AUTO_TEST_CASE(losses_have_the_right_value_and_gradient) {
  const network_case plain = around("loss", {{relu{}}});
  for (const network_case& c : {with_loss(plain, loss_kind::binary_cross_entropy, true, 0.0),
                                with_loss(plain, loss_kind::mean_squared_error, true, 0.01),
                                with_loss(plain, loss_kind::mean_squared_error, false, 0.02),
                                with_loss(plain, loss_kind::binary_cross_entropy, true, 0.03)}) {
    check_forward({c.name, c.description}, 9, precision::float32, kEpsilon);
    check_gradients(c, 9);
  }
  // Outputs of a convolution are not probabilities: those outside (0, 1) are clipped and have no gradient.
  network_case clipped = with_loss(plain, loss_kind::binary_cross_entropy, false, 0.0);
  clipped.description.decoder.push_back({sigmoid{}});
  clipped.description.decoder.push_back({upsampling{{1, 1}}});
  check_gradients(clipped, 9);
}

BOOST_AUTO_TEST_CASE(a_whole_network_with_every_kind_of_layer) {
  architecture a{.name = "whole", .height = 16, .width = 12};
  a.encoder = {{convolution{.filters = 5, .stride = {2, 2}}},
               {batch_normalization{}},
               {leaky_relu{}, "first"},
               {convolution{.filters = 6}},
               {relu{}, "second"},
               {max_pooling{}},
               {flatten{}},
               {dense{10}}};
  a.decoder = {{dense{72}},
               {relu{}},
               {batch_normalization{}},
               {reshape{4, 3, 6}},
               {transposed_convolution{.filters = 5, .stride = {2, 2}}},
               {relu{}},
               {batch_normalization{}},
               {upsampling{{2, 2}, interpolation_kind::bilinear}},
               {convolution{.filters = 3}},
               {sigmoid{}}};
  a.loss = loss_kind::binary_cross_entropy;
  a.kernel_l2 = 0.01;
  for (const std::size_t batch : {3, 19}) check_gradients({"whole network", a}, batch, 25);
}

BOOST_AUTO_TEST_CASE(batches_of_more_shards_than_sums_of_gradients) {
  check_gradients(around("a large batch", {{relu{}}, {batch_normalization{}}, {convolution{.filters = 2}}}, 4, 3), 299,
                  6);
}

BOOST_AUTO_TEST_CASE(a_tie_in_max_pooling_counts_once) {
  // In a photo of one colour every window ties; a change of a kernel moves all its elements alike, so that the
  // reference still has a gradient. It is right only if each window passes its gradient to one element.
  for (const padding_kind padding : {padding_kind::same, padding_kind::valid}) {
    for (const extent_2d stride : {extent_2d{2, 2}, extent_2d{1, 1}}) {
      const network_case c = around("ties", {{max_pooling{{2, 2}, stride, padding}}}, 6, 4);
      const cpu_context cpu(2);
      network net(cpu, c.description, precision::float32, 3);
      tensor<float, 4> photos({3, 6, 4, 3});
      std::ranges::fill(photos, 0.75f);
      reference::parameters weights = as_parameters(net.state());
      const auto loss_with = [&](double weight) {
        weights["encoder.0.kernel"][0] = weight;
        return reference::total_loss(c.description, weights, as_images(photos), true);
      };
      const double weight = weights["encoder.0.kernel"][0];
      const double expected = (loss_with(weight + 1e-5) - loss_with(weight - 1e-5)) / 2e-5;
      const double computed = static_cast<double>(gradients_of_step(net, photos).front().values[0]);
      BOOST_TEST(std::fabs(computed - expected) <= tolerance(3 * 6 * 4 * 4, std::fabs(expected)) + 1e-9);
    }
  }
}

BOOST_AUTO_TEST_CASE(dense_layers_in_several_blocks) {
  // 16 outputs: blocks of 4096 inputs, the third one partial; and the other way round.
  architecture a{.name = "blocks", .height = 53, .width = 54};
  a.encoder = {{flatten{}}, {dense{16}}};
  a.decoder = {{dense{53 * 54 * 3}}, {reshape{53, 54, 3}}, {sigmoid{}}};
  check_forward({"blocks", a}, 5, precision::float32, kEpsilon);
  check_gradients({"blocks", a}, 5, 20);
}

BOOST_AUTO_TEST_CASE(taps_pool_and_concatenate) {
  architecture a{.name = "taps", .height = 9, .width = 7};
  a.encoder = {
      {convolution{.filters = 4}, "before"}, {relu{}, "after"}, {max_pooling{{2, 2}, {2, 2}, padding_kind::same}}};
  a.decoder = {{flatten{}}, {dense{9 * 7 * 3}}, {reshape{9, 7, 3}}};
  a.embedding.taps = {{.layer = "after", .pool = pool_kind::generalised_mean, .exponent = 3.0, .grid = 2},
                      {.layer = "before", .pool = pool_kind::mean, .grid = 4},
                      {.layer = "code"},
                      {.layer = "before", .pool = pool_kind::flat}};
  const cpu_context cpu(2);
  network net(cpu, a, precision::float32, 1);
  randomise(net, 2);
  const std::size_t batch = 70;  // more than one piece of the batch in inference
  const auto photos = random_photos(batch, a, 3);
  const reference::parameters weights = as_parameters(net.state());
  tensor<float, 2> features({batch, net.feature_size()});
  net.encode(photos.view(), features.view());
  const auto images = as_images(photos);
  const auto before = reference::run(a, weights, images, false, 1);
  const auto after = reference::run(a, weights, images, false, 2);
  const auto code = reference::run(a, weights, images, false, 3);
  double worst = 0.0;
  for (std::size_t b = 0; b < batch; ++b) {
    std::vector<double> expected = reference::pool_generalised_mean(after[b], 2, 3.0, kGeneralisedMeanFloor).values;
    const auto append = [&](const std::vector<double>& more) {
      expected.insert(expected.end(), more.begin(), more.end());
    };
    append(reference::pool_generalised_mean(before[b], 4, 1.0, -1e300).values);
    append(code[b].values);
    append(before[b].values);
    BOOST_REQUIRE_EQUAL(expected.size(), net.feature_size());
    for (std::size_t i = 0; i < expected.size(); ++i)
      worst = std::max(worst, std::fabs(static_cast<double>(features(b, i)) - expected[i]));
  }
  BOOST_TEST(worst <= tolerance(27, largest(before)));
}

BOOST_AUTO_TEST_SUITE_END()
