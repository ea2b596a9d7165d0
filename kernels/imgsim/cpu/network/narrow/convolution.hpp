// Convolutions 3x3, stride 1, `same`, with at most 16 outputs, where oneDNN leaves most lanes of a register empty; the
// rectifier is applied in registers (row_pair.hpp).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <type_traits>

#include <imgsim/core/tensor.hpp>
#include <imgsim/cpu/network/layer.hpp>
#include <imgsim/cpu/network/narrow/padded_rows.hpp>
#include <imgsim/cpu/network/narrow/row_pair.hpp>
#include <imgsim/cpu/network/tile_pooling.hpp>
#include <imgsim/cpu/simd.hpp>

namespace imgsim::cpu {

/// f(std::integral_constant) with the smallest number of outputs that row_pair_body knows and that holds `outputs`.
template <class F>
void visit_narrow_outputs(std::size_t outputs, F&& f) {
  if (outputs <= 4) return f(std::integral_constant<std::size_t, 4>{});
  if (outputs <= 8) return f(std::integral_constant<std::size_t, 8>{});
  f(std::integral_constant<std::size_t, 16>{});
}

class narrow_convolution {
 public:
  static constexpr std::size_t kMostOutputs = 16;

  /// Images [height, width, channels] to [height, width, outputs].
  narrow_convolution(std::size_t height, std::size_t width, std::size_t channels, std::size_t outputs, simd_level level)
      : height_(height), width_(width), outputs_(outputs), level_(level) {
    visit_narrow_outputs(outputs, [&](auto padded) { padded_outputs_ = padded; });
    const std::size_t lanes = float_lanes_of(level);
    groups_ = std::max<std::size_t>(lanes / padded_outputs_, 1);
    register_width_ = std::max(lanes, padded_outputs_);
    in_rows_ = {.width = width,
                .channels = channels,
                .padded_channels = (channels + groups_ - 1) / groups_ * groups_,
                .before = 1,
                .pixels = width + kMostTilePixels + 1};
    packed_ = tensor<float, 1>({3 * window_row() + register_width_});
  }

  /// weight(row, column, channel, output) of the window; bias [outputs] or null.
  template <class Weight>
  void pack(Weight&& weight, const float* bias) {
    std::fill_n(packed_.data(), packed_.size(), 0.0f);
    for (std::size_t row = 0; row < 3; ++row)
      for (std::size_t column = 0; column < 3; ++column)
        for (std::size_t channel = 0; channel < in_rows_.channels; ++channel) {
          const std::size_t term = column * in_rows_.padded_channels + channel;
          float* const to = packed_.data() + row * window_row() + term / groups_ * register_width_ + term % groups_;
          for (std::size_t o = 0; o < outputs_; ++o) to[o * groups_] = weight(row, column, channel, o);
        }
    if (bias == nullptr) return;
    float* const to = packed_.data() + 3 * window_row();
    for (std::size_t lane = 0; lane < register_width_; ++lane)
      to[lane] = lane % padded_outputs_ < outputs_ ? bias[lane % padded_outputs_] : 0.0f;
  }

  /// Whether run_pooled fits.
  [[nodiscard]] static bool can_pool(std::size_t height, std::size_t width, std::size_t outputs) noexcept {
    return height % 2 == 0 && width % 2 == 0 && (outputs == 4 || outputs == 8 || outputs == 16);
  }

  /// As run, then the maxima of windows of 2x2: [height / 2, width / 2, outputs]. The rows between never leave the
  /// first-level cache.
  void run_pooled(worker& w, const float* in, float* out, std::size_t photos, double negative_slope) const {
    float* const room = w.scratch.at_least(padded_rows::room_of(in_rows_) + 2 * spill_size());
    padded_rows rows(in_rows_, room);
    float* const spill = room + padded_rows::room_of(in_rows_);
    for (std::size_t b = 0; b < photos; ++b, in += height_ * width_ * in_rows_.channels) {
      rows.begin(in, height_);
      for (std::size_t y = 0; y < height_; y += 2, out += width_ / 2 * outputs_) {
        run_pair(rows, y, spill, spill + spill_size(), negative_slope);
        tile_pooling{1, width_ / 2, outputs_}.forward(spill, spill_size(), out, level_);
      }
    }
  }

  /// Values at or below zero are multiplied by `negative_slope`; 1 leaves them.
  void run(worker& w, const float* in, float* out, std::size_t photos, double negative_slope) const {
    const std::size_t out_row = width_ * outputs_;
    float* const room = w.scratch.at_least(padded_rows::room_of(in_rows_) + 2 * spill_size());
    padded_rows rows(in_rows_, room);
    float* const spill = room + padded_rows::room_of(in_rows_);
    for (std::size_t b = 0; b < photos; ++b, in += height_ * width_ * in_rows_.channels, out += height_ * out_row) {
      rows.begin(in, height_);
      for (std::size_t y = 0; y < height_; y += 2) {
        const std::size_t count = std::min<std::size_t>(2, height_ - y);
        if (count == 2 && writes_whole_tiles()) {
          run_pair(rows, y, out + y * out_row, out + (y + 1) * out_row, negative_slope);
          continue;
        }
        run_pair(rows, y, spill, spill + spill_size(), negative_slope);
        for (std::size_t i = 0; i < count; ++i) copy_outputs(spill + i * spill_size(), out + (y + i) * out_row);
      }
    }
  }

 private:
  [[nodiscard]] std::size_t window_row() const noexcept {
    return 3 * in_rows_.padded_channels / groups_ * register_width_;
  }
  [[nodiscard]] std::size_t spill_size() const noexcept { return (width_ + kMostTilePixels) * padded_outputs_; }
  [[nodiscard]] bool writes_whole_tiles() const noexcept {
    return outputs_ == padded_outputs_ && width_ % kMostTilePixels == 0;
  }

  void run_pair(padded_rows& rows, std::size_t y, float* upper, float* lower, double negative_slope) const {
    const auto first = static_cast<std::ptrdiff_t>(y) - 1;
    const std::array<const float*, 4> in{rows.row(first), rows.row(first + 1), rows.row(first + 2),
                                         rows.row(first + 3)};
    visit_narrow_outputs(outputs_, [&](auto padded) {
      expand(
          row_pair_body<decltype(padded)::value>{
              in, {upper, lower}, packed_.data(), width_, in_rows_.padded_channels, static_cast<float>(negative_slope)},
          level_);
    });
  }

  void copy_outputs(const float* from, float* to) const {
    if (outputs_ == padded_outputs_) {
      std::memcpy(to, from, width_ * outputs_ * sizeof(float));
      return;
    }
    for (std::size_t x = 0; x < width_; ++x)
      for (std::size_t o = 0; o < outputs_; ++o) to[x * outputs_ + o] = from[x * padded_outputs_ + o];
  }

  std::size_t height_, width_, outputs_;
  simd_level level_;
  std::size_t padded_outputs_ = 0, groups_ = 0;
  std::size_t register_width_ = 0;  // floats of one term's weights
  padded_row_shape in_rows_;
  tensor<float, 1> packed_;  // row_pair_body::weights
};

}  // namespace imgsim::cpu
