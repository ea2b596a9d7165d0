// What every backend's networks are judged by: outputs by value, gradients by central differences, both of plain loops
// in double. `make(description)` gives a network with autoencoder's members.
#pragma once

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include "model/network_cases.hpp"

namespace imgsim_test {

inline constexpr double kEpsilon = std::numeric_limits<float>::epsilon() / 2;
inline constexpr double kEpsilonBfloat16 = 0x1p-9;

/// Rounding errors of a sum of n terms grow as sqrt(n) when they are independent; 16 leaves room for the worst of many
/// values and for the chain of layers.
inline double tolerance(std::size_t terms, double scale, double epsilon = kEpsilon) {
  return 16.0 * std::sqrt(static_cast<double>(terms)) * epsilon * scale;
}

inline double largest(const std::vector<reference::image>& batch) {
  double most = 0.0;
  for (const auto& photo : batch)
    for (const double v : photo.values) most = std::max(most, std::fabs(v));
  return most;
}

/// reconstruct(), evaluate() and encode() in inference mode.
template <class Make>
void check_forward(const Make& make, const network_case& c, std::size_t batch, double epsilon) {
  BOOST_TEST_CONTEXT(c.name << ", batch " << batch) {
    auto net = make(c.description);
    randomise(net, 4);
    const auto photos = random_photos(batch, c.description, 5);
    const reference::parameters weights = as_parameters(net.state());
    const auto expected = reference::run(c.description, weights, as_images(photos), false);
    imgsim::tensor<float, 4> out(photos.extents());
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
    imgsim::tensor<float, 2> features({batch, net.feature_size()});
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
template <class Make>
std::vector<gradient_pair> gradient_pairs(const Make& make, const network_case& c, std::size_t batch,
                                          std::size_t most) {
  auto net = make(c.description);
  randomise(net, 4);
  const auto photos = random_photos(batch, c.description, 5);
  const std::vector<reference::image> images = as_images(photos);
  reference::parameters weights = as_parameters(net.state());
  std::vector<gradient_pair> pairs;
  for (const imgsim::named_tensor& gradient : gradients_of_step(net, photos)) {
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

template <class Make>
void check_gradients(const Make& make, const network_case& c, std::size_t batch, std::size_t most = 12) {
  BOOST_TEST_CONTEXT(c.name << ", batch " << batch) {
    double worst = 0.0, scale = 0.0;
    for (const auto& [computed, expected] : gradient_pairs(make, c, batch, most)) {
      worst = std::max(worst, std::fabs(computed - expected));
      scale = std::max(scale, std::fabs(expected));
    }
    // Central differences add h^2 of the third derivative and 1e-16 / h of rounding: about 1e-10 each.
    BOOST_TEST(scale > 1e-6);
    BOOST_TEST(worst <= tolerance(batch * c.description.height * c.description.width * 4, scale) + 1e-9);
  }
}

inline network_case with_loss(network_case c, imgsim::loss_kind loss, bool squash, double l2) {
  c.description.loss = loss;
  c.description.kernel_l2 = l2;
  if (squash) c.description.decoder.push_back({imgsim::sigmoid{}});
  c.name += loss == imgsim::loss_kind::binary_cross_entropy ? ", cross entropy" : ", squared error";
  return c;
}

/// Max pooling of 6 x 4 photos of one colour: every window ties; a change of a kernel moves all its elements alike, so
/// that the reference still has a gradient. It is right only if each window passes its gradient to one element.
template <class Make>
void check_ties(const Make& make, const network_case& c) {
  auto net = make(c.description);
  imgsim::tensor<float, 4> photos({3, 6, 4, 3});
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

/// Features of every kind of pool, of several layers.
template <class Make>
void check_taps(const Make& make, std::size_t batch) {
  using namespace imgsim;
  architecture a{.name = "taps", .height = 9, .width = 7};
  a.encoder = {
      {convolution{.filters = 4}, "before"}, {relu{}, "after"}, {max_pooling{{2, 2}, {2, 2}, padding_kind::same}}};
  a.decoder = {{flatten{}}, {dense{9 * 7 * 3}}, {reshape{9, 7, 3}}};
  a.embedding.taps = {{.layer = "after", .pool = pool_kind::generalised_mean, .exponent = 3.0, .grid = 2},
                      {.layer = "before", .pool = pool_kind::mean, .grid = 4},
                      {.layer = "code"},
                      {.layer = "before", .pool = pool_kind::flat}};
  auto net = make(a);
  randomise(net, 2);
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

}  // namespace imgsim_test
