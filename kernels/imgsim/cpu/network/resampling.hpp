// Upsampling by whole factors, one axis after the other.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

#include <imgsim/core/simd.hpp>
#include <imgsim/cpu/network/elementwise.hpp>
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

/// The outputs that an input position takes part in, backward: [first, first + weights.size()).
struct interpolation_share {
  std::size_t first = 0;
  std::vector<float> weights;
};

/// The transpose of interpolate_axis.
[[nodiscard]] inline std::vector<interpolation_share> shares_of_axis(std::size_t in,
                                                                     const std::vector<interpolation_point>& points) {
  std::vector<interpolation_share> shares(in);
  const auto add = [&](std::size_t input, std::size_t output, float weight) {
    interpolation_share& share = shares[input];
    if (share.weights.empty()) share.first = output;
    share.weights.resize(output + 1 - share.first);
    share.weights.back() += weight;
  };
  for (std::size_t o = 0; o < points.size(); ++o) {
    add(points[o].first, o, 1.0f - points[o].weight);
    if (points[o].weight != 0.0f) add(points[o].second, o, points[o].weight);
  }
  return shares;
}

class upsampling_layer final : public layer {
 public:
  upsampling_layer(const layer_setup& setup, const upsampling& spec)
      : layer(setup),
        rows_(interpolate_axis(in_.height, spec.factor.height, spec.interpolation)),
        columns_(interpolate_axis(in_.width, spec.factor.width, spec.interpolation)),
        row_shares_(shares_of_axis(in_.height, rows_)),
        column_shares_(shares_of_axis(in_.width, columns_)) {
    for (const interpolation_share& share : row_shares_) most_rows_ = std::max(most_rows_, share.weights.size());
  }

  void forward(worker& w, const shard_data& shard) override {
    float* const room = w.scratch.at_least(2 * row_size());
    visit_element(type_, [&]<class T>(T*) {
      for (std::size_t b = 0; b < shard.photos; ++b) {
        const T* const in = static_cast<const T*>(shard.in) + b * in_.size();
        T* const out = static_cast<T*>(shard.out) + b * out_.size();
        visit_channels(in_.channels, [&](auto channels) {
          vectorised([this, in, out, room, channels]() IMGSIM_VECTORISED { enlarge(in, out, room, channels); });
        });
      }
    });
  }

  void backward(worker& w, const shard_data& shard) override {
    if (shard.diff_in == nullptr) return;
    float* const room = w.scratch.at_least((most_rows_ + 1) * in_.width * in_.channels);
    visit_element(type_, [&]<class T>(T*) {
      for (std::size_t b = 0; b < shard.photos; ++b) {
        const T* const diff_out = static_cast<const T*>(shard.diff_out) + b * out_.size();
        T* const diff_in = static_cast<T*>(shard.diff_in) + b * in_.size();
        visit_channels(in_.channels, [&](auto channels) {
          vectorised([=, this]() IMGSIM_VECTORISED { gather(diff_out, diff_in, room, channels); });
        });
      }
    });
  }

 private:
  [[nodiscard]] std::size_t row_size() const noexcept { return out_.width * out_.channels; }

  /// Rows are enlarged sideways into `room` (two of them are alive at a time), then mixed.
  template <class T, class Channels>
  IMGSIM_ALWAYS_INLINE void enlarge(const T* in, T* out, float* room, Channels channels) const {
    const std::size_t row_values = row_size();
    std::array<float*, 2> wide{room, room + row_values};
    std::array<std::size_t, 2> held{in_.height, in_.height};  // input row in each of `wide`
    for (std::size_t y = 0; y < out_.height; ++y, out += row_values) {
      const interpolation_point& at = rows_[y];
      if (held[0] != at.first) {
        std::swap(wide[0], wide[1]);
        std::swap(held[0], held[1]);
      }
      if (held[0] != at.first) widen(in, held[0] = at.first, wide[0], channels);
      if (at.weight == 0.0f) {
        for (std::size_t i = 0; i < row_values; ++i) store_float(out + i, wide[0][i]);
        continue;
      }
      if (at.second != at.first && held[1] != at.second) widen(in, held[1] = at.second, wide[1], channels);
      const float* const above = wide[0];
      const float* const below = at.second == at.first ? wide[0] : wide[1];
      const float weight = at.weight;
      IMGSIM_SAME_OR_APART
      for (std::size_t i = 0; i < row_values; ++i) store_float(out + i, above[i] + weight * (below[i] - above[i]));
    }
  }

