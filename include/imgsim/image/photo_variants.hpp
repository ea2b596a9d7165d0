// What happens to a photo on its way through cameras, editors and the web, redone on purpose: near-duplicates whose
// original is known, to calibrate scores with and to judge an encoder by.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include <imgsim/core/error.hpp>
#include <imgsim/core/random.hpp>
#include <imgsim/core/view.hpp>
#include <imgsim/image/decode.hpp>
#include <imgsim/image/encode.hpp>
#include <imgsim/image/image.hpp>
#include <imgsim/image/photo_batch.hpp>
#include <imgsim/image/resize.hpp>

namespace imgsim {

/// One change each; `view` is several at once, as strong as a photo bears and still shows the same thing. All are saved
/// as JPEG, of quality 85 where nothing else is said.
enum class photo_variant {
  crop,         ///< to 0.85 .. 0.97 of each side, anywhere
  mirror,       ///< left and right exchanged
  brightness,   ///< times 0.75 .. 0.9 or 1.1 .. 1.3
  contrast,     ///< the same factors, about the mean
  blur,         ///< shrunk 2 to 3 times and enlarged again
  low_quality,  ///< JPEG of quality 10 to 30
  resize,       ///< to 0.4 .. 0.8 of its size
  view  ///< crop to 0.7 .. 1 of each side, then brightness and contrast times 0.75 .. 1.3; half of them mirrored
};

/// Those that leave a near-duplicate.
inline constexpr std::array kDuplicateVariants{
    photo_variant::crop, photo_variant::mirror,      photo_variant::brightness, photo_variant::contrast,
    photo_variant::blur, photo_variant::low_quality, photo_variant::resize};

/// "low_quality"
[[nodiscard]] constexpr std::string_view name_of(photo_variant variant) noexcept {
  constexpr std::array<std::string_view, 8> kNames{"crop", "mirror",      "brightness", "contrast",
                                                   "blur", "low_quality", "resize",     "view"};
  return kNames[static_cast<std::size_t>(variant)];
}

namespace detail {

[[nodiscard]] inline rgb_image blank_image(std::size_t width, std::size_t height) {
  return {.width = width, .height = height, .pixels = std::vector<std::uint8_t>(width * height * 3)};
}

[[nodiscard]] inline rgb_image resized_image(view<const std::uint8_t, 3> photo, std::size_t width, std::size_t height) {
  rgb_image image = blank_image(width, height);
  resize_bilinear(photo, image.view());
  return image;
}

[[nodiscard]] inline std::size_t scaled_side(std::size_t side, double factor) {
  return std::clamp<std::size_t>(static_cast<std::size_t>(std::lround(static_cast<double>(side) * factor)),
                                 std::min<std::size_t>(side, 2), side);
}

/// A part of `low` .. 1 of each side, at any place.
[[nodiscard]] inline view<const std::uint8_t, 3> random_part(view<const std::uint8_t, 3> photo, double low, double high,
                                                             random_stream& random) {
  const std::size_t height = scaled_side(photo.extent(0), random.uniform(low, high));
  const std::size_t width = scaled_side(photo.extent(1), random.uniform(low, high));
  const auto y = static_cast<std::size_t>(random.below(photo.extent(0) - height + 1));
  const auto x = static_cast<std::size_t>(random.below(photo.extent(1) - width + 1));
  return {&photo(y, x, 0), {height, width, 3}, {photo.stride(0), 3, 1}};
}

[[nodiscard]] inline rgb_image copied(view<const std::uint8_t, 3> photo) {
  rgb_image image = blank_image(photo.extent(1), photo.extent(0));
  for (std::size_t y = 0; y < image.height; ++y)
    std::copy_n(&photo(y, 0, 0), image.width * 3,
                image.pixels.begin() + static_cast<std::ptrdiff_t>(y * image.width * 3));
  return image;
}

/// level -> centre + factor (level - centre), cut off at black and white.
inline void scale_levels(rgb_image& image, double factor, double centre) {
  for (std::uint8_t& level : image.pixels)
    level = static_cast<std::uint8_t>(std::clamp(std::lround(centre + factor * (level - centre)), 0L, 255L));
}

[[nodiscard]] inline double mean_level(const rgb_image& image) {
  std::uint64_t sum = 0;
  for (const std::uint8_t level : image.pixels) sum += level;
  return static_cast<double>(sum) / static_cast<double>(std::max<std::size_t>(image.pixels.size(), 1));
}

[[nodiscard]] inline double visible_factor(random_stream& random) {
  return random.below(2) == 0 ? random.uniform(0.75, 0.9) : random.uniform(1.1, 1.3);
}

}  // namespace detail

/// The mirror image of a photo [H, W, 3].
[[nodiscard]] inline rgb_image mirrored(view<const std::uint8_t, 3> photo) {
  rgb_image image = detail::copied(photo);
  mirror(image.view());
  return image;
}

/// A photo shrunk to at most `longest` pixels a side; it is never enlarged.
[[nodiscard]] inline rgb_image shrunk_to(view<const std::uint8_t, 3> photo, std::size_t longest) {
  const std::size_t side = std::max(photo.extent(0), photo.extent(1));
  if (side <= longest) return detail::copied(photo);
  const double factor = static_cast<double>(longest) / static_cast<double>(side);
  return detail::resized_image(photo, detail::scaled_side(photo.extent(1), factor),
                               detail::scaled_side(photo.extent(0), factor));
}

/// A variant of `photo` [H, W, 3], drawn with `random`. Throws invalid_argument for a photo of fewer than two pixels a
/// side, which decoders refuse.
[[nodiscard]] inline rgb_image make_variant(view<const std::uint8_t, 3> photo, photo_variant variant,
                                            random_stream& random) {
  IMGSIM_EXPECTS(photo.extent(0) > 1 && photo.extent(1) > 1 && photo.extent(2) == 3 && photo.stride(1) == 3,
                 "a photo to vary is [H, W, 3] with dense rows and two pixels a side or more, not ", shape_text(photo));
  const auto scaled = [](view<const std::uint8_t, 3> from, double factor) {
    return detail::resized_image(from, detail::scaled_side(from.extent(1), factor),
                                 detail::scaled_side(from.extent(0), factor));
  };
  rgb_image image;
  int quality = 85;
  switch (variant) {
    case photo_variant::crop:
      image = detail::copied(detail::random_part(photo, 0.85, 0.97, random));
      break;
    case photo_variant::mirror:
      image = mirrored(photo);
      break;
    case photo_variant::brightness:
      image = detail::copied(photo);
      detail::scale_levels(image, detail::visible_factor(random), 0.0);
      break;
    case photo_variant::contrast:
      image = detail::copied(photo);
      detail::scale_levels(image, detail::visible_factor(random), detail::mean_level(image));
      break;
    case photo_variant::blur: {
      const rgb_image small = scaled(photo, 1.0 / random.uniform(2.0, 3.0));
      image = detail::resized_image(small.view(), photo.extent(1), photo.extent(0));
      break;
    }
    case photo_variant::low_quality:
      image = detail::copied(photo);
      quality = 10 + static_cast<int>(random.below(21));
      break;
    case photo_variant::resize:
      image = scaled(photo, random.uniform(0.4, 0.8));
      break;
    case photo_variant::view:
      image = detail::copied(detail::random_part(photo, 0.7, 1.0, random));
      if (random.below(2) == 0) mirror(image.view());
      detail::scale_levels(image, random.uniform(0.75, 1.3), 0.0);
      detail::scale_levels(image, random.uniform(0.75, 1.3), detail::mean_level(image));
      break;
  }
  return decode_image(encode_jpeg(std::as_const(image).view(), quality));
}

}  // namespace imgsim
