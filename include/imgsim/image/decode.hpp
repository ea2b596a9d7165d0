// Photos from bytes: JPEG, PNG and WebP, told apart by content and never by name.
//
// Whatever the file holds (grey, palette, transparency, four inks, 16 bits, any EXIF orientation), the result is
// upright 8-bit RGB. Transparency is laid over white. Of an animation the first frame is taken. Colour profiles and
// gamma are ignored, as by most machine-learning pipelines. Nothing is printed, and nothing is allocated for pixels
// before the size that the file claims has been checked.
//
//   const imgsim::rgb_image photo = imgsim::read_image("cat.jpg");
//   photo.view()(y, x, channel);
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <span>
#include <string_view>
#include <vector>

#include <imgsim/core/error.hpp>
#include <imgsim/core/file.hpp>
#include <imgsim/image/detail/jpeg.hpp>
#include <imgsim/image/detail/limits.hpp>
#include <imgsim/image/detail/png.hpp>
#include <imgsim/image/detail/webp.hpp>

namespace imgsim {

namespace detail {

[[nodiscard]] inline bool has_bytes_at(std::span<const std::byte> file, std::size_t at, std::string_view bytes) {
  return file.size() >= at + bytes.size() && std::memcmp(file.data() + at, bytes.data(), bytes.size()) == 0;
}

/// Says what a file is that is no JPEG, PNG or WebP.
[[noreturn]] inline void refuse_unknown_content(std::span<const std::byte> file) {
  using namespace std::string_view_literals;
  if (file.empty()) throw image_error("the file is empty");
  constexpr struct {
    std::size_t at;
    std::string_view bytes, name;
  } kKnown[] = {{0, "GIF8"sv, "a GIF"},
                {0, "BM"sv, "a BMP"},
                {0, "II*\0"sv, "a TIFF or raw photo"},
                {0, "MM\0*"sv, "a TIFF or raw photo"},
                {4, "ftyp"sv, "a HEIC, AVIF or video file"},
                {0, "%PDF"sv, "a PDF"},
                {0, "<"sv, "a web page or XML"}};
  for (const auto& known : kKnown)
    if (has_bytes_at(file, known.at, known.bytes))
      throw image_error(concat("it is no JPEG, PNG or WebP picture but ", known.name));
  throw image_error("it is no JPEG, PNG or WebP picture");
}

}  // namespace detail

/// Decodes into `out`, whose memory is used again where it suffices; after a throw its content is unspecified.
/// Throws image_error where the bytes are no whole and sound picture within `limits`.
inline void decode_image(std::span<const std::byte> file, const decode_limits& limits, rgb_image& out) {
  using namespace std::string_view_literals;
  if (file.size() > limits.max_file_bytes)
    throw image_error(
        detail::concat("the file has ", file.size(), " bytes, more than the limit of ", limits.max_file_bytes));
  if (detail::has_bytes_at(file, 0, "\xff\xd8"sv)) return detail::decode_jpeg(file, limits, out);
  if (detail::has_bytes_at(file, 0, "\x89PNG\r\n\x1a\n"sv)) return detail::decode_png(file, limits, out);
  if (detail::has_bytes_at(file, 0, "RIFF"sv) && detail::has_bytes_at(file, 8, "WEBP"sv))
    return detail::decode_webp(file, limits, out);
  detail::refuse_unknown_content(file);
}

/// The photo in `file` (the bytes of a whole file). Throws image_error, see above.
[[nodiscard]] inline rgb_image decode_image(std::span<const std::byte> file, const decode_limits& limits = {}) {
  rgb_image image;
  decode_image(file, limits, image);
  return image;
}

/// The photo in a file. Throws io_error, whose reason is image_error's sentence where the content is at fault.
/// Only regular files are read: a FIFO or a device is refused without waiting for it.
[[nodiscard]] inline rgb_image read_image(const std::filesystem::path& path, const decode_limits& limits = {}) {
  const std::vector<std::byte> bytes = read_file(path, limits.max_file_bytes);
  try {
    return decode_image(bytes, limits);
  } catch (const image_error& failure) {
    throw io_error(path, failure.what());
  }
}

}  // namespace imgsim
