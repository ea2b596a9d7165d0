// What the tests of decoding ask of a decoded file.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include <imgsim/image/decode.hpp>

#include "image/made_files.hpp"
#include "support/temporary_folder.hpp"

namespace imgsim_test {

/// Why decoding fails; "" where it does not.
inline std::string refusal(const bytes& file, const imgsim::decode_limits& limits = {}) {
  try {
    static_cast<void>(imgsim::decode_image(file, limits));
    return "";
  } catch (const imgsim::image_error& failure) {
    return failure.what();
  }
}

inline bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

inline int largest_difference(const imgsim::rgb_image& a, const imgsim::rgb_image& b) {
  BOOST_REQUIRE_EQUAL(a.width, b.width);
  BOOST_REQUIRE_EQUAL(a.height, b.height);
  int worst = 0;
  for (std::size_t i = 0; i < a.pixels.size(); ++i) worst = std::max(worst, std::abs(a.pixels[i] - b.pixels[i]));
  return worst;
}

/// Everything that `action` writes to standard error, whoever writes it.
inline std::string standard_error_of(const std::function<void()>& action) {
  const temporary_folder folder;
  const std::filesystem::path path = folder.path() / "stderr";
  const int saved = ::dup(STDERR_FILENO);
  const int file = ::open(path.c_str(), O_CREAT | O_WRONLY, 0600);
  BOOST_REQUIRE(saved >= 0 && file >= 0);
  ::dup2(file, STDERR_FILENO);
  action();
  ::dup2(saved, STDERR_FILENO);
  ::close(saved);
  ::close(file);
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace imgsim_test
