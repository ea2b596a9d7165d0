// A whole network in double, layer by layer.
#pragma once

#include <cmath>
#include <cstddef>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include <imgsim/model/architecture.hpp>

#include "reference/layers.hpp"
#include "reference/layers_pointwise.hpp"
#include "reference/layers_pooling.hpp"

namespace reference {

using parameters = std::map<std::string, std::vector<double>>;

/// One layer over a batch, in place; `name` as in state().
struct layer_runner {
  std::vector<image>& batch;
  const parameters& weights;
  std::string name;
  bool training;

  std::vector<double> weight(const char* what) const {
    const auto found = weights.find(name + "." + what);
    return found == weights.end() ? std::vector<double>{} : found->second;
  }
  template <class F>
  void each(F&& f) const {
    for (image& photo : batch) photo = f(photo);
  }
  template <class F>
  void each_value(F&& f) const {
    for (image& photo : batch)
      for (double& v : photo.values) v = f(v);
  }

  void operator()(const imgsim::convolution& l) const {
    each([&](const image& in) {
      return convolve(in, weight("kernel"), weight("bias"), l.kernel.height, l.kernel.width, l.stride.height,
                      l.stride.width, l.padding == imgsim::padding_kind::same);
    });
  }
  void operator()(const imgsim::transposed_convolution& l) const {
    each([&](const image& in) {
      return convolve_transposed(in, weight("kernel"), weight("bias"), l.kernel.height, l.kernel.width, l.stride.height,
                                 l.stride.width, l.padding == imgsim::padding_kind::same);
    });
  }
  void operator()(const imgsim::max_pooling& l) const {
    each([&](const image& in) {
      return pool_max(in, l.window.height, l.window.width, l.stride.height, l.stride.width,
                      l.padding == imgsim::padding_kind::same);
    });
  }
  void operator()(const imgsim::upsampling& l) const {
    each([&](const image& in) {
      return enlarge(in, l.factor.height, l.factor.width, l.interpolation == imgsim::interpolation_kind::bilinear);
    });
  }
  void operator()(const imgsim::relu&) const {
    each_value([](double x) { return x > 0 ? x : 0.0; });
  }
  void operator()(const imgsim::leaky_relu& l) const {
    each_value([&](double x) { return x > 0 ? x : l.slope * x; });
  }
  void operator()(const imgsim::sigmoid&) const {
    each_value([](double x) { return 1.0 / (1.0 + std::exp(-x)); });
  }
  void operator()(const imgsim::batch_normalization& l) const {
    const batch_statistics s =
        training ? statistics_of(batch) : batch_statistics{weight("moving_mean"), weight("moving_variance")};
    for (image& photo : batch) normalise(photo, s, weight("gamma"), weight("beta"), l.epsilon);
  }
  void operator()(const imgsim::dense&) const {
    each([&](const image& in) { return multiply(in, weight("kernel"), weight("bias")); });
  }
  void operator()(const imgsim::flatten&) const {
    for (image& photo : batch) photo.height = photo.width = 1, photo.channels = photo.values.size();
  }
  void operator()(const imgsim::reshape& l) const {
    for (image& photo : batch) photo.height = l.height, photo.width = l.width, photo.channels = l.channels;
  }
  void operator()(const imgsim::generalised_mean_pooling& l) const {
    each([&](const image& in) { return pool_generalised_mean(in, l.grid, l.exponent, imgsim::kGeneralisedMeanFloor); });
  }
};

/// The first `count` layers, the encoder's and then the decoder's.
inline std::vector<image> run(const imgsim::architecture& a, const parameters& weights, std::vector<image> batch,
                              bool training, std::size_t count = static_cast<std::size_t>(-1)) {
  for (std::size_t i = 0; i < a.encoder.size() && i < count; ++i)
    std::visit(layer_runner{batch, weights, "encoder." + std::to_string(i), training}, a.encoder[i].operation);
  for (std::size_t i = 0; i < a.decoder.size() && a.encoder.size() + i < count; ++i)
    std::visit(layer_runner{batch, weights, "decoder." + std::to_string(i), training}, a.decoder[i].operation);
  return batch;
}

/// The data loss of making `photos` into `targets`, and the penalty.
inline double total_loss(const imgsim::architecture& a, const parameters& weights, const std::vector<image>& photos,
                         const std::vector<image>& targets, bool training) {
  const std::vector<image> out = run(a, weights, photos, training);
  const bool squashed = std::holds_alternative<imgsim::sigmoid>(a.decoder.back().operation);
  double loss = a.loss == imgsim::loss_kind::binary_cross_entropy ? cross_entropy(out, targets, !squashed)
                                                                  : squared_error(out, targets);
  for (const auto& [name, values] : weights)
    if (name.ends_with(".kernel"))
      for (const double w : values) loss += a.kernel_l2 * w * w;
  return loss;
}

inline double total_loss(const imgsim::architecture& a, const parameters& weights, const std::vector<image>& photos,
                         bool training) {
  return total_loss(a, weights, photos, photos, training);
}

/// What each photo's taps that pool a whole layer see of it.
inline std::vector<std::vector<double>> view_features(const imgsim::architecture& a, const parameters& weights,
                                                      const std::vector<image>& photos, bool training) {
  std::vector<std::vector<double>> features(photos.size());
  for (const imgsim::tap& t : a.embedding.taps) {
    if (t.pool == imgsim::pool_kind::flat || t.grid != 1) continue;
    std::size_t count = a.encoder.size();
    for (std::size_t i = 0; t.layer != "code" && i < a.encoder.size(); ++i)
      if (a.encoder[i].name == t.layer) count = i + 1;
    const std::vector<image> out = run(a, weights, photos, training, count);
    const bool plain = t.pool == imgsim::pool_kind::mean;
    for (std::size_t b = 0; b < photos.size(); ++b) {
      const image pooled = plain ? pool_generalised_mean(out[b], 1, 1.0, -1e300)
                                 : pool_generalised_mean(out[b], 1, t.exponent, imgsim::kGeneralisedMeanFloor);
      features[b].insert(features[b].end(), pooled.values.begin(), pooled.values.end());
    }
  }
  return features;
}

}  // namespace reference
