// What every backend's training with targets and an invariance term is judged by; `make` as in network_checks.hpp.
#pragma once

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <imgsim/model/invariance.hpp>

#include "model/network_checks.hpp"
#include "reference/invariance.hpp"

namespace imgsim_test {

/// Networks whose taps stand where a backend may forget, overwrite or skip them.
inline std::vector<network_case> view_cases() {
  using namespace imgsim;
  const auto tapped = [](std::string name, std::vector<layer_spec> layers, std::vector<tap> taps,
                         std::size_t height = 7, std::size_t width = 5) {
    network_case c = around(std::move(name), std::move(layers), height, width);
    c.description.embedding.taps = std::move(taps);
    return c;
  };
  const tap mean{.layer = "seen", .pool = pool_kind::mean};
  const tap generalised{.layer = "seen", .pool = pool_kind::generalised_mean};
  const tap odd{.layer = "seen", .pool = pool_kind::generalised_mean, .exponent = 2.5};
  return {
      tapped("a sum before a rectifier", {{convolution{.filters = 3}, "seen"}, {relu{}}}, {mean}),
      tapped("a rectifier", {{convolution{.filters = 3}}, {leaky_relu{0.2}, "seen"}, {convolution{.filters = 4}}},
             {generalised, odd}),
      tapped("a rectifier before max pooling that tiles",
             {{convolution{8}}, {leaky_relu{0.3}, "seen"}, {max_pooling{}}, {convolution{4}}}, {mean}, 8, 6),
      tapped("a sigmoid over it", {{convolution{.filters = 3}, "seen"}, {sigmoid{}}}, {mean, odd}),
      tapped("batch norm", {{batch_normalization{}, "seen"}, {leaky_relu{}}}, {mean}),
      tapped("before batch norm", {{convolution{.filters = 3}, "seen"}, {batch_normalization{}}}, {mean}),
      tapped("after batch norm",
             {{batch_normalization{}}, {leaky_relu{}, "seen"}, {convolution{.filters = 3}}, {batch_normalization{}}},
             {generalised}),
      tapped("two layers, one of them at the end",
             {{convolution{.filters = 3}, "seen"}, {relu{}}, {batch_normalization{}}},
             {mean, {.pool = pool_kind::mean}}),
      tapped("a dense code", {{flatten{}}, {dense{6}}, {leaky_relu{}}, {dense{5}}}, {{.pool = pool_kind::mean}}),
      tapped("beside taps that are not compared", {{convolution{.filters = 3}, "seen"}, {leaky_relu{}}},
             {{.layer = "seen", .pool = pool_kind::mean, .grid = 2}, mean, {}}),
  };
}

/// A batch of two views of `count` photos that differ in brightness, so that what is pooled of them differs, too.
inline imgsim::tensor<float, 4> view_photos(std::size_t count, const imgsim::architecture& a) {
  imgsim::tensor<float, 4> photos = random_photos(2 * count, a, 5);
  const std::size_t size = photos.size() / (2 * count);
  for (std::size_t i = 0; i < photos.size(); ++i)
    photos.data()[i] *= static_cast<float>(1 + (i / size) * 7 % count) / static_cast<float>(count);
  return photos;
}

/// Loss and gradients of a step with other targets than photos and an invariance term.
template <class Make>
void check_view_gradients(const Make& make, const network_case& c, std::size_t count, std::size_t most) {
  BOOST_TEST_CONTEXT(c.name << ", " << count << " photos") {
    constexpr double kWeight = 0.7;
    auto net = make(c.description);
    randomise(net, 4);
    const auto photos = view_photos(count, c.description);
    const auto targets = random_photos(2 * count, c.description, 6);
    const auto images = as_images(photos), wanted = as_images(targets);
    reference::parameters weights = as_parameters(net.state());
    const auto loss = [&] {
      const auto features = reference::view_features(c.description, weights, images, true);
      return reference::total_loss(c.description, weights, images, wanted, true) +
             kWeight * reference::barlow_twins(features, imgsim::kDecorrelation, imgsim::kInvarianceEpsilon);
    };
    const imgsim::training_batch batch{.photos = photos.view(), .targets = targets.view(), .invariance = kWeight};

    // A feature's rounding counts as many times as it is larger than its deviation over the photos.
    const auto features = reference::view_features(c.description, weights, images, true);
    double condition = 1.0;
    for (std::size_t half = 0; half < 2; ++half) {
      for (std::size_t i = 0; i < features.front().size(); ++i) {
        double sum = 0.0, squares = 0.0, largest = 0.0;
        for (std::size_t b = half * count; b < (half + 1) * count; ++b) {
          sum += features[b][i], squares += features[b][i] * features[b][i];
          largest = std::max(largest, std::fabs(features[b][i]));
        }
        const double n = static_cast<double>(count);
        const double variance = std::max(squares / n - sum * sum / (n * n), 0.0) + imgsim::kInvarianceEpsilon;
        condition = std::max(condition, largest / std::sqrt(variance));
      }
    }
    const std::size_t terms = 2 * count * c.description.height * c.description.width * 4;
    double worst = 0.0, scale = 0.0;
    for (const imgsim::named_tensor& gradient : gradients_of_step(net, batch)) {
      std::vector<double>& values = weights[gradient.name];
      const std::size_t step = std::max<std::size_t>(1, values.size() / most) | 1;
      for (std::size_t i = 0; i < values.size(); i += step) {
        const double value = values[i];
        const double h = 1e-5;
        values[i] = value + h;
        const double above = loss();
        values[i] = value - h;
        const double below = loss();
        values[i] = value;
        worst = std::max(worst, std::fabs(static_cast<double>(gradient.values[i]) - (above - below) / (2 * h)));
        scale = std::max(scale, std::fabs((above - below) / (2 * h)));
      }
    }
    BOOST_TEST(scale > 1e-6);
    BOOST_TEST(worst <= condition * tolerance(terms, scale) + 1e-9);
    const imgsim::step_loss step = net.train_step(batch, {.learning_rate = 0.0});
    BOOST_TEST(std::fabs(step.total() - loss()) <= condition * tolerance(terms, std::max(1.0, loss())));
    BOOST_TEST(step.invariance > 0.0);
  }
}

}  // namespace imgsim_test
