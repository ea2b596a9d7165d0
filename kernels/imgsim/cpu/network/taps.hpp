// Features from layers' outputs.
#pragma once

#include <cmath>
#include <cstddef>

#include <imgsim/cpu/network/layer.hpp>
#include <imgsim/cpu/network/pooling.hpp>
#include <imgsim/model/network_plan.hpp>

namespace imgsim::cpu {

/// Pools a shard's activations [photos, H, W, C] into its rows of the features; `features` is the shard's slice.
inline void pool_tap(worker& w, const planned_tap& tap, const feature_shape& shape, element type,
                     const void* activations, matrix_view<float> features) {
  visit_element(type, [&]<class T>(T*) {
    for (std::size_t b = 0; b < features.extent(0); ++b) {
      const T* const photo = static_cast<const T*>(activations) + b * shape.size();
      float* const out = features.row(b) + tap.offset;
      if (tap.pool == pool_kind::flat) {
        for (std::size_t i = 0; i < shape.size(); ++i) out[i] = load_float(photo + i);
        continue;
      }
      auto* const room = reinterpret_cast<double*>(w.scratch.at_least(2 * shape.channels));
      generalised_mean{shape, tap.grid, tap.exponent, tap_floor(tap)}.forward(photo, out, room);
    }
  });
}

/// Adds to `gradient`, of a shard's activations, what `slopes` of its rows of the features add to it by a tap that
/// pools. `features` are what pool_tap made: with m the mean of powers, the derivative of m^(1/p) by x is
/// m^(1/p - 1) x^(p - 1) / count, and m^(1/p - 1) = feature^(1 - p).
inline void add_tap_gradient(worker& w, const planned_tap& tap, const feature_shape& shape, element type,
                             const void* activations, matrix_view<const float> features,
                             matrix_view<const float> slopes, void* gradient) {
  const generalised_mean mean{shape, tap.grid, tap.exponent, tap_floor(tap)};
  visit_element(type, [&]<class T>(T*) {
    auto* const factors = reinterpret_cast<double*>(w.scratch.at_least(2 * shape.channels));
    for (std::size_t b = 0; b < features.extent(0); ++b) {
      const T* const photo = static_cast<const T*>(activations) + b * shape.size();
      T* const to = static_cast<T*>(gradient) + b * shape.size();
      mean.for_each_cell([&](std::size_t cell, cell_range rows, cell_range columns) {
        const std::size_t first = tap.offset + cell * shape.channels;
        const auto count = static_cast<double>((rows.end - rows.begin) * (columns.end - columns.begin));
        for (std::size_t c = 0; c < shape.channels; ++c) {
          const auto feature = static_cast<double>(features(b, first + c));
          factors[c] = static_cast<double>(slopes(b, first + c)) / count *
                       (tap.exponent == 1.0 ? 1.0 : std::pow(feature, 1.0 - tap.exponent));
        }
        for (std::size_t y = rows.begin; y < rows.end; ++y) {
          for (std::size_t x = columns.begin; x < columns.end; ++x) {
            const std::size_t at = (y * shape.width + x) * shape.channels;
            for (std::size_t c = 0; c < shape.channels; ++c) {
              const auto value = static_cast<double>(load_float(photo + at + c));
              if (value <= mean.floor) continue;
              const double slope = factors[c] * mean.power_below(value);
              store_float(to + at + c, load_float(to + at + c) + static_cast<float>(slope));
            }
          }
        }
      });
    }
  });
}

}  // namespace imgsim::cpu
