// An RGB picture to draw on: rectangles, frames, photos fitted into boxes. Everything is clipped to the picture.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>

#include <imgsim/core/error.hpp>
#include <imgsim/core/view.hpp>
#include <imgsim/image/image.hpp>
#include <imgsim/image/resize.hpp>

namespace imgsim {

struct colour {
  std::uint8_t red = 0, green = 0, blue = 0;
  friend constexpr bool operator==(const colour&, const colour&) = default;
};

/// A box of pixels; x to the right, y down. It may reach outside the picture.
struct pixel_box {
  std::ptrdiff_t x = 0, y = 0, width = 0, height = 0;
  friend constexpr bool operator==(const pixel_box&, const pixel_box&) = default;

  [[nodiscard]] constexpr pixel_box grown(std::ptrdiff_t by) const {
    return {x - by, y - by, width + 2 * by, height + 2 * by};
  }
};

/// The largest box with the shape of a width x height picture that fits in `box`, in its middle; at least 1 x 1.
[[nodiscard]] inline pixel_box letterbox(std::size_t width, std::size_t height, const pixel_box& box) {
  IMGSIM_EXPECTS(width > 0 && height > 0 && box.width > 0 && box.height > 0, "a picture of ", width, " x ", height,
                 " cannot be fitted into ", box.width, " x ", box.height);
  const double scale = std::min(static_cast<double>(box.width) / static_cast<double>(width),
                                static_cast<double>(box.height) / static_cast<double>(height));
  const auto side = [scale](std::size_t length, std::ptrdiff_t limit) {
    return std::clamp<std::ptrdiff_t>(std::lround(scale * static_cast<double>(length)), 1, limit);
  };
  const std::ptrdiff_t w = side(width, box.width), h = side(height, box.height);
  return {box.x + (box.width - w) / 2, box.y + (box.height - h) / 2, w, h};
}

class canvas {
 public:
  canvas(std::size_t width, std::size_t height, colour background) {
    image_.width = width;
    image_.height = height;
    image_.pixels.resize(width * height * 3);
    fill({0, 0, static_cast<std::ptrdiff_t>(width), static_cast<std::ptrdiff_t>(height)}, background);
  }

  [[nodiscard]] std::ptrdiff_t width() const noexcept { return static_cast<std::ptrdiff_t>(image_.width); }
  [[nodiscard]] std::ptrdiff_t height() const noexcept { return static_cast<std::ptrdiff_t>(image_.height); }
  [[nodiscard]] const rgb_image& image() const noexcept { return image_; }
  [[nodiscard]] rgb_image take() && { return std::move(image_); }

  void fill(const pixel_box& box, colour ink) {
    for (std::ptrdiff_t y = std::max<std::ptrdiff_t>(box.y, 0); y < std::min(box.y + box.height, height()); ++y)
      for (std::ptrdiff_t x = std::max<std::ptrdiff_t>(box.x, 0); x < std::min(box.x + box.width, width()); ++x)
        put(x, y, ink);
  }

  /// A frame of `thickness` pixels just inside `box`.
  void frame(const pixel_box& box, std::ptrdiff_t thickness, colour ink) {
    fill({box.x, box.y, box.width, thickness}, ink);
    fill({box.x, box.y + box.height - thickness, box.width, thickness}, ink);
    fill({box.x, box.y, thickness, box.height}, ink);
    fill({box.x + box.width - thickness, box.y, thickness, box.height}, ink);
  }

  /// Mixes `ink` into a pixel; `share` in [0, 1].
  void blend(std::ptrdiff_t x, std::ptrdiff_t y, colour ink, double share) {
    if (x < 0 || y < 0 || x >= width() || y >= height()) return;
    std::uint8_t* pixel = at(x, y);
    const auto mix = [share](std::uint8_t below, std::uint8_t above) {
      return static_cast<std::uint8_t>(std::lround(below + share * (above - below)));
    };
    pixel[0] = mix(pixel[0], ink.red);
    pixel[1] = mix(pixel[1], ink.green);
    pixel[2] = mix(pixel[2], ink.blue);
  }

  /// Draws `photo` [H, W, 3] into the letterbox of `box` and returns where it came to lie. A photo without pixels
  /// (one that could not be read) becomes a hatched box.
  pixel_box fit(view<const std::uint8_t, 3> photo, const pixel_box& box) {
    if (photo.empty()) {
      hatch(box);
      return box;
    }
    IMGSIM_EXPECTS(photo.extent(2) == 3, "a photo to draw must be [H, W, 3], not ", shape_text(photo));
    const pixel_box place = letterbox(photo.extent(1), photo.extent(0), box);
    rgb_image scaled;
    scaled.width = static_cast<std::size_t>(place.width);
    scaled.height = static_cast<std::size_t>(place.height);
    scaled.pixels.resize(scaled.width * scaled.height * 3);
    resize_bilinear(photo, scaled.view());
    const std::uint8_t* from = scaled.pixels.data();
    for (std::ptrdiff_t y = place.y; y < place.y + place.height; ++y)
      for (std::ptrdiff_t x = place.x; x < place.x + place.width; ++x, from += 3)
        put(x, y, {from[0], from[1], from[2]});
    return place;
  }

 private:
  [[nodiscard]] std::uint8_t* at(std::ptrdiff_t x, std::ptrdiff_t y) {
    return image_.pixels.data() + 3 * (y * width() + x);
  }

  void put(std::ptrdiff_t x, std::ptrdiff_t y, colour ink) {
    if (x < 0 || y < 0 || x >= width() || y >= height()) return;
    std::uint8_t* pixel = at(x, y);
    pixel[0] = ink.red;
    pixel[1] = ink.green;
    pixel[2] = ink.blue;
  }

  void hatch(const pixel_box& box) {
    constexpr colour kLight{236, 236, 240}, kDark{214, 214, 220};
    for (std::ptrdiff_t y = box.y; y < box.y + box.height; ++y)
      for (std::ptrdiff_t x = box.x; x < box.x + box.width; ++x)
        put(x, y, (x - box.x + y - box.y) % 12 < 4 ? kDark : kLight);
  }

  rgb_image image_;
};

}  // namespace imgsim
