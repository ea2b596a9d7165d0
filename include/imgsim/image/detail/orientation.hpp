// The EXIF orientation tag: what it says, and turning the photo upright.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include <libexif/exif-data.h>

#include <imgsim/image/image.hpp>

namespace imgsim::detail {

inline constexpr std::array<std::byte, 6> kExifHeader{std::byte{'E'}, std::byte{'x'}, std::byte{'i'},
                                                      std::byte{'f'}, std::byte{0},   std::byte{0}};

/// The orientation, 1 to 8, in an EXIF block ("Exif\0\0" and a TIFF header, or the TIFF header alone as PNG and WebP
/// store it). 1, upright, where there is none or it makes no sense: a damaged tag never costs the photo.
[[nodiscard]] inline int exif_orientation(std::span<const std::byte> block) {
  if (block.empty()) return 1;
  std::vector<std::byte> with_header;
  if (!std::ranges::equal(block.first(std::min(block.size(), kExifHeader.size())), kExifHeader)) {
    with_header.assign(kExifHeader.begin(), kExifHeader.end());
    with_header.insert(with_header.end(), block.begin(), block.end());
    block = with_header;
  }
  if (block.size() > 1u << 20) return 1;  // a JPEG's is at most 64 KiB

  struct release {
    void operator()(ExifData* data) const noexcept { exif_data_unref(data); }
  };
  const std::unique_ptr<ExifData, release> data(exif_data_new());
  if (!data) return 1;
  exif_data_unset_option(data.get(), EXIF_DATA_OPTION_FOLLOW_SPECIFICATION);
  exif_data_load_data(data.get(), reinterpret_cast<const unsigned char*>(block.data()),
                      static_cast<unsigned>(block.size()));
  const ExifEntry* entry = exif_content_get_entry(data->ifd[EXIF_IFD_0], EXIF_TAG_ORIENTATION);
  if (entry == nullptr || entry->format != EXIF_FORMAT_SHORT || entry->components != 1 || entry->size < 2) return 1;
  const int orientation = exif_get_short(entry->data, exif_data_get_byte_order(data.get()));
  return orientation >= 1 && orientation <= 8 ? orientation : 1;
}

/// Turns a photo stored in `orientation` upright.
inline void make_upright(rgb_image& image, int orientation) {
  if (orientation <= 1 || orientation > 8) return;
  const bool swaps_sides = orientation >= 5;
  const bool from_right = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool from_bottom = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;

  const auto stored_width = static_cast<std::ptrdiff_t>(image.width);
  const auto stored_height = static_cast<std::ptrdiff_t>(image.height);
  const std::ptrdiff_t along_row = from_right ? -3 : 3;
  const std::ptrdiff_t along_column = from_bottom ? -3 * stored_width : 3 * stored_width;
  const std::ptrdiff_t origin =
      (from_right ? 3 * (stored_width - 1) : 0) + (from_bottom ? 3 * stored_width * (stored_height - 1) : 0);

  rgb_image upright{image.width, image.height, std::vector<std::uint8_t>(image.pixels.size())};
  if (swaps_sides) std::swap(upright.width, upright.height);
  const std::ptrdiff_t step_x = swaps_sides ? along_column : along_row;
  const std::ptrdiff_t step_y = swaps_sides ? along_row : along_column;

  // Square tiles, so that a quarter turn of a large photo stays in the cache.
  constexpr std::size_t kTile = 32;
  for (std::size_t tile_y = 0; tile_y < upright.height; tile_y += kTile) {
    for (std::size_t tile_x = 0; tile_x < upright.width; tile_x += kTile) {
      for (std::size_t y = tile_y; y < std::min(tile_y + kTile, upright.height); ++y) {
        const std::uint8_t* source = image.pixels.data() + origin + static_cast<std::ptrdiff_t>(y) * step_y +
                                     static_cast<std::ptrdiff_t>(tile_x) * step_x;
        std::uint8_t* target = upright.pixels.data() + 3 * (y * upright.width + tile_x);
        const std::size_t count = std::min(kTile, upright.width - tile_x);
        for (std::size_t x = 0; x < count; ++x, target += 3)
          std::copy_n(source + static_cast<std::ptrdiff_t>(x) * step_x, 3, target);
      }
    }
  }
  image = std::move(upright);
}

}  // namespace imgsim::detail
