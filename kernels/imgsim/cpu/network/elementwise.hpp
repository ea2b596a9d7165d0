// Work on single values and channels: bias, activations, and photos into activations.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include <imgsim/core/simd.hpp>
#include <imgsim/cpu/network/layer.hpp>

namespace imgsim::cpu {

/// f(channels), as a constant where loops over few channels gain from that.
template <class F>
void visit_channels(std::size_t channels, F&& f) {
  if (channels == 4) return f(std::integral_constant<std::size_t, 4>{});
  if (channels == 8) return f(std::integral_constant<std::size_t, 8>{});
  if (channels == 16) return f(std::integral_constant<std::size_t, 16>{});
  f(channels);
}

/// x = f(x + bias[channel]) with f(x) = x where x > 0, slope * x elsewhere; [pixels, channels]. No bias: null.
inline void add_bias_and_activate(void* data, element type, std::size_t pixels, std::size_t channels, const float* bias,
                                  double negative_slope) {
  visit_element(type, [&]<class T>(T*) {
    T* const x = static_cast<T*>(data);
    const auto slope = static_cast<float>(negative_slope);
    vectorised([=]() IMGSIM_VECTORISED {
      for (std::size_t p = 0; p < pixels; ++p) {
        T* const pixel = x + p * channels;
        for (std::size_t c = 0; c < channels; ++c) {
          const float value = load_float(pixel + c) + (bias != nullptr ? bias[c] : 0.0f);
          const float scaled = slope * value;
          store_float(pixel + c, value > 0.0f ? value : scaled);
        }
      }
    });
  });
}

/// sums[channel] += sum over [rows, width]; float within a row, then double, so that the error does not grow with the
/// picture. Pixels are taken kTogether at a time, so that few channels fill registers, too.
inline void add_channel_sums(const void* data, element type, std::size_t rows, std::size_t width, std::size_t channels,
                             float* sums, worker& w) {
  constexpr std::size_t kTogether = 16;
  const std::size_t group = kTogether * channels;
  float* const row_sum = w.scratch.at_least(group + 2 * channels);
  auto* const total = reinterpret_cast<double*>(row_sum + group);
  std::fill_n(total, channels, 0.0);
  visit_element(type, [&]<class T>(T*) {
    const T* const x = static_cast<const T*>(data);
    vectorised([=]() IMGSIM_VECTORISED {
      for (std::size_t r = 0; r < rows; ++r) {
        std::memset(row_sum, 0, group * sizeof(float));
        const T* const row = x + r * width * channels;
        for (std::size_t begin = 0; begin < width * channels; begin += group) {
          const std::size_t count = std::min(group, width * channels - begin);
          for (std::size_t i = 0; i < count; ++i) row_sum[i] += load_float(row + begin + i);
        }
        for (std::size_t p = 0; p < kTogether; ++p)
          for (std::size_t c = 0; c < channels; ++c) total[c] += static_cast<double>(row_sum[p * channels + c]);
      }
    });
  });
  for (std::size_t c = 0; c < channels; ++c) sums[c] += static_cast<float>(total[c]);
}

/// 1 / (1 + exp(-x)) without overflow.
IMGSIM_ALWAYS_INLINE float logistic(float x) {
  const float u = std::exp(-std::fabs(x));
  return (x >= 0.0f ? 1.0f : u) / (1.0f + u);
}

/// ReLU and leaky ReLU, in place. The sign of the output is the sign of the input.
class rectifier_layer final : public layer {
 public:
  /// `done_before`: the layer before has applied it forward already; `done_after`: the layer after does its part of
  /// backward.
  rectifier_layer(const layer_setup& setup, double slope, bool done_before, bool done_after)
      : layer(setup), slope_(static_cast<float>(slope)), done_before_(done_before), done_after_(done_after) {}

  [[nodiscard]] placement output_placement(pass_kind) const noexcept override { return placement::in_place; }
  [[nodiscard]] bool keeps_output() const noexcept override { return true; }

