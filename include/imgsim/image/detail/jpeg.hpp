// JPEG through TurboJPEG.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <turbojpeg.h>

#include <imgsim/image/detail/limits.hpp>
#include <imgsim/image/detail/orientation.hpp>

namespace imgsim::detail {

struct turbojpeg_destroy {
  void operator()(void* handle) const noexcept { tjDestroy(handle); }
};
using turbojpeg_handle = std::unique_ptr<void, turbojpeg_destroy>;

/// The EXIF block of a JPEG file, with its "Exif\0\0"; empty where there is none.
[[nodiscard]] inline std::span<const std::byte> jpeg_exif(std::span<const std::byte> file) {
  constexpr unsigned kStartOfScan = 0xda, kApplication1 = 0xe1;
  const auto byte = [&](std::size_t i) { return std::to_integer<unsigned>(file[i]); };
  std::size_t at = 2;  // after the start-of-image marker
  while (at + 4 <= file.size() && byte(at) == 0xff) {
    const unsigned marker = byte(at + 1);
    if (marker == 0xff) {  // a fill byte
      ++at;
      continue;
    }
    const std::size_t length = byte(at + 2) << 8 | byte(at + 3);  // counts itself, not the marker
    if (marker == kStartOfScan || length < 2 || length > file.size() - at - 2) break;
    const std::span<const std::byte> payload = file.subspan(at + 4, length - 2);
    if (marker == kApplication1 && payload.size() > kExifHeader.size() &&
        std::ranges::equal(payload.first(kExifHeader.size()), kExifHeader))
      return payload;
    at += 2 + length;
  }
  return {};
}

/// Stray bytes between the last scan and the end marker come from some phones' cameras and from editors. All pixels
/// are decoded by then, so this warning, unlike every other, does not mean that the picture is damaged.
[[nodiscard]] inline bool is_harmless_jpeg_warning(std::string_view message) {
  return message.ends_with("extraneous bytes before marker 0xd9");
}

inline void decode_jpeg(std::span<const std::byte> file, const decode_limits& limits, rgb_image& out) {
  const turbojpeg_handle handle(tjInitDecompress());
  if (!handle) throw std::bad_alloc();
  const auto* data = reinterpret_cast<const unsigned char*>(file.data());
  const auto refuse = [&] { throw image_error(concat("the JPEG is damaged: ", tjGetErrorStr2(handle.get()))); };

  int width = 0, height = 0, subsampling = -1, colour_space = -1;
  const int header = tjDecompressHeader3(handle.get(), data, file.size(), &width, &height, &subsampling, &colour_space);
  // TurboJPEG reports an error for subsamplings that it has no name for, although it decodes them.
  const bool only_unnamed_subsampling = header != 0 && width > 0 && height > 0 && colour_space >= 0 && subsampling < 0;
  if (header != 0 && !only_unnamed_subsampling) refuse();
  if (width <= 0 || height <= 0) throw image_error("the JPEG is damaged: it holds no picture");
  check_dimensions(static_cast<std::uint64_t>(width), static_cast<std::uint64_t>(height), limits);

  const bool four_inks = colour_space == TJCS_CMYK || colour_space == TJCS_YCCK;
  const std::size_t pixels = static_cast<std::size_t>(width) * static_cast<std::size_t>(height);
  set_size(out, static_cast<std::size_t>(width), static_cast<std::size_t>(height));
  std::vector<std::uint8_t> inks(four_inks ? 4 * pixels : 0);
  const int status = tjDecompress2(handle.get(), data, file.size(), four_inks ? inks.data() : out.pixels.data(), width,
                                   0, height, four_inks ? TJPF_CMYK : TJPF_RGB, TJFLAG_LIMITSCANS);
  if (status != 0 &&
      !(tjGetErrorCode(handle.get()) == TJERR_WARNING && is_harmless_jpeg_warning(tjGetErrorStr2(handle.get()))))
    refuse();
  // Every common writer stores inks as Adobe does, inverted: 255 is no ink.
  if (four_inks) {
    for (std::size_t i = 0; i < pixels; ++i)
      for (std::size_t c = 0; c < 3; ++c)
        out.pixels[3 * i + c] = static_cast<std::uint8_t>((inks[4 * i + c] * inks[4 * i + 3] + 127) / 255);
  }
  make_upright(out, exif_orientation(jpeg_exif(file)));
}

}  // namespace imgsim::detail
