// JPEG, PNG and WebP: imgsim/image/decode.hpp.
#include <image/made_files.hpp>

#include <imgsim/image/decode.hpp>
#include <imgsim/image/encode.hpp>

#include "../target.hpp"

namespace imgsim_fuzz {

namespace {

bool read_photo(std::span<const std::byte> input) {
  imgsim::decode_limits limits;
  limits.max_pixels = 1u << 18;  // more would only be slower
  return accepts([&] {
    const imgsim::rgb_image image = imgsim::decode_image(input, limits);
    must(image.width >= limits.min_side && image.height >= limits.min_side, "a photo has its least side");
    must(image.width * image.height <= limits.max_pixels, "a photo has no more pixels than the limit");
    must(image.pixels.size() == 3 * image.width * image.height, "a photo has three values a pixel");
  });
}

std::vector<bytes> photo_seeds() {
  using namespace imgsim_test;
  const imgsim::rgb_image image = gradient(24, 16);
  std::vector<bytes> seeds{make_png(image), imgsim::encode_jpeg(image.view()), make_webp(image), make_palette_png()};
  for (const int orientation : {3, 6}) {
    seeds.push_back(with_jpeg_exif(seeds[1], tiff_with_orientation(orientation, orientation == 6)));
    seeds.push_back(make_png(image, tiff_with_orientation(orientation, orientation == 3)));
  }
  return seeds;
}

}  // namespace

const target photo_target{"photo", read_photo, photo_seeds};

}  // namespace imgsim_fuzz
