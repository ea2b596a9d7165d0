// Upsampling by whole factors, one axis after the other.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

#include <imgsim/core/simd.hpp>
#include <imgsim/cpu/network/layer.hpp>

namespace imgsim::cpu {

/// Output position o of one axis = (1 - weight) * input[first] + weight * input[second].
struct interpolation_point {
  std::size_t first;
  std::size_t second;
  float weight;
};

/// Half-pixel centres, the edge repeated; nearest has weight 0.
[[nodiscard]] inline std::vector<interpolation_point> interpolate_axis(std::size_t in, std::size_t factor,
                                                                       interpolation_kind kind) {
  std::vector<interpolation_point> points;
  for (std::size_t o = 0; o < in * factor; ++o) {
    if (kind == interpolation_kind::nearest) {
      points.push_back({o / factor, o / factor, 0.0f});
      continue;
    }
    const double position = (static_cast<double>(o) + 0.5) / static_cast<double>(factor) - 0.5;
    const double below = std::floor(position);
    const auto last = static_cast<double>(in - 1);
    points.push_back({static_cast<std::size_t>(std::clamp(below, 0.0, last)),
                      static_cast<std::size_t>(std::clamp(below + 1.0, 0.0, last)),
                      static_cast<float>(position - below)});
  }
  return points;
}

class upsampling_layer final : public layer {
 public:
  upsampling_layer(const layer_setup& setup, const upsampling& spec)
      : layer(setup),
        rows_(interpolate_axis(in_.height, spec.factor.height, spec.interpolation)),
        columns_(interpolate_axis(in_.width, spec.factor.width, spec.interpolation)) {}

  void forward(worker& w, const shard_data& shard) override {
    float* const room = w.scratch.at_least(2 * row_size());
    visit_element(type_, [&]<class T>(T*) {
      for (std::size_t b = 0; b < shard.photos; ++b) {
        const T* const in = static_cast<const T*>(shard.in) + b * in_.size();
        T* const out = static_cast<T*>(shard.out) + b * out_.size();
        vectorised([this, in, out, room]() IMGSIM_VECTORISED { enlarge(in, out, room); });
      }
    });
  }

  void backward(worker& w, const shard_data& shard) override {
    if (shard.diff_in == nullptr) return;
    const std::size_t in_row = in_.width * in_.channels;
    float* const room = w.scratch.at_least(row_size() + (in_.height + 1) * in_row);
    visit_element(type_, [&]<class T>(T*) {
      for (std::size_t b = 0; b < shard.photos; ++b) {
        const T* const diff_out = static_cast<const T*>(shard.diff_out) + b * out_.size();
        T* const diff_in = static_cast<T*>(shard.diff_in) + b * in_.size();
        vectorised([this, diff_out, diff_in, room]() IMGSIM_VECTORISED { gather(diff_out, diff_in, room); });
      }
    });
  }

 private:
  [[nodiscard]] std::size_t row_size() const noexcept { return out_.width * out_.channels; }

  /// Rows are enlarged sideways into `room` (two of them are alive at a time), then mixed.
  template <class T>
  IMGSIM_ALWAYS_INLINE void enlarge(const T* in, T* out, float* room) const {
    const std::size_t row_values = row_size();
    std::array<float*, 2> wide{room, room + row_values};
    std::array<std::size_t, 2> held{in_.height, in_.height};  // input row in each of `wide`
    for (std::size_t y = 0; y < out_.height; ++y, out += row_values) {
      const interpolation_point& at = rows_[y];
      if (held[0] != at.first) {
        std::swap(wide[0], wide[1]);
        std::swap(held[0], held[1]);
      }
      if (held[0] != at.first) widen(in, held[0] = at.first, wide[0]);
      if (at.weight == 0.0f) {
        for (std::size_t i = 0; i < row_values; ++i) store_float(out + i, wide[0][i]);
        continue;
      }
      if (at.second != at.first && held[1] != at.second) widen(in, held[1] = at.second, wide[1]);
      const float* const above = wide[0];
      const float* const below = at.second == at.first ? wide[0] : wide[1];
      const float weight = at.weight;
      for (std::size_t i = 0; i < row_values; ++i) store_float(out + i, above[i] + weight * (below[i] - above[i]));
    }
  }

  template <class T>
  IMGSIM_ALWAYS_INLINE void widen(const T* in, std::size_t row, float* wide) const {
    const std::size_t channels = in_.channels;
    const T* const from = in + row * in_.width * channels;
    for (const interpolation_point& at : columns_) {
      const T* const left = from + at.first * channels;
      const T* const right = from + at.second * channels;
      for (std::size_t c = 0; c < channels; ++c)
        wide[c] = load_float(left + c) + at.weight * (load_float(right + c) - load_float(left + c));
      wide += channels;
    }
  }

  /// The transpose of enlarge: each output row is added to one or two input rows of sums, narrowed sideways first.
  template <class T>
  IMGSIM_ALWAYS_INLINE void gather(const T* diff_out, T* diff_in, float* room) const {
    const std::size_t channels = in_.channels;
    const std::size_t in_row = in_.width * channels;
    float* const narrow = room;
    float* const sums = room + in_row;
    std::fill_n(sums, in_.size(), 0.0f);
    for (std::size_t y = 0; y < out_.height; ++y) {
      std::fill_n(narrow, in_row, 0.0f);
      for (const interpolation_point& at : columns_) {
        float* const left = narrow + at.first * channels;
        float* const right = narrow + at.second * channels;
        for (std::size_t c = 0; c < channels; ++c) left[c] += (1.0f - at.weight) * load_float(diff_out + c);
        if (at.weight != 0.0f) {
          for (std::size_t c = 0; c < channels; ++c) right[c] += at.weight * load_float(diff_out + c);
        }
        diff_out += channels;
      }
      const interpolation_point& at = rows_[y];
      float* const above = sums + at.first * in_row;
      float* const below = sums + at.second * in_row;
      for (std::size_t i = 0; i < in_row; ++i) above[i] += (1.0f - at.weight) * narrow[i];
      if (at.weight != 0.0f) {
        for (std::size_t i = 0; i < in_row; ++i) below[i] += at.weight * narrow[i];
      }
    }
    for (std::size_t i = 0; i < in_.size(); ++i) store_float(diff_in + i, sums[i]);
  }

  std::vector<interpolation_point> rows_;
  std::vector<interpolation_point> columns_;
};

}  // namespace imgsim::cpu
