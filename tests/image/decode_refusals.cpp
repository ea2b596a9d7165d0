// Files from strangers: cut, changed, too large, or something else altogether.
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <utility>

#include <sys/stat.h>

#include <boost/test/unit_test.hpp>

#include <imgsim/image/decode.hpp>
#include <imgsim/image/encode.hpp>

#include "image/decode_support.hpp"
#include "image/made_files.hpp"
#include "support/temporary_folder.hpp"

namespace {

using namespace imgsim_test;
using imgsim::decode_image;
using imgsim::decode_limits;
using imgsim::rgb_image;

bytes from_text(std::string_view text) {
  bytes file;
  append(file, text);
  return file;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(refusing)

BOOST_AUTO_TEST_CASE(a_file_cut_anywhere_is_refused) {
  const rgb_image image = gradient(24, 16);
  const bytes png = make_png(image), jpeg = imgsim::encode_jpeg(image.view()), webp = make_webp(image);
  const std::string printed = standard_error_of([&] {
    for (const bytes* file : {&png, &jpeg, &webp}) {
      BOOST_TEST(refusal(*file) == "");
      for (std::size_t size = 0; size < file->size(); ++size) {
        const std::string reason = refusal({file->begin(), file->begin() + static_cast<std::ptrdiff_t>(size)});
        BOOST_TEST(reason != "", "cut to " << size << " of " << file->size() << " bytes");
        BOOST_TEST(!contains(reason, "\n"));
      }
    }
  });
  BOOST_TEST(printed == "");
}

BOOST_AUTO_TEST_CASE(a_changed_byte_is_refused_or_harmless) {
  const rgb_image image = gradient(24, 16);
  const bytes png = make_png(image), jpeg = imgsim::encode_jpeg(image.view()), webp = make_webp(image);
  const bytes palette_png = make_palette_png();
  const std::string printed = standard_error_of([&] {
    for (const bytes* original : {&png, &palette_png, &jpeg, &webp}) {
      for (std::size_t at = 0; at < original->size(); ++at) {
        for (const unsigned flip : {0x01u, 0x80u, 0xffu}) {
          bytes file = *original;
          file[at] ^= static_cast<std::byte>(flip);
          const std::string reason = refusal(file, {.max_pixels = 1u << 20});
          // Each byte of a PNG is under a checksum; JPEG and WebP have none, so that a changed byte may pass.
          if (original == &png || original == &palette_png) BOOST_TEST(reason != "", "byte " << at);
        }
      }
    }
  });
  BOOST_TEST(printed == "");
}

BOOST_AUTO_TEST_CASE(stray_bytes_before_the_end_of_a_jpeg_are_harmless) {
  const rgb_image image = gradient(24, 16);
  const bytes jpeg = imgsim::encode_jpeg(image.view());
  bytes file(jpeg.begin(), jpeg.end() - 2);
  append(file, std::string_view("\0\0\0\0\0", 5));
  append(file, "\xff\xd9");
  BOOST_TEST(largest_difference(decode_image(file), decode_image(jpeg)) == 0);
  append(file, "whatever follows the end");
  BOOST_TEST(largest_difference(decode_image(file), decode_image(jpeg)) == 0);
}

BOOST_AUTO_TEST_CASE(metadata_of_a_png_that_is_not_used_may_be_wrong) {
  const rgb_image image = gradient(8, 8);
  const bytes png = make_png(image);
  for (const auto& [type, content] : std::initializer_list<std::pair<std::string_view, std::string_view>>{
           {"iCCP", "not a profile"}, {"gAMA", "x"}, {"zTXt", "key"}, {"tIME", ""}, {"prVt", "private"}}) {
    BOOST_TEST(largest_difference(decode_image(with_png_chunk(png, type, content)), image) == 0, type);
  }
  BOOST_TEST(contains(refusal(with_png_chunk(png, "tRNS", "wrong size")), "tRNS"));
  BOOST_TEST(contains(refusal(with_png_chunk(png, "IHDR", "")), "IHDR"));
}

BOOST_AUTO_TEST_CASE(limits_hold_to_the_pixel) {
  const rgb_image image = gradient(30, 20);
  for (const bytes& file : {make_png(image), imgsim::encode_jpeg(image.view()), make_webp(image)}) {
    BOOST_TEST(refusal(file, {.max_pixels = 600}) == "");
    BOOST_TEST(contains(refusal(file, {.max_pixels = 599}), "30 x 20 pixels are more than the limit of 599"));
    BOOST_TEST(refusal(file, {.min_side = 20}) == "");
    BOOST_TEST(contains(refusal(file, {.min_side = 21}), "30 x 20 pixels, but each side needs at least 21"));
    BOOST_TEST(refusal(file, {.max_file_bytes = file.size()}) == "");
    BOOST_TEST(contains(refusal(file, {.max_file_bytes = file.size() - 1}), "more than the limit"));
  }
  // 2^31 - 1 a side: the product must not wrap.
  bytes png = make_png(image);
  for (std::size_t i = 16; i < 24; ++i) png[i] = std::byte{0xff};
  png[16] = png[20] = std::byte{0x7f};
  BOOST_TEST(contains(refusal(png), "--max-pixels"));
}

BOOST_AUTO_TEST_CASE(other_content_is_named) {
  using namespace std::string_view_literals;
  BOOST_TEST(refusal({}) == "the file is empty");
  BOOST_TEST(contains(refusal(from_text("GIF89a....")), "a GIF"));
  BOOST_TEST(contains(refusal(from_text("II*\0...."sv)), "a TIFF"));
  BOOST_TEST(contains(refusal(from_text("\0\0\0\x18"
                                        "ftypheic...."sv)),
                      "HEIC"));
  BOOST_TEST(contains(refusal(from_text("<!DOCTYPE html>")), "a web page"));
  BOOST_TEST(contains(refusal(from_text("RIFF....WAVE")), "no JPEG, PNG or WebP"));
  BOOST_TEST(contains(refusal(from_text("\xff")), "no JPEG, PNG or WebP"));
}

BOOST_AUTO_TEST_CASE(memory_is_used_again) {
  rgb_image image;
  decode_image(make_png(gradient(40, 30)), {}, image);
  const std::uint8_t* memory = image.pixels.data();
  const rgb_image small = gradient(9, 7);
  decode_image(make_png(small), {}, image);
  BOOST_TEST(image.pixels.data() == memory);
  BOOST_TEST(largest_difference(image, small) == 0);
}

BOOST_AUTO_TEST_CASE(reading_a_file_names_it_and_never_waits) {
  const temporary_folder folder;
  const auto reason = [&](const std::filesystem::path& path, const decode_limits& limits = {}) {
    try {
      static_cast<void>(imgsim::read_image(path, limits));
      return std::string();
    } catch (const imgsim::io_error& failure) {
      BOOST_TEST(failure.path() == path);
      return failure.reason();
    }
  };
  const rgb_image image = gradient(20, 10);
  const bytes png = make_png(image);
  const std::filesystem::path named = folder.path() / "-odd\nname\xff.txt";
  std::ofstream(named).write(reinterpret_cast<const char*>(png.data()), static_cast<std::streamsize>(png.size()));
  BOOST_TEST(largest_difference(imgsim::read_image(named), image) == 0);
  BOOST_TEST(contains(reason(named, {.max_file_bytes = png.size() - 1}), "more than the limit"));
  BOOST_TEST(contains(reason(named, {.max_pixels = 100}), "--max-pixels"));
  BOOST_TEST(reason(folder.path() / "absent.jpg") == "cannot be opened: No such file or directory");
  BOOST_TEST(reason(folder.path()) == "is a folder, not a file");
  const std::filesystem::path pipe = folder.path() / "pipe.jpg";
  BOOST_REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  BOOST_TEST(reason(pipe) == "is a named pipe, not a file");
  BOOST_TEST(reason("/dev/zero") == "is a device, not a file");
}

BOOST_AUTO_TEST_SUITE_END()
