// WebP through libwebp.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <webp/decode.h>

#include <imgsim/image/detail/limits.hpp>
#include <imgsim/image/detail/orientation.hpp>

namespace imgsim::detail {

/// The payload of the first chunk of that type in a WebP file; empty where there is none.
[[nodiscard]] inline std::span<const std::byte> webp_chunk(std::span<const std::byte> file, std::string_view type) {
  constexpr std::size_t kFileHeader = 12, kChunkHeader = 8;
  std::size_t at = kFileHeader;
  while (at + kChunkHeader <= file.size()) {
    std::size_t size = 0;
    for (std::size_t i = 0; i < 4; ++i) size |= std::to_integer<std::size_t>(file[at + 4 + i]) << (8 * i);
    const std::size_t rest = file.size() - at - kChunkHeader;
    if (size > rest) break;
    if (std::memcmp(file.data() + at, type.data(), type.size()) == 0) return file.subspan(at + kChunkHeader, size);
    at += kChunkHeader + size + size % 2;  // chunks are padded to an even size
  }
  return {};
}

inline void check_webp(VP8StatusCode status) {
  switch (status) {
    case VP8_STATUS_OK:
      return;
    case VP8_STATUS_OUT_OF_MEMORY:
      throw std::bad_alloc();
    case VP8_STATUS_NOT_ENOUGH_DATA:
    case VP8_STATUS_SUSPENDED:
      throw image_error("the WebP is damaged: the file ends too early");
    case VP8_STATUS_UNSUPPORTED_FEATURE:
      throw image_error("the WebP uses a feature that libwebp does not decode");
    default:
      throw image_error("the WebP is damaged: its data do not decode");
  }
}

[[nodiscard]] inline WebPBitstreamFeatures webp_features(std::span<const std::byte> data) {
  WebPBitstreamFeatures features{};
  check_webp(WebPGetFeatures(reinterpret_cast<const std::uint8_t*>(data.data()), data.size(), &features));
  return features;
}

/// Decodes one still picture (a file, or a frame's chunks) of the given size into dense pixels over white.
inline void decode_webp_still(std::span<const std::byte> data, const WebPBitstreamFeatures& features,
                              std::uint8_t* rgb) {
  const bool has_alpha = features.has_alpha != 0;
  const std::size_t pixels = static_cast<std::size_t>(features.width) * static_cast<std::size_t>(features.height);
  std::vector<std::uint8_t> rgba(has_alpha ? 4 * pixels : 0);

  WebPDecoderConfig config;
  if (WebPInitDecoderConfig(&config) == 0)
    throw backend_error("libwebp", "its version does not match the one compiled with");
  config.output.colorspace = has_alpha ? MODE_RGBA : MODE_RGB;
  config.output.is_external_memory = 1;
  config.output.u.RGBA.rgba = has_alpha ? rgba.data() : rgb;
  config.output.u.RGBA.stride = features.width * (has_alpha ? 4 : 3);
  config.output.u.RGBA.size = pixels * (has_alpha ? 4 : 3);
  check_webp(WebPDecode(reinterpret_cast<const std::uint8_t*>(data.data()), data.size(), &config));
  if (has_alpha) composite_over_white(rgba.data(), rgb, pixels);
}

/// The first frame of an animation, on its canvas. See the WebP container specification, "Animation".
inline void decode_webp_animation(std::span<const std::byte> file, rgb_image& out) {
  constexpr std::size_t kFrameHeader = 16;
  const std::span<const std::byte> frame = webp_chunk(file, "ANMF");
  if (frame.size() <= kFrameHeader) throw image_error("the WebP is damaged: its first frame is missing");
  const auto number_at = [&](std::size_t at) {
    return std::to_integer<std::size_t>(frame[at]) | std::to_integer<std::size_t>(frame[at + 1]) << 8 |
           std::to_integer<std::size_t>(frame[at + 2]) << 16;
  };
  const std::size_t left = 2 * number_at(0), top = 2 * number_at(3);
  const std::size_t width = number_at(6) + 1, height = number_at(9) + 1;
  const std::span<const std::byte> picture = frame.subspan(kFrameHeader);
  const WebPBitstreamFeatures features = webp_features(picture);
  if (static_cast<std::size_t>(features.width) != width || static_cast<std::size_t>(features.height) != height ||
      left + width > out.width || top + height > out.height)
    throw image_error("the WebP is damaged: its first frame does not fit its canvas");

  std::vector<std::uint8_t> rgb(3 * width * height);
  decode_webp_still(picture, features, rgb.data());
  std::ranges::fill(out.pixels, std::uint8_t{255});
  for (std::size_t y = 0; y < height; ++y)
    std::copy_n(rgb.data() + 3 * y * width, 3 * width, out.pixels.data() + 3 * ((top + y) * out.width + left));
}

inline void decode_webp(std::span<const std::byte> file, const decode_limits& limits, rgb_image& out) {
  const WebPBitstreamFeatures features = webp_features(file);
  check_dimensions(static_cast<std::uint64_t>(features.width), static_cast<std::uint64_t>(features.height), limits);
  set_size(out, static_cast<std::size_t>(features.width), static_cast<std::size_t>(features.height));
  if (features.has_animation != 0)
    decode_webp_animation(file, out);
  else
    decode_webp_still(file, features, out.pixels.data());
  make_upright(out, exif_orientation(webp_chunk(file, "EXIF")));
}

}  // namespace imgsim::detail
