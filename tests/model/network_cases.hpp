// Small networks with known weights and photos for them, for tests of any backend against tests/reference/network.hpp.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <imgsim/core/random.hpp>
#include <imgsim/core/tensor.hpp>
#include <imgsim/model/backend.hpp>
#include <imgsim/model/presets.hpp>
#include <imgsim/model/state.hpp>

#include "reference/network.hpp"

namespace imgsim_test {

/// Side of the small networks' photos.
inline constexpr std::size_t kSide = 32;

inline imgsim::architecture small_preset(std::string_view name) {
  return imgsim::preset(name, {.size = kSide});
}

/// Smooth pictures [batch, side, side, 3], so that there is something to learn.
inline imgsim::tensor<std::uint8_t, 4> waves(std::size_t batch, std::uint64_t seed = 11, std::size_t side = kSide) {
  imgsim::tensor<std::uint8_t, 4> photos({batch, side, side, 3});
  imgsim::random_stream random(seed);
  for (std::size_t b = 0; b < batch; ++b) {
    const double fx = random.uniform(0.05, 0.4), fy = random.uniform(0.05, 0.4), phase = random.uniform(0, 6);
    for (std::size_t y = 0; y < side; ++y)
      for (std::size_t x = 0; x < side; ++x)
        for (std::size_t c = 0; c < 3; ++c) {
          const double angle =
              fx * static_cast<double>(x) + fy * static_cast<double>(y) + phase + static_cast<double>(c);
          photos(b, y, x, c) = static_cast<std::uint8_t>(127.0 + 120.0 * std::sin(angle));
        }
  }
  return photos;
}

inline imgsim::view<const std::uint8_t, 4> constant(const imgsim::tensor<std::uint8_t, 4>& photos) {
  return photos.view();
}

inline imgsim::tensor<float, 4> random_photos(std::size_t batch, const imgsim::architecture& a, std::uint64_t seed) {
  imgsim::tensor<float, 4> photos({batch, a.height, a.width, a.channels});
  imgsim::random_stream random(seed, 99);
  for (float& v : photos) v = static_cast<float>(random.uniform());
  return photos;
}

inline std::vector<reference::image> as_images(const imgsim::tensor<float, 4>& photos) {
  std::vector<reference::image> batch(photos.extent(0),
                                      reference::image(photos.extent(1), photos.extent(2), photos.extent(3)));
  for (std::size_t b = 0; b < batch.size(); ++b) {
    const float* const from = &photos(b, std::size_t{0}, std::size_t{0}, std::size_t{0});
    std::copy_n(from, batch[b].values.size(), batch[b].values.begin());
  }
  return batch;
}

/// Biases, scales and statistics that no layer starts with, so that none of them can be forgotten unnoticed.
template <class Network>
void randomise(Network& net, std::uint64_t seed) {
  std::vector<imgsim::named_tensor> state = net.state();
  imgsim::random_stream random(seed, 7);
  for (imgsim::named_tensor& t : state) {
    if (t.name.ends_with(".kernel")) continue;
    const bool is_variance = t.name.ends_with(".moving_variance");
    for (float& v : t.values) v = static_cast<float>(is_variance ? random.uniform(0.5, 2) : random.uniform(-0.5, 0.5));
    if (t.name.ends_with(".gamma")) {
      for (float& v : t.values) v += 1.0f;
    }
  }
  net.load_state(state);
}

inline reference::parameters as_parameters(const std::vector<imgsim::named_tensor>& state) {
  reference::parameters weights;
  for (const imgsim::named_tensor& t : state) weights[t.name].assign(t.values.begin(), t.values.end());
  return weights;
}

/// Gradients of one step, read from Adam's first moments: with beta1 = 0 they are the gradients.
template <class Network>
std::vector<imgsim::named_tensor> gradients_of_step(Network& net, const imgsim::training_batch& batch) {
  (void)net.train_step(batch, {.learning_rate = 0.0, .beta1 = 0.0});
  std::vector<imgsim::named_tensor> gradients;
  for (imgsim::named_tensor& t : net.optimizer_state()) {
    const std::string suffix = ".first_moment";
    if (!t.name.ends_with(suffix)) continue;
    t.name.resize(t.name.size() - suffix.size());
    gradients.push_back(std::move(t));
  }
  return gradients;
}
template <class Network>
std::vector<imgsim::named_tensor> gradients_of_step(Network& net, const imgsim::tensor<float, 4>& photos) {
  return gradients_of_step(net, {.photos = photos.view(), .targets = photos.view()});
}

struct network_case {
  std::string name;
  imgsim::architecture description;
};

/// The layers under test between a 1 x 1 convolution, whose kernel's gradient is right only if the gradients of the
/// layers' inputs are, and a dense layer back to the photo's size. Sizes are odd and sides unequal unless a case says
/// so.
inline network_case around(std::string name, std::vector<imgsim::layer_spec> layers, std::size_t height = 7,
                           std::size_t width = 5) {
  using namespace imgsim;
  architecture a{.name = name, .height = height, .width = width};
  a.encoder = {{convolution{.filters = 4, .kernel = {1, 1}}}};
  a.encoder.insert(a.encoder.end(), layers.begin(), layers.end());
  a.encoder.push_back({flatten{}});
  a.decoder = {{dense{height * width * 3}}, {reshape{height, width, 3}}};
  return {std::move(name), std::move(a)};
}

inline std::vector<network_case> network_cases() {
  using namespace imgsim;
  using enum padding_kind;
  std::vector<network_case> cases;
  for (const padding_kind padding : {same, valid}) {
    const std::string border = padding == same ? ", same" : ", valid";
    for (const std::size_t stride : {1, 2, 3}) {
      for (const extent_2d kernel : {extent_2d{3, 3}, extent_2d{2, 5}, extent_2d{1, 2}}) {
        const std::string shape = std::to_string(kernel.height) + "x" + std::to_string(kernel.width) + " stride " +
                                  std::to_string(stride) + border;
        const extent_2d step{stride, stride};
        cases.push_back(around("convolution " + shape, {{convolution{3, kernel, step, padding}}}));
        cases.push_back(around("transposed " + shape, {{transposed_convolution{3, kernel, step, padding}}}));
        cases.push_back(around("max pooling " + shape, {{max_pooling{kernel, step, padding}}}));
      }
    }
  }
  cases.push_back(around("convolution without bias", {{convolution{.filters = 17, .bias = false}}}));
  cases.push_back(around("transposed without bias", {{transposed_convolution{.filters = 17, .bias = false}}}));
  cases.push_back(around("convolution on even sides, stride 2", {{convolution{5, {3, 3}, {2, 2}}}}, 8, 6));
  cases.push_back(around("max pooling that tiles", {{max_pooling{}}}, 8, 6));
  cases.push_back(around("convolution, rectifier and max pooling that tiles",
                         {{convolution{8}}, {leaky_relu{0.3}}, {max_pooling{}}, {convolution{4}}}, 8, 6));
  cases.push_back(
      around("convolution, rectifier, max pooling, dense", {{convolution{16}}, {relu{}}, {max_pooling{}}}, 4, 10));
  for (const auto kind : {interpolation_kind::nearest, interpolation_kind::bilinear}) {
    for (const extent_2d factor : {extent_2d{2, 2}, extent_2d{1, 3}, extent_2d{4, 1}}) {
      cases.push_back(around(std::string(kind == interpolation_kind::nearest ? "nearest " : "bilinear ") +
                                 std::to_string(factor.height) + "x" + std::to_string(factor.width),
                             {{upsampling{factor, kind}}}));
    }
  }
  cases.push_back(around("bilinear from one pixel",
                         {{max_pooling{{7, 5}, {7, 5}}}, {upsampling{{2, 3}, interpolation_kind::bilinear}}}));
  cases.push_back(around("relu after convolution", {{relu{}}}));
  cases.push_back(around("leaky relu after convolution", {{leaky_relu{0.3}}}));
  cases.push_back(
      around("relu after transposed convolution", {{transposed_convolution{.filters = 3}}, {leaky_relu{0.2}}}));
  cases.push_back(
      around("activations in a row", {{relu{}}, {leaky_relu{0.5}}, {sigmoid{}}, {flatten{}}, {leaky_relu{}}}));
  cases.push_back(around("relu after pooling", {{max_pooling{{2, 2}, {2, 2}, same}}, {relu{}}}));
  cases.push_back(around("batch norm", {{batch_normalization{}}}));
  cases.push_back(
      around("batch norm twice and relu", {{batch_normalization{}}, {batch_normalization{0.9, 1e-2}}, {relu{}}}));
  cases.push_back(around("batch norm of dense", {{flatten{}}, {dense{6}}, {batch_normalization{}}, {leaky_relu{}}}));
  cases.push_back(around("dense in a row", {{flatten{}}, {dense{9}}, {dense{7, false}}, {sigmoid{}}, {dense{5}}}));
  for (const double exponent : {1.0, 3.0, 2.5}) {
    cases.push_back(
        around("generalised mean " + std::to_string(exponent), {{relu{}}, {generalised_mean_pooling{exponent, 1}}}));
    cases.push_back(around("generalised mean on a grid " + std::to_string(exponent),
                           {{sigmoid{}}, {generalised_mean_pooling{exponent, 3}}}));
  }
  return cases;
}

}  // namespace imgsim_test
