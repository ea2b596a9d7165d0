// Max pooling, and means over the cells of a grid.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <optional>

#include <imgsim/core/simd.hpp>
#include <imgsim/cpu/network/layer.hpp>
#include <imgsim/cpu/network/tile_pooling.hpp>
#include <imgsim/model/layer_shapes.hpp>

namespace imgsim::cpu {

/// The gradient goes to the first largest element of each window in row order, found again from the input.
class max_pooling_layer final : public layer {
 public:
  /// `slope_before`: that of a rectifier right before, whose part of backward this layer does too; only where
  /// pools_by_tiles.
  /// `pooled_before`: in inference, the layers before have done all of it.
  max_pooling_layer(const layer_setup& setup, const max_pooling& spec, std::optional<double> slope_before,
                    bool pooled_before)
      : layer(setup),
        spec_(spec),
        slope_before_(static_cast<float>(slope_before.value_or(1.0))),
        pooled_before_(pooled_before),
        rows_(slide_window(in_.height, spec.window.height, spec.stride.height, spec.padding)),
        columns_(slide_window(in_.width, spec.window.width, spec.stride.width, spec.padding)) {}

  [[nodiscard]] placement output_placement(pass_kind pass) const noexcept override {
    return is_done(pass) ? placement::alias : placement::separate;
  }

  void forward(worker&, const shard_data& shard) override {
    if (is_done(shard.pass)) return;
    if (pools_by_tiles(spec_, in_, type_)) {
      return tiles_of(shard).forward(static_cast<const float*>(shard.in), static_cast<float*>(shard.out));
    }
    visit_element(type_, [&]<class T>(T*) {
      for (std::size_t b = 0; b < shard.photos; ++b) {
        const T* const in = static_cast<const T*>(shard.in) + b * in_.size();
        T* const out = static_cast<T*>(shard.out) + b * out_.size();
        vectorised([this, in, out]() IMGSIM_VECTORISED { pool(in, out); });
      }
    });
  }

  void backward(worker& w, const shard_data& shard) override {
    if (shard.diff_in == nullptr) return;
    if (pools_by_tiles(spec_, in_, type_)) {
      return tiles_of(shard).backward(static_cast<const float*>(shard.in), static_cast<const float*>(shard.diff_out),
                                      static_cast<float*>(shard.diff_in), slope_before_);
    }
    visit_element(type_, [&]<class T>(T*) {
      float* const best = w.scratch.at_least(out_.channels + in_.size());
      for (std::size_t b = 0; b < shard.photos; ++b) {
        const T* const in = static_cast<const T*>(shard.in) + b * in_.size();
        const T* const diff_out = static_cast<const T*>(shard.diff_out) + b * out_.size();
        T* const diff_in = static_cast<T*>(shard.diff_in) + b * in_.size();
        vectorised([this, in, diff_out, diff_in, best]() IMGSIM_VECTORISED {
          if (windows_tile()) {  // each input is in one window: it is written once
            send_back(in, diff_out, best,
                      [=](std::size_t i, float v) IMGSIM_VECTORISED { store_float(diff_in + i, v); });
          } else {
            float* const sum = best + out_.channels;
            std::fill_n(sum, in_.size(), 0.0f);
            send_back(in, diff_out, best, [=](std::size_t i, float v) IMGSIM_VECTORISED { sum[i] += v; });
            for (std::size_t i = 0; i < in_.size(); ++i) store_float(diff_in + i, sum[i]);
          }
        });
      }
    });
  }

 private:
  [[nodiscard]] bool is_done(pass_kind pass) const noexcept { return pooled_before_ && pass == pass_kind::inference; }

  /// Photos lie below one another.
  [[nodiscard]] tile_pooling tiles_of(const shard_data& shard) const noexcept {
    return {shard.photos * out_.height, out_.width, out_.channels};
  }

  [[nodiscard]] bool windows_tile() const noexcept {
    return spec_.window == spec_.stride && out_.height * spec_.window.height == in_.height &&
           out_.width * spec_.window.width == in_.width;
  }

