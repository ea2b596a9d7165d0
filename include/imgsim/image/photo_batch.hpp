// Photos [B, H, W, 3] of one size, as the functions that read them take them.
#pragma once

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
[[nodiscard]] inline view<const std::uint8_t, 3> photo_at(view<const std::uint8_t, 4> photos, std::size_t i) {
  return {photos.data() + i * photos.stride(0),
          {photos.extent(1), photos.extent(2), 3},
          {photos.stride(1), photos.stride(2), 1}};
}

/// Luma of an RGB pixel (ITU-R BT.601), in 0 .. kLumaScale: exact in integers.
inline constexpr int kLumaScale = 255'000;
[[nodiscard]] constexpr int luma(const std::uint8_t* rgb) noexcept {
  return 299 * rgb[0] + 587 * rgb[1] + 114 * rgb[2];
}

}  // namespace imgsim
