// Max pooling by windows of 2x2 that tile the picture, as loops over channels without branches.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include <imgsim/core/simd.hpp>
#include <imgsim/cpu/network/element.hpp>
#include <imgsim/cpu/network/elementwise.hpp>
#include <imgsim/model/layer_shapes.hpp>

namespace imgsim::cpu {

/// Whether tile_pooling can pool `in` by `spec`.
[[nodiscard]] inline bool pools_by_tiles(const max_pooling& spec, const feature_shape& in, element type) noexcept {
  constexpr extent_2d kTile{2, 2};
  return type == element::float32 && spec.window == kTile && spec.stride == kTile && in.height % 2 == 0 &&
         in.width % 2 == 0;
}

/// A NaN in the window is the window's maximum, as in PyTorch.
IMGSIM_ALWAYS_INLINE float larger_or_nan(float best, float value) {
  return value > best || value != value ? value : best;
}

/// [2 * rows, 2 * columns, channels] to [rows, columns, channels].
struct tile_pooling {
  std::size_t rows, columns, channels;

  void forward(const float* in, float* out) const { forward(in, 2 * columns * channels, out, best_simd_level()); }

  /// Rows of `in` are `below` floats apart.
  void forward(const float* in, std::size_t below, float* out, simd_level level) const {
    visit_channels(channels, [&](auto count) {
      const auto pool = [in, out, count, below, *this]() IMGSIM_VECTORISED {
        for_each_window(count, below, [=](std::size_t window, std::size_t first) IMGSIM_VECTORISED {
          const float* const upper = in + first;
          const float* const lower = upper + below;
          float* const to = out + window;
          for (std::size_t c = 0; c < count; ++c)
            to[c] = larger_or_nan(larger_or_nan(upper[c], upper[c + count]), larger_or_nan(lower[c], lower[c + count]));
        });
      };
      vectorised(pool, level);
    });
  }

  /// diff_in: a window's gradient at its first largest element in row order, times `negative_slope` where that element
  /// is not above zero (1: as it is); 0 elsewhere.
  void backward(const float* in, const float* diff_out, float* diff_in, float negative_slope) const {
    visit_channels(channels, [&](auto count) {
      vectorised([=, *this]() IMGSIM_VECTORISED {
        const std::size_t below = 2 * columns * count;
        for_each_window(count, below, [=](std::size_t window, std::size_t first) IMGSIM_VECTORISED {
          const float* const upper = in + first;
          const float* const lower = upper + below;
          const float* const from = diff_out + window;
          float* const to = diff_in + first;
          const std::size_t size = count;  // a plain number: GCC loses the annotation of a loop over a constant
          IMGSIM_SAME_OR_APART
          for (std::size_t c = 0; c < size; ++c) {
            const float a = upper[c], b = upper[c + count], d = lower[c], e = lower[c + count];
            const float best = larger_or_nan(larger_or_nan(a, b), larger_or_nan(d, e));
            const float scaled = negative_slope * from[c];
            const float gradient = best > 0.0f ? from[c] : scaled;
            // Masks, not branches: each element takes what those before it have left.
            const auto bits = std::bit_cast<std::uint32_t>(gradient);
            const std::uint32_t of_a = a == best ? ~0u : 0u;
            const std::uint32_t of_b = (b == best ? ~0u : 0u) & ~of_a;
            const std::uint32_t of_d = (d == best ? ~0u : 0u) & ~(of_a | of_b);
            const std::uint32_t of_e = (e == best ? ~0u : 0u) & ~(of_a | of_b | of_d);
            to[c] = std::bit_cast<float>(bits & of_a);
            to[c + count] = std::bit_cast<float>(bits & of_b);
            to[c + below] = std::bit_cast<float>(bits & of_d);
            to[c + below + count] = std::bit_cast<float>(bits & of_e);
          }
        });
      });
    });
  }

 private:
  /// visit(offset of the window's output, offset of its first input); `below`: from a row to the next
  template <class Channels, class Visit>
  IMGSIM_ALWAYS_INLINE void for_each_window(Channels count, std::size_t below, Visit&& visit) const {
    for (std::size_t y = 0; y < rows; ++y)
      for (std::size_t x = 0; x < columns; ++x) visit((y * columns + x) * count, 2 * (y * below + x * count));
  }
};

}  // namespace imgsim::cpu
