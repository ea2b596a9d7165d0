// Photos [B, H, W, 3] of one size, as the functions that read them take them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <imgsim/core/error.hpp>
#include <imgsim/core/view.hpp>

namespace imgsim {

/// Throws invalid_argument for photos that do not have three channels.
inline void check_photos(view<const std::uint8_t, 4> photos) {
  IMGSIM_EXPECTS(photos.extent(3) == 3, "photos are [B, H, W, 3], not ", shape_text(photos));
}

/// Photo `i` of `photos`, [H, W, 3].
template <class Byte>
[[nodiscard]] view<Byte, 3> photo_at(view<Byte, 4> photos, std::size_t i) {
  return {photos.data() + i * photos.stride(0),
          {photos.extent(1), photos.extent(2), 3},
          {photos.stride(1), photos.stride(2), 1}};
}

/// Exchanges left and right of a photo [H, W, 3] in place.
inline void mirror(view<std::uint8_t, 3> photo) {
  for (std::size_t y = 0; y < photo.extent(0); ++y)
    for (std::size_t left = 0, right = photo.extent(1); left + 1 < right; ++left)
      std::swap_ranges(&photo(y, left, 0), &photo(y, left, 0) + 3, &photo(y, --right, 0));
}

/// Luma of an RGB pixel (ITU-R BT.601), in 0 .. kLumaScale: exact in integers.
inline constexpr int kLumaScale = 255'000;
[[nodiscard]] constexpr int luma(const std::uint8_t* rgb) noexcept {
  return 299 * rgb[0] + 587 * rgb[1] + 114 * rgb[2];
}

}  // namespace imgsim
