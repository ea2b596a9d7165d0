// Pictures to bytes: PNG and JPEG, for reports and sample sets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include <png.h>
#include <turbojpeg.h>

#include <imgsim/core/error.hpp>
#include <imgsim/core/view.hpp>

namespace imgsim {

namespace detail {

inline void check_encodable(const view<const std::uint8_t, 3>& rgb, std::size_t longest_side) {
  IMGSIM_EXPECTS(!rgb.empty() && rgb.extent(2) == 3 && rgb.stride(1) == 3,
                 "a picture to encode is [H, W, 3] with dense rows, not ", shape_text(rgb));
  IMGSIM_EXPECTS(rgb.extent(0) <= longest_side && rgb.extent(1) <= longest_side, "a picture of shape ", shape_text(rgb),
                 " is too large for this file format: ", longest_side, " pixels a side at most");
}

}  // namespace detail

/// A whole PNG file of an sRGB picture [H, W, 3]; equal pixels give equal bytes. Throws invalid_argument for an empty
/// picture or one of another shape.
[[nodiscard]] inline std::vector<std::byte> encode_png(view<const std::uint8_t, 3> rgb) {
  detail::check_encodable(rgb, 1u << 20);
  const std::size_t row = 3 * rgb.extent(1);
  // libpng counts a row's stride in an int: strided pictures are made dense.
  std::vector<std::uint8_t> dense;
  if (rgb.stride(0) != row) {
    dense.reserve(row * rgb.extent(0));
    for (std::size_t y = 0; y < rgb.extent(0); ++y) {
      const std::uint8_t* begin = rgb.data() + y * rgb.stride(0);
      dense.insert(dense.end(), begin, begin + row);
    }
  }
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(rgb.extent(1));
  image.height = static_cast<png_uint_32>(rgb.extent(0));
  image.format = PNG_FORMAT_RGB;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
  std::vector<std::byte> file(size);
  if (png_image_write_to_memory(&image, file.data(), &size, 0, dense.empty() ? rgb.data() : dense.data(), 0, nullptr) ==
      0)
    throw backend_error("libpng", image.message);
  file.resize(size);
  return file;
}

/// A whole JPEG file of an sRGB picture [H, W, 3], chroma at half size. `quality` from 1 to 100. Throws
/// invalid_argument for an empty picture, one of another shape, or more than 65500 pixels a side.
[[nodiscard]] inline std::vector<std::byte> encode_jpeg(view<const std::uint8_t, 3> rgb, int quality = 90) {
  detail::check_encodable(rgb, 65500);
  IMGSIM_EXPECTS(quality >= 1 && quality <= 100, "a JPEG's quality is from 1 to 100, not ", quality);
  IMGSIM_EXPECTS(rgb.stride(0) <= 1u << 30, "the rows of the picture lie too far apart");
  struct destroy {
    void operator()(void* handle) const noexcept { tjDestroy(handle); }
  };
  struct release {
    void operator()(unsigned char* bytes) const noexcept { tjFree(bytes); }
  };
  const std::unique_ptr<void, destroy> handle(tjInitCompress());
  if (!handle) throw std::bad_alloc();
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  const int status =
      tjCompress2(handle.get(), rgb.data(), static_cast<int>(rgb.extent(1)), static_cast<int>(rgb.stride(0)),
                  static_cast<int>(rgb.extent(0)), TJPF_RGB, &bytes, &size, TJSAMP_420, quality, 0);
  const std::unique_ptr<unsigned char, release> owner(bytes);
  if (status != 0) throw backend_error("TurboJPEG", tjGetErrorStr2(handle.get()));
  const auto* begin = reinterpret_cast<const std::byte*>(bytes);
  return {begin, begin + size};
}

}  // namespace imgsim
