// What a decoder refuses before it allocates anything.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include <imgsim/core/error.hpp>
#include <imgsim/image/image.hpp>

namespace imgsim {

/// Files come from strangers: a few bytes can claim gigabytes of pixels.
struct decode_limits {
  std::uint64_t max_pixels = 64u << 20;       ///< width * height
  std::uint64_t max_file_bytes = 256u << 20;  ///< of the encoded file
  std::size_t min_side = 2;                   ///< of the shorter side, in pixels
};

/// Bytes that do not decode to a photo within the limits. what() is one sentence without a path.
class image_error : public error {
 public:
  using error::error;
};

namespace detail {

/// Throws image_error where a photo of this size is outside the limits.
inline void check_dimensions(std::uint64_t width, std::uint64_t height, const decode_limits& limits) {
  const std::uint64_t shorter = width < height ? width : height;
  if (shorter < limits.min_side || shorter == 0)
    throw image_error(
        concat("it is too small: ", width, " x ", height, " pixels, but each side needs at least ", limits.min_side));
  if (width > limits.max_pixels / height)
    throw image_error(concat("it is too large: ", width, " x ", height, " pixels are more than the limit of ",
                             limits.max_pixels, " (--max-pixels raises it)"));
}

/// Gives `out` the shape, keeping its memory where that suffices.
inline void set_size(rgb_image& out, std::size_t width, std::size_t height) {
  out.width = width;
  out.height = height;
  out.pixels.resize(width * height * 3);
}

/// Lays `count` RGBA pixels over white.
inline void composite_over_white(const std::uint8_t* rgba, std::uint8_t* rgb, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    const unsigned alpha = rgba[4 * i + 3];
    for (std::size_t c = 0; c < 3; ++c)
      rgb[3 * i + c] = static_cast<std::uint8_t>((rgba[4 * i + c] * alpha + 255 * (255 - alpha) + 127) / 255);
  }
}

}  // namespace detail

}  // namespace imgsim
