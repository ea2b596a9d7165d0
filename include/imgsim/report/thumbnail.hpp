// Photos made small for a page.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <imgsim/core/view.hpp>
#include <imgsim/image/image.hpp>
#include <imgsim/image/resize.hpp>
#include <imgsim/report/canvas.hpp>

namespace imgsim {

/// `photo` [H, W, 3], not empty, shrunk to at most `longest_side` pixels a side, its shape kept; never enlarged.
[[nodiscard]] inline rgb_image make_thumbnail(view<const std::uint8_t, 3> photo, std::size_t longest_side) {
  const std::size_t longest = std::max(photo.extent(0), photo.extent(1));
  const auto side = static_cast<std::ptrdiff_t>(std::min(longest, longest_side));
  const pixel_box box = letterbox(photo.extent(1), photo.extent(0), {0, 0, side, side});
  rgb_image thumbnail{
      .width = static_cast<std::size_t>(box.width), .height = static_cast<std::size_t>(box.height), .pixels = {}};
  thumbnail.pixels.resize(thumbnail.width * thumbnail.height * 3);
  resize_bilinear(photo, thumbnail.view());
  return thumbnail;
}

}  // namespace imgsim
