// Photo files made in memory, so that tests need no data: PNG of every kind, WebP, and EXIF blocks.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <stdexcept>
#include <string_view>
#include <vector>

#include <png.h>
#include <webp/encode.h>
#include <zlib.h>

#include <imgsim/image/image.hpp>

namespace imgsim_test {

using bytes = std::vector<std::byte>;

inline void append(bytes& to, std::span<const std::byte> more) {
  to.insert(to.end(), more.begin(), more.end());
}
inline void append(bytes& to, std::string_view more) {
  append(to, std::as_bytes(std::span(more)));
}
inline void append_number(bytes& to, std::size_t number, std::size_t count, bool big_endian) {
  for (std::size_t i = 0; i < count; ++i)
    to.push_back(static_cast<std::byte>(number >> (8 * (big_endian ? count - 1 - i : i))));
}

/// Smooth, without symmetry, and different in each channel.
inline imgsim::rgb_image gradient(std::size_t width, std::size_t height) {
  imgsim::rgb_image image{width, height, std::vector<std::uint8_t>(width * height * 3)};
  for (std::size_t y = 0; y < height; ++y) {
    for (std::size_t x = 0; x < width; ++x) {
      image.view()(y, x, 0) = static_cast<std::uint8_t>(20 + 200 * x / width);
      image.view()(y, x, 1) = static_cast<std::uint8_t>(230 - 180 * y / height);
      image.view()(y, x, 2) = static_cast<std::uint8_t>(100 + 50 * (x * y) / (width * height));
    }
  }
  return image;
}

/// The picture that a camera stores for `upright` when it notes `orientation`: EXIF 2.32, table 4.6.4, says on which
/// side of the scene the stored row 0 and column 0 are.
inline imgsim::rgb_image stored_as(const imgsim::rgb_image& upright, int orientation) {
  const std::size_t w = upright.width, h = upright.height;
  imgsim::rgb_image stored{w, h, std::vector<std::uint8_t>(w * h * 3)};
  if (orientation >= 5) std::swap(stored.width, stored.height);
  for (std::size_t row = 0; row < stored.height; ++row) {
    for (std::size_t column = 0; column < stored.width; ++column) {
      const std::array<std::array<std::size_t, 2>, 8> scene{{{row, column},                  // 1: top, left
                                                             {row, w - 1 - column},          // 2: top, right
                                                             {h - 1 - row, w - 1 - column},  // 3: bottom, right
                                                             {h - 1 - row, column},          // 4: bottom, left
                                                             {column, row},                  // 5: left, top
                                                             {column, w - 1 - row},          // 6: right, top
                                                             {h - 1 - column, w - 1 - row},  // 7: right, bottom
                                                             {h - 1 - column, row}}};        // 8: left, bottom
      const auto [y, x] = scene[static_cast<std::size_t>(orientation - 1)];
      for (std::size_t c = 0; c < 3; ++c) stored.view()(row, column, c) = upright.view()(y, x, c);
    }
  }
  return stored;
}

/// A TIFF header with one entry, the orientation.
inline bytes tiff_with_orientation(int orientation, bool big_endian) {
  bytes block;
  append(block, big_endian ? "MM" : "II");
  const auto number = [&](std::size_t value, std::size_t count) { append_number(block, value, count, big_endian); };
  number(42, 2);
  number(8, 4);  // where the directory is
  number(1, 2);  // entries
  number(0x0112, 2);
  number(3, 2);  // short
  number(1, 4);
  number(static_cast<std::size_t>(orientation), 2);
  number(0, 2);
  number(0, 4);  // no further directory
  return block;
}

/// A JPEG file with an EXIF segment after its start.
inline bytes with_jpeg_exif(const bytes& jpeg, const bytes& tiff) {
  bytes file;
  file.reserve(jpeg.size() + tiff.size() + 10);
  append(file, std::span(jpeg).first(2));
  append(file, "\xff\xe1");
  append_number(file, 2 + 6 + tiff.size(), 2, true);
  append(file, std::string_view("Exif\0\0", 6));
  append(file, tiff);
  append(file, std::span(jpeg).subspan(2));
  return file;
}

struct png_description {
  std::size_t width, height;
  int colour_type, bit_depth;
  bool interlaced = false;
  std::vector<png_color> palette = {};
  std::vector<png_byte> palette_alpha = {};
  bool has_transparent_colour = false;
  png_color_16 transparent_colour = {};
  bytes exif = {};
};

/// A PNG file whose rows are packed as the format packs them. A mistake in the description ends the program.
inline bytes make_png(const png_description& d, std::vector<std::vector<png_byte>> rows) {
  bytes file;
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  png_set_write_fn(
      png, &file,
      [](png_structp p, png_bytep data, std::size_t size) {
        append(*static_cast<bytes*>(png_get_io_ptr(p)), std::as_bytes(std::span(data, size)));
      },
      [](png_structp) {});
  png_set_IHDR(png, info, static_cast<png_uint_32>(d.width), static_cast<png_uint_32>(d.height), d.bit_depth,
               d.colour_type, d.interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
               PNG_FILTER_TYPE_DEFAULT);
  if (!d.palette.empty()) png_set_PLTE(png, info, d.palette.data(), static_cast<int>(d.palette.size()));
  if (!d.palette_alpha.empty())
    png_set_tRNS(png, info, d.palette_alpha.data(), static_cast<int>(d.palette_alpha.size()), nullptr);
  if (d.has_transparent_colour) png_set_tRNS(png, info, nullptr, 0, &d.transparent_colour);
  bytes exif = d.exif;
  if (!exif.empty())
    png_set_eXIf_1(png, info, static_cast<png_uint_32>(exif.size()), reinterpret_cast<png_bytep>(exif.data()));
  std::vector<png_bytep> pointers;
  for (std::vector<png_byte>& row : rows) pointers.push_back(row.data());
  png_set_rows(png, info, pointers.data());
  png_write_png(png, info, PNG_TRANSFORM_IDENTITY, nullptr);
  png_destroy_write_struct(&png, &info);
  return file;
}

/// An RGB PNG.
inline bytes make_png(const imgsim::rgb_image& image, bytes exif = {}) {
  std::vector<std::vector<png_byte>> rows;
  for (std::size_t y = 0; y < image.height; ++y) {
    const std::uint8_t* begin = image.pixels.data() + y * image.width * 3;
    rows.emplace_back(begin, begin + image.width * 3);
  }
  return make_png({.width = image.width,
                   .height = image.height,
                   .colour_type = PNG_COLOR_TYPE_RGB,
                   .bit_depth = 8,
                   .exif = std::move(exif)},
                  std::move(rows));
}

/// Every optional part that decode_image() reads: a palette with transparency, and an orientation.
inline bytes make_palette_png() {
  return make_png({.width = 2,
                   .height = 2,
                   .colour_type = PNG_COLOR_TYPE_PALETTE,
                   .bit_depth = 8,
                   .palette = {{1, 2, 3}, {4, 5, 6}},
                   .palette_alpha = {100},
                   .exif = tiff_with_orientation(6, true)},
                  {{0, 1}, {1, 0}});
}

/// A PNG file with one more chunk, of a right checksum, after its header.
inline bytes with_png_chunk(const bytes& png, std::string_view type, std::string_view content) {
  constexpr std::size_t kHeaderEnd = 33;
  bytes file;
  file.reserve(png.size() + content.size() + 12);
  append(file, std::span(png).first(kHeaderEnd));
  append_number(file, content.size(), 4, true);
  const std::size_t checked = file.size();
  append(file, type);
  append(file, content);
  append_number(
      file, crc32(0, reinterpret_cast<const Bytef*>(file.data() + checked), static_cast<uInt>(file.size() - checked)),
      4, true);
  append(file, std::span(png).subspan(kHeaderEnd));
  return file;
}

/// A lossless WebP file of RGBA pixels.
inline bytes make_webp(std::size_t width, std::size_t height, const std::vector<std::uint8_t>& rgba) {
  std::uint8_t* data = nullptr;
  const std::size_t size = WebPEncodeLosslessRGBA(rgba.data(), static_cast<int>(width), static_cast<int>(height),
                                                  static_cast<int>(4 * width), &data);
  if (size == 0) throw std::runtime_error("libwebp cannot encode");
  const auto* begin = reinterpret_cast<const std::byte*>(data);
  bytes file(begin, begin + size);
  WebPFree(data);
  return file;
}

inline bytes make_webp(const imgsim::rgb_image& image) {
  std::vector<std::uint8_t> rgba;
  for (std::size_t i = 0; i < image.width * image.height; ++i) {
    rgba.insert(rgba.end(), image.pixels.begin() + static_cast<std::ptrdiff_t>(3 * i),
                image.pixels.begin() + static_cast<std::ptrdiff_t>(3 * i + 3));
    rgba.push_back(255);
  }
  return make_webp(image.width, image.height, rgba);
}

inline bytes webp_chunk(std::string_view type, std::span<const std::byte> content) {
  bytes chunk;
  append(chunk, type);
  append_number(chunk, content.size(), 4, false);
  append(chunk, content);
  if (content.size() % 2 != 0) chunk.push_back(std::byte{0});
  return chunk;
}

enum webp_flag : std::size_t { webp_animated = 0x02, webp_exif = 0x08, webp_alpha = 0x10 };

/// An extended WebP file: canvas size, flags, then the given chunks.
inline bytes extended_webp(std::size_t width, std::size_t height, std::size_t flags,
                           std::initializer_list<bytes> chunks) {
  bytes header;
  append_number(header, flags, 4, false);
  append_number(header, width - 1, 3, false);
  append_number(header, height - 1, 3, false);
  bytes body;
  append(body, "WEBP");
  append(body, webp_chunk("VP8X", header));
  for (const bytes& chunk : chunks) append(body, chunk);
  return webp_chunk("RIFF", body);
}

/// The chunks of a simple WebP file, without the file's header.
inline bytes webp_content(const bytes& file) {
  return {file.begin() + 12, file.end()};
}

}  // namespace imgsim_test