  template <class T, class Channels>
  IMGSIM_ALWAYS_INLINE void widen(const T* in, std::size_t row, float* wide, Channels channels) const {
    const T* const from = in + row * in_.width * channels;
    for (const interpolation_point& at : columns_) {
      const T* const left = from + at.first * channels;
      const T* const right = from + at.second * channels;
      const std::size_t size = channels;
      const float weight = at.weight;
      IMGSIM_SAME_OR_APART
      for (std::size_t c = 0; c < size; ++c)
        wide[c] = load_float(left + c) + weight * (load_float(right + c) - load_float(left + c));
      wide += channels;
    }
  }

  /// The transpose of enlarge: rows of diff_out are narrowed sideways, each once, into a ring of as many as an input
  /// row takes; then mixed.
  template <class T, class Channels>
  IMGSIM_ALWAYS_INLINE void gather(const T* diff_out, T* diff_in, float* room, Channels channels) const {
    const std::size_t in_row = in_.width * channels;
    std::size_t narrowed = 0;  // rows of diff_out so far
    for (const interpolation_share& share : row_shares_) {
      for (; narrowed < share.first + share.weights.size(); ++narrowed)
        narrow(diff_out + narrowed * row_size(), room + narrowed % most_rows_ * in_row, channels);
      const auto row = [&](std::size_t i) IMGSIM_VECTORISED {
        return static_cast<const float*>(room + (share.first + i) % most_rows_ * in_row);
      };
      mix(share.weights, row, in_row, diff_in, room + most_rows_ * in_row);
      diff_in += in_row;
    }
  }

  template <class T, class Channels>
  IMGSIM_ALWAYS_INLINE void narrow(const T* wide, float* out, Channels channels) const {
    for (const interpolation_share& share : column_shares_) {
      const T* const from = wide + share.first * channels;
      mix(share.weights, [=](std::size_t i) IMGSIM_VECTORISED { return from + i * channels; }, channels, out, out);
      out += channels;
    }
  }

  /// out[n] = sum over i of weights[i] * terms(i)[n]; `room`: [n] floats, may be `out`.
  template <class Terms, class Out>
  static IMGSIM_ALWAYS_INLINE void mix(const std::vector<float>& weights, Terms&& terms, std::size_t n, Out* out,
                                       float* room) {
    if (weights.size() == 4) {  // bilinear by 2, away from the edges
      const float w0 = weights[0], w1 = weights[1], w2 = weights[2], w3 = weights[3];
      const auto t0 = terms(0), t1 = terms(1), t2 = terms(2), t3 = terms(3);
      IMGSIM_SAME_OR_APART
      for (std::size_t k = 0; k < n; ++k) {
        store_float(out + k, (w0 * load_float(t0 + k) + w1 * load_float(t1 + k)) +
                                 (w2 * load_float(t2 + k) + w3 * load_float(t3 + k)));
      }
      return;
    }
    std::fill_n(room, n, 0.0f);
    for (std::size_t i = 0; i < weights.size(); ++i) {
      const auto term = terms(i);
      for (std::size_t k = 0; k < n; ++k) room[k] += weights[i] * load_float(term + k);
    }
    for (std::size_t k = 0; k < n; ++k) store_float(out + k, room[k]);
  }

  std::vector<interpolation_point> rows_;
  std::vector<interpolation_point> columns_;
  std::vector<interpolation_share> row_shares_;
  std::vector<interpolation_share> column_shares_;
  std::size_t most_rows_ = 0;  // outputs of one input row
};

}  // namespace imgsim::cpu