  /// visit(y, x) for each input pixel in the window of output pixel (row, column), in row order.
  template <class Visit>
  IMGSIM_ALWAYS_INLINE void for_each_in_window(std::size_t row, std::size_t column, Visit&& visit) const {
    for (std::size_t i = 0; i < spec_.window.height; ++i) {
      const std::size_t y = row * spec_.stride.height + i - rows_.pad_before;  // wraps where it is in the padding
      if (y >= in_.height) continue;
      for (std::size_t j = 0; j < spec_.window.width; ++j) {
        const std::size_t x = column * spec_.stride.width + j - columns_.pad_before;
        if (x < in_.width) visit((y * in_.width + x) * in_.channels);
      }
    }
  }

  template <class T>
  IMGSIM_ALWAYS_INLINE void pool(const T* in, T* out) const {
    const std::size_t channels = in_.channels;
    for (std::size_t row = 0; row < out_.height; ++row) {
      for (std::size_t column = 0; column < out_.width; ++column, out += channels) {
        for (std::size_t c = 0; c < channels; ++c) store_float(out + c, -std::numeric_limits<float>::infinity());
        for_each_in_window(row, column, [&](std::size_t at) IMGSIM_VECTORISED {
          for (std::size_t c = 0; c < channels; ++c)
            store_float(out + c, larger_or_nan(load_float(out + c), load_float(in + at + c)));
        });
      }
    }
  }

  template <class T>
  IMGSIM_ALWAYS_INLINE void find_best(const T* in, std::size_t row, std::size_t column, float* best) const {
    std::fill_n(best, in_.channels, -std::numeric_limits<float>::infinity());
    for_each_in_window(row, column, [&](std::size_t at) IMGSIM_VECTORISED {
      for (std::size_t c = 0; c < in_.channels; ++c) best[c] = larger_or_nan(best[c], load_float(in + at + c));
    });
  }

  /// put(index, value) for each element of each window: the window's gradient at its first largest element, else 0.
  /// `best` becomes NaN once its gradient is spent.
  template <class T, class Put>
  IMGSIM_ALWAYS_INLINE void send_back(const T* in, const T* diff_out, float* best, Put&& put) const {
    const std::size_t channels = in_.channels;
    for (std::size_t row = 0; row < out_.height; ++row) {
      for (std::size_t column = 0; column < out_.width; ++column, diff_out += channels) {
        find_best(in, row, column, best);
        for_each_in_window(row, column, [&](std::size_t at) IMGSIM_VECTORISED {
          for (std::size_t c = 0; c < channels; ++c) {
            const bool is_first = load_float(in + at + c) == best[c];
            const float gradient = load_float(diff_out + c);
            put(at + c, is_first ? gradient : 0.0f);
            best[c] = is_first ? std::numeric_limits<float>::quiet_NaN() : best[c];
          }
        });
      }
    }
  }

  max_pooling spec_;
  float slope_before_;
  bool pooled_before_;
  window_extent rows_;
  window_extent columns_;
};

/// Forward and backward of generalised_mean_pooling; the taps use the forward part too. One cell and channel at a time
/// in double: the results are few.
struct generalised_mean {
  feature_shape in;
  std::size_t grid = 1;
  double exponent = 1.0;
  double floor = 0.0;

  /// f(cell index, rows, columns)
  template <class F>
  void for_each_cell(F&& f) const {
    for (std::size_t i = 0; i < grid; ++i) {
      for (std::size_t j = 0; j < grid; ++j)
        f(i * grid + j, grid_cell(i, grid, in.height), grid_cell(j, grid, in.width));
    }
  }

  [[nodiscard]] double power(double x) const {
    const double value = std::max(x, floor);
    if (exponent == 1.0) return value;
    return exponent == 3.0 ? value * value * value : std::pow(value, exponent);
  }
  /// x to the power of exponent - 1, of what lies above the floor.
  [[nodiscard]] double power_below(double x) const {
    if (exponent == 1.0) return 1.0;
    return exponent == 3.0 ? x * x : std::pow(x, exponent - 1.0);
  }

