// The orientation in an EXIF block: imgsim/image/detail/orientation.hpp.
#include <image/made_files.hpp>

#include <imgsim/image/detail/orientation.hpp>

#include "../target.hpp"

namespace imgsim_fuzz {

namespace {

bool read_exif(std::span<const std::byte> input) {
  const int orientation = imgsim::detail::exif_orientation(input);
  must(orientation >= 1 && orientation <= 8, "an orientation is from 1 to 8");
  return orientation != 1;
}

std::vector<bytes> exif_seeds() {
  std::vector<bytes> seeds;
  for (const bool big_endian : {false, true}) {
    seeds.push_back(imgsim_test::tiff_with_orientation(6, big_endian));
    bytes with_header = bytes_of_text(std::string_view("Exif\0\0", 6));
    imgsim_test::append(with_header, seeds.back());
    seeds.push_back(std::move(with_header));
  }
  return seeds;
}

}  // namespace

const target exif_target{"exif", read_exif, exif_seeds};

}  // namespace imgsim_fuzz