  void forward(worker&, const shard_data& shard) override {
    if (!done_before_) scale_where_not_positive(shard.in, shard.in, shard.photos, shard.out);
  }
  void backward(worker&, const shard_data& shard) override {
    if (shard.diff_in == nullptr || (done_after_ && shard.diff_in == shard.diff_out)) return;
    if (done_after_) {
      std::memcpy(shard.diff_in, shard.diff_out, shard.photos * out_.size() * size_of(type_));
    } else {
      scale_where_not_positive(shard.diff_out, shard.out, shard.photos, shard.diff_in);
    }
  }

 private:
  /// result = value where sign > 0, slope * value elsewhere.
  void scale_where_not_positive(const void* values, const void* signs, std::size_t photos, void* results) const {
    visit_element(type_, [&]<class T>(T*) {
      const T* const value = static_cast<const T*>(values);
      const T* const sign = static_cast<const T*>(signs);
      T* const result = static_cast<T*>(results);
      vectorised([=, slope = slope_, n = photos * out_.size()]() IMGSIM_VECTORISED {
        IMGSIM_SAME_OR_APART
        for (std::size_t i = 0; i < n; ++i) {
          const float x = load_float(value + i);
          const float scaled = slope * x;
          store_float(result + i, load_float(sign + i) > 0.0f ? x : scaled);
        }
      });
    });
  }

  float slope_;
  bool done_before_, done_after_;
};

/// A sigmoid inside the network; one at its end is part of the loss (loss.hpp).
class sigmoid_layer final : public layer {
 public:
  using layer::layer;

  [[nodiscard]] placement output_placement(pass_kind) const noexcept override { return placement::in_place; }
  [[nodiscard]] bool keeps_output() const noexcept override { return true; }

  void forward(worker&, const shard_data& shard) override {
    const std::size_t n = shard.photos * out_.size();
    visit_element(type_, [&]<class T>(T*) {
      const T* const in = static_cast<const T*>(shard.in);
      T* const out = static_cast<T*>(shard.out);
      for (std::size_t i = 0; i < n; ++i) store_float(out + i, logistic(load_float(in + i)));
    });
  }

  void backward(worker&, const shard_data& shard) override {
    if (shard.diff_in == nullptr) return;
    const std::size_t n = shard.photos * out_.size();
    visit_element(type_, [&]<class T>(T*) {
      const T* const out = static_cast<const T*>(shard.out);
      const T* const diff_out = static_cast<const T*>(shard.diff_out);
      T* const diff_in = static_cast<T*>(shard.diff_in);
      vectorised([=]() IMGSIM_VECTORISED {
        IMGSIM_SAME_OR_APART
        for (std::size_t i = 0; i < n; ++i) {
          const float y = load_float(out + i);
          store_float(diff_in + i, load_float(diff_out + i) * y * (1.0f - y));
        }
      });
    });
  }
};

/// Flatten and reshape: the memory stays as it is.
class reinterpret_layer final : public layer {
 public:
  using layer::layer;
  [[nodiscard]] placement output_placement(pass_kind) const noexcept override { return placement::alias; }

  void backward(worker&, const shard_data& shard) override {
    if (shard.diff_in == nullptr || shard.diff_in == shard.diff_out) return;
    std::memcpy(shard.diff_in, shard.diff_out, shard.photos * in_.size() * size_of(type_));
  }
};

/// n pixels, bytes (divided by 255) or floats, as activations.
template <class Pixel, class T>
void scale_pixels(const Pixel* from, std::size_t n, T* to) {
  constexpr float kScale = std::is_same_v<Pixel, std::uint8_t> ? 255.0f : 1.0f;
  vectorised([=]() IMGSIM_VECTORISED {
    for (std::size_t i = 0; i < n; ++i) store_float(to + i, static_cast<float>(from[i]) / kScale);
  });
}

/// Photos [photos, H, W, C] into activations.
template <class Pixel>
void load_pixels(view<const Pixel, 4> photos, void* out, element type) {
  const std::size_t per_photo = photos.extent(1) * photos.extent(2) * photos.extent(3);
  visit_element(type, [&]<class T>(T*) {
    for (std::size_t b = 0; b < photos.extent(0); ++b)
      scale_pixels(photos.data() + b * photos.stride(0), per_photo, static_cast<T*>(out) + b * per_photo);
  });
}

}  // namespace imgsim::cpu
