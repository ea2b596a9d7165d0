// A decoded photo in host memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <imgsim/core/view.hpp>

namespace imgsim {

/// 8-bit sRGB, upright, without transparency; pixels are [height, width, 3], dense.
struct rgb_image {
  std::size_t width = 0;
  std::size_t height = 0;
  std::vector<std::uint8_t> pixels;

  [[nodiscard]] imgsim::view<const std::uint8_t, 3> view() const noexcept {
    return {pixels.data(), {height, width, 3}};
  }
  [[nodiscard]] imgsim::view<std::uint8_t, 3> view() noexcept { return {pixels.data(), {height, width, 3}}; }
};

}  // namespace imgsim