  /// The mean of powers of each channel of a cell, into mean[channels].
  template <class T>
  void mean_of_powers(const T* photo, cell_range rows, cell_range columns, double* mean) const {
    std::fill_n(mean, in.channels, 0.0);
    for (std::size_t y = rows.begin; y < rows.end; ++y) {
      for (std::size_t x = columns.begin; x < columns.end; ++x) {
        const T* const pixel = photo + (y * in.width + x) * in.channels;
        for (std::size_t c = 0; c < in.channels; ++c) mean[c] += power(static_cast<double>(load_float(pixel + c)));
      }
    }
    const auto count = static_cast<double>((rows.end - rows.begin) * (columns.end - columns.begin));
    for (std::size_t c = 0; c < in.channels; ++c) mean[c] /= count;
  }

  /// out: [grid, grid, channels]; `mean`: room for [channels].
  template <class T, class Out>
  void forward(const T* photo, Out* out, double* mean) const {
    for_each_cell([&](std::size_t cell, cell_range rows, cell_range columns) {
      mean_of_powers(photo, rows, columns, mean);
      for (std::size_t c = 0; c < in.channels; ++c) {
        store_float(out + cell * in.channels + c, static_cast<float>(std::pow(mean[c], 1.0 / exponent)));
      }
    });
  }

  /// sum: [H, W, C], zero before.
  template <class T>
  void backward(const T* photo, const T* diff_out, float* sum, double* mean) const {
    for_each_cell([&](std::size_t cell, cell_range rows, cell_range columns) {
      mean_of_powers(photo, rows, columns, mean);
      const auto count = static_cast<double>((rows.end - rows.begin) * (columns.end - columns.begin));
      for (std::size_t c = 0; c < in.channels; ++c) {
        mean[c] = static_cast<double>(load_float(diff_out + cell * in.channels + c)) *
                  std::pow(mean[c], 1.0 / exponent - 1.0) / count;
      }
      for (std::size_t y = rows.begin; y < rows.end; ++y) {
        for (std::size_t x = columns.begin; x < columns.end; ++x) {
          const std::size_t at = (y * in.width + x) * in.channels;
          for (std::size_t c = 0; c < in.channels; ++c) {
            const auto value = static_cast<double>(load_float(photo + at + c));
            if (value > floor) sum[at + c] += static_cast<float>(mean[c] * power_below(value));
          }
        }
      }
    });
  }
};

class generalised_mean_layer final : public layer {
 public:
  generalised_mean_layer(const layer_setup& setup, const generalised_mean_pooling& spec)
      : layer(setup), mean_{in_, spec.grid, spec.exponent, kGeneralisedMeanFloor} {}

  void forward(worker& w, const shard_data& shard) override {
    visit_element(type_, [&]<class T>(T*) {
      auto* const room = reinterpret_cast<double*>(w.scratch.at_least(2 * in_.channels));
      for (std::size_t b = 0; b < shard.photos; ++b) {
        mean_.forward(static_cast<const T*>(shard.in) + b * in_.size(), static_cast<T*>(shard.out) + b * out_.size(),
                      room);
      }
    });
  }

  void backward(worker& w, const shard_data& shard) override {
    if (shard.diff_in == nullptr) return;
    visit_element(type_, [&]<class T>(T*) {
      auto* const room = reinterpret_cast<double*>(w.scratch.at_least(2 * in_.channels + in_.size()));
      auto* const sum = reinterpret_cast<float*>(room + in_.channels);
      for (std::size_t b = 0; b < shard.photos; ++b) {
        std::fill_n(sum, in_.size(), 0.0f);
        mean_.backward(static_cast<const T*>(shard.in) + b * in_.size(),
                       static_cast<const T*>(shard.diff_out) + b * out_.size(), sum, room);
        T* const diff_in = static_cast<T*>(shard.diff_in) + b * in_.size();
        for (std::size_t i = 0; i < in_.size(); ++i) store_float(diff_in + i, sum[i]);
      }
    });
  }

 private:
  generalised_mean mean_;
};

}  // namespace imgsim::cpu
