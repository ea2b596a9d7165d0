// PNG through libpng.
#pragma once

#include <array>
#include <csetjmp>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <new>
#include <span>
#include <string_view>
#include <vector>

#include <png.h>

#include <imgsim/image/detail/limits.hpp>
#include <imgsim/image/detail/orientation.hpp>

namespace imgsim::detail {

/// Owns libpng's reader. libpng leaves by longjmp, so each call into it is a step of guarded(), whose frame and body
/// hold nothing that has a destructor.
class png_reader {
 public:
  explicit png_reader(std::span<const std::byte> file)
      : rest_(file), png_(png_create_read_struct(PNG_LIBPNG_VER_STRING, this, &on_error, &on_warning)) {
    if (png_ != nullptr) info_ = png_create_info_struct(png_);
    if (info_ == nullptr) {
      png_destroy_read_struct(&png_, nullptr, nullptr);
      throw std::bad_alloc();
    }
  }
  png_reader(const png_reader&) = delete;
  png_reader& operator=(const png_reader&) = delete;
  ~png_reader() { png_destroy_read_struct(&png_, &info_, nullptr); }

  /// Runs step(png, info); throws image_error where libpng gave up, or warned about anything that shapes the pixels.
  template <class Step>
  void guarded(Step step) {
    const bool done = completes(step);
    if (!done || damaged_) throw image_error(concat("the PNG is damaged: ", message_.data()));
  }

  static void read(png_structp png, png_bytep target, std::size_t count) {
    auto& self = *static_cast<png_reader*>(png_get_io_ptr(png));
    if (count > self.rest_.size()) png_error(png, "the file ends too early");
    std::memcpy(target, self.rest_.data(), count);
    self.rest_ = self.rest_.subspan(count);
  }

 private:
  template <class Step>
  [[nodiscard]] bool completes(Step& step) {
    if (setjmp(png_jmpbuf(png_)) != 0) return false;  // NOLINT(cert-err52-cpp): libpng's way out
    step(png_, info_);
    return true;
  }

  void keep(const char* message) noexcept {
    static_cast<void>(std::snprintf(message_.data(), message_.size(), "%s", message));
  }

  [[noreturn]] static void on_error(png_structp png, png_const_charp message) {
    static_cast<png_reader*>(png_get_error_ptr(png))->keep(message);
    png_longjmp(png, 1);
  }

  /// Most warnings are about metadata ("iCCP: known incorrect sRGB profile") that is not used; those about a chunk
  /// that the pixels come from mean that the picture is not what was saved.
  static void on_warning(png_structp png, png_const_charp message) {
    auto& self = *static_cast<png_reader*>(png_get_error_ptr(png));
    for (const std::string_view chunk : {"IHDR", "PLTE", "IDAT", "tRNS", "IEND"}) {
      if (self.damaged_ || !std::string_view(message).starts_with(chunk)) continue;
      self.damaged_ = true;
      self.keep(message);
    }
  }

  std::span<const std::byte> rest_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  bool damaged_ = false;
  std::array<char, 128> message_{};
};

/// Width and height from the header chunk, whose place is fixed; throws image_error where it is not there.
inline void check_png_header(std::span<const std::byte> file, const decode_limits& limits) {
  constexpr std::size_t kChunkType = 12, kWidth = 16, kHeight = 20, kHeaderEnd = 33;
  if (file.size() < kHeaderEnd || std::memcmp(file.data() + kChunkType, "IHDR", 4) != 0)
    throw image_error("the PNG is damaged: it does not begin with a whole header");
  const auto number_at = [&](std::size_t at) {
    std::uint32_t number = 0;
    for (std::size_t i = 0; i < 4; ++i) number = number << 8 | std::to_integer<std::uint32_t>(file[at + i]);
    return number;
  };
  check_dimensions(number_at(kWidth), number_at(kHeight), limits);
}

inline void decode_png(std::span<const std::byte> file, const decode_limits& limits, rgb_image& out) {
  check_png_header(file, limits);
  png_reader reader(file);
  std::size_t width = 0, height = 0;
  bool has_alpha = false;
  reader.guarded([&](png_structp png, png_infop info) {
    png_set_read_fn(png, png_get_error_ptr(png), &png_reader::read);
    png_set_crc_action(png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
    // Text, profiles and gamma are not used, and are a way to make a reader unpack much: skip them.
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_AS_DEFAULT, reinterpret_cast<png_const_bytep>("eXIf"), 1);
    png_read_info(png, info);
    png_set_expand(png);  // palette to RGB, 1, 2 and 4 bits to 8, tRNS to alpha
    png_set_scale_16(png);
    png_set_gray_to_rgb(png);
    png_set_interlace_handling(png);
    png_read_update_info(png, info);
    width = png_get_image_width(png, info);
    height = png_get_image_height(png, info);
    has_alpha = png_get_channels(png, info) == 4;
  });

  set_size(out, width, height);
  const std::size_t channels = has_alpha ? 4 : 3;
  std::vector<std::uint8_t> rgba(has_alpha ? 4 * width * height : 0);
  std::vector<png_bytep> rows(height);
  std::uint8_t* target = has_alpha ? rgba.data() : out.pixels.data();
  for (std::size_t y = 0; y < height; ++y) rows[y] = target + y * width * channels;

  std::span<const std::byte> exif;
  reader.guarded([&](png_structp png, png_infop info) {
    png_read_image(png, rows.data());
    png_read_end(png, info);  // also finds out whether the end is missing
    png_uint_32 size = 0;
    png_bytep block = nullptr;
    if (png_get_eXIf_1(png, info, &size, &block) != 0)
      exif = std::span(reinterpret_cast<const std::byte*>(block), size);
  });
  if (has_alpha) composite_over_white(rgba.data(), out.pixels.data(), width * height);
  make_upright(out, exif_orientation(exif));
}

}  // namespace imgsim::detail
