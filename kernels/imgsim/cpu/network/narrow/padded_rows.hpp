// Rows of an image as the hand-written convolutions read them: zeros around, one after the other, a few at a time.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>

namespace imgsim::cpu {

/// What a padded row holds: `before` pixels of zeros, the row, zeros up to `pixels`; each pixel has `channels` values
/// followed by zeros up to `padded_channels`.
struct padded_row_shape {
  std::size_t width = 0;
  std::size_t channels = 0;
  std::size_t padded_channels = 0;
  std::size_t before = 0;
  std::size_t pixels = 0;

  [[nodiscard]] std::size_t size() const noexcept { return pixels * padded_channels; }
};

/// Any kSlots rows in sequence of an image [height, width, channels], which may begin above it and end below: those
/// rows are zeros. Rows are copied on first use, in ascending order.
class padded_rows {
 public:
  static constexpr std::size_t kSlots = 4;

  /// Floats of `room`.
  [[nodiscard]] static std::size_t room_of(const padded_row_shape& shape) noexcept { return kSlots * shape.size(); }

  padded_rows(const padded_row_shape& shape, float* room) : shape_(shape), room_(room) {
    std::fill_n(room, room_of(shape), 0.0f);
  }

  void begin(const float* image, std::size_t height) noexcept {
    image_ = image;
    height_ = height;
    next_ = -static_cast<std::ptrdiff_t>(kSlots);
  }

  /// Row y, which no earlier call went past by kSlots rows or more.
  [[nodiscard]] const float* row(std::ptrdiff_t y) {
    for (next_ = std::max(next_, y - static_cast<std::ptrdiff_t>(kSlots) + 1); next_ <= y; ++next_) copy(next_);
    return slot(y);
  }

 private:
  [[nodiscard]] float* slot(std::ptrdiff_t y) const noexcept {
    return room_ + (static_cast<std::size_t>(y) % kSlots) * shape_.size();
  }

  void copy(std::ptrdiff_t y) {
    float* const to = slot(y) + shape_.before * shape_.padded_channels;
    if (y < 0 || static_cast<std::size_t>(y) >= height_) {
      std::fill_n(to, shape_.width * shape_.padded_channels, 0.0f);
      return;
    }
    const float* const from = image_ + static_cast<std::size_t>(y) * shape_.width * shape_.channels;
    if (shape_.channels == shape_.padded_channels) {
      std::memcpy(to, from, shape_.width * shape_.channels * sizeof(float));
      return;
    }
    for (std::size_t x = 0; x < shape_.width; ++x)
      for (std::size_t c = 0; c < shape_.channels; ++c)
        to[x * shape_.padded_channels + c] = from[x * shape_.channels + c];
  }

  padded_row_shape shape_;
  float* room_;
  const float* image_ = nullptr;
  std::size_t height_ = 0;
  std::ptrdiff_t next_ = 0;  // the first row that is not there yet
};

}  // namespace imgsim::cpu
