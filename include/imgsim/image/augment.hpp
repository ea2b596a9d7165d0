// Views of a photo as another camera, hand or lamp would have made it: what a network is trained to see as one thing.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <imgsim/core/error.hpp>
#include <imgsim/core/number_fields.hpp>
#include <imgsim/core/random.hpp>
#include <imgsim/core/view.hpp>

namespace imgsim {

/// How far a view may go from its photo; the values here: not at all.
struct augmentation {
  double crop = 1.0;      ///< least part of the area that is kept, in (0, 1]
  double flip = 0.0;      ///< probability of left and right being exchanged
  double rotation = 0.0;  ///< degrees at most, each way
  double colour = 0.0;    ///< brightness, contrast and saturation change by this part of theirs at most, in [0, 1)
  double blur = 0.0;      ///< probability of a blur of up to a binomial 1 2 1

  static constexpr std::array<number_field<augmentation>, 5> fields{{{"crop", &augmentation::crop},
                                                                     {"flip", &augmentation::flip},
                                                                     {"rotation", &augmentation::rotation},
                                                                     {"colour", &augmentation::colour},
                                                                     {"blur", &augmentation::blur}}};
  bool operator==(const augmentation&) const = default;
  /// Whether a view can differ from its photo.
  [[nodiscard]] bool changes_photos() const { return *this != augmentation{}; }
};

/// "crop=0.5,flip=0.5,rotation=5,colour=0.2,blur=0.3", or "off".
[[nodiscard]] inline std::string to_text(const augmentation& views) {
  return views.changes_photos() ? number_fields_text(views) : "off";
}

/// Throws invalid_argument for a number out of range.
inline void check_augmentation(const augmentation& views) {
  IMGSIM_EXPECTS(views.crop > 0.0 && views.crop <= 1.0, "a view's crop must be above 0 and at most 1, not ",
                 views.crop);
  IMGSIM_EXPECTS(views.flip >= 0.0 && views.flip <= 1.0, "a view's flip is a probability, not ", views.flip);
  IMGSIM_EXPECTS(views.blur >= 0.0 && views.blur <= 1.0, "a view's blur is a probability, not ", views.blur);
  IMGSIM_EXPECTS(views.rotation >= 0.0 && views.rotation <= 180.0,
                 "a view's rotation must be from 0 to 180 degrees, not ", views.rotation);
  IMGSIM_EXPECTS(views.colour >= 0.0 && views.colour < 1.0, "a view's colour must be from 0 to below 1, not ",
                 views.colour);
}

/// Reads what to_text writes; fields may be left out. Throws invalid_argument.
[[nodiscard]] inline augmentation parse_augmentation(std::string_view text) {
  if (text == "off") return {};
  IMGSIM_EXPECTS(!text.empty(), "'off', or fields such as crop=0.5,flip=0.5 are needed");
  const auto views = parse_number_fields<augmentation>(text, "augmentation", number_fields_text(augmentation{}));
  check_augmentation(views);
  return views;
}

namespace detail {

/// Where a view's pixels come from: source = origin + x * along + y * down, in pixels.
struct view_frame {
  std::array<double, 2> origin, along, down;  // x, y
};

/// Takes eight numbers from `random`, whatever is switched off, so that one switch does not move the others.
[[nodiscard]] inline view_frame draw_frame(const augmentation& views, std::size_t height, std::size_t width,
                                           random_stream& random) {
  constexpr double kMostAspect = 0.15;  // of the logarithm of a crop's width to its height
  const double area = random.uniform(views.crop, 1.0);
  const double aspect = std::exp(random.uniform(-kMostAspect, kMostAspect));
  const bool crops = views.crop < 1.0;
  const double part_x = crops ? std::min(1.0, std::sqrt(area * aspect)) : 1.0;
  const double part_y = crops ? std::min(1.0, std::sqrt(area / aspect)) : 1.0;
  const auto w = static_cast<double>(width);
  const auto h = static_cast<double>(height);
  const double centre_x = w * (random.uniform() * (1.0 - part_x) + part_x / 2);
  const double centre_y = h * (random.uniform() * (1.0 - part_y) + part_y / 2);
  const double angle = random.uniform(-1.0, 1.0) * views.rotation * std::numbers::pi / 180.0;
  const double side = random.uniform() < views.flip ? -1.0 : 1.0;
  const double c = std::cos(angle);
  const double s = std::sin(angle);
  view_frame frame{.origin = {}, .along = {side * part_x * c, side * part_x * s}, .down = {-part_y * s, part_y * c}};
  const double middle_x = (w - 1.0) / 2;
  const double middle_y = (h - 1.0) / 2;
  frame.origin = {centre_x - 0.5 - middle_x * frame.along[0] - middle_y * frame.down[0],
                  centre_y - 0.5 - middle_x * frame.along[1] - middle_y * frame.down[1]};
  return frame;
}

/// A place on an axis of n pixels, mirrored at the borders, as its two nearest pixels and the second one's share.
struct between_pixels {
  std::size_t low, high;
  float share;
};
[[nodiscard]] inline between_pixels place_on_axis(double at, std::size_t n) {
  const auto last = static_cast<double>(n - 1);
  if (at < 0.0) at = -at;
  if (at > last) at = std::max(2 * last - at, 0.0);
  at = std::min(at, last);
  const auto low = static_cast<std::size_t>(at);
  return {low, std::min(low + 1, n - 1), static_cast<float>(at - static_cast<double>(low))};
}

inline void sample_view(const view_frame& frame, const std::uint8_t* photo, std::size_t height, std::size_t width,
                        float* out) {
  for (std::size_t y = 0; y < height; ++y) {
    const auto row = static_cast<double>(y);
    for (std::size_t x = 0; x < width; ++x, out += 3) {
      const auto column = static_cast<double>(x);
      const auto [left, right, across] =
          place_on_axis(frame.origin[0] + column * frame.along[0] + row * frame.down[0], width);
      const auto [top, bottom, below] =
          place_on_axis(frame.origin[1] + column * frame.along[1] + row * frame.down[1], height);
      const std::uint8_t* const a = photo + (top * width + left) * 3;
      const std::uint8_t* const b = photo + (top * width + right) * 3;
      const std::uint8_t* const c = photo + (bottom * width + left) * 3;
      const std::uint8_t* const d = photo + (bottom * width + right) * 3;
      for (std::size_t k = 0; k < 3; ++k) {
        const auto upper = static_cast<float>(a[k]) + across * static_cast<float>(b[k] - a[k]);
        const auto lower = static_cast<float>(c[k]) + across * static_cast<float>(d[k] - c[k]);
        out[k] = upper + below * (lower - upper);
      }
    }
  }
}

/// Weights `edge`, 1 - 2 `edge`, `edge` along rows, then columns; the border repeats. `room`: a row of pixels.
inline void blur_view(float edge, std::size_t height, std::size_t width, float* values, std::vector<float>& room) {
  const std::size_t row = width * 3;
  room.resize(row);
  const float middle = 1.0f - 2 * edge;
  for (std::size_t y = 0; y < height; ++y) {
    float* const line = values + y * row;
    std::copy_n(line, row, room.data());
    for (std::size_t i = 0; i < row; ++i) {
      const float before = room[i < 3 ? i : i - 3];
      const float after = room[i + 3 < row ? i + 3 : i];
      line[i] = middle * room[i] + edge * (before + after);
    }
  }
  std::copy_n(values, row, room.data());  // the row above, as it was
  for (std::size_t y = 0; y < height; ++y) {
    float* const line = values + y * row;
    const float* const next = y + 1 < height ? line + row : line;
    for (std::size_t i = 0; i < row; ++i) {
      const float was = line[i];
      line[i] = middle * was + edge * (room[i] + next[i]);
      room[i] = was;
    }
  }
}

[[nodiscard]] inline float luma(const float* pixel) {
  return 0.299f * pixel[0] + 0.587f * pixel[1] + 0.114f * pixel[2];
}

/// Brightness by a factor, contrast about the mean luma, saturation about each pixel's.
inline void jitter_view(float brightness, float contrast, float saturation, std::size_t pixels, float* values) {
  double sum = 0.0;
  for (std::size_t i = 0; i < pixels; ++i) sum += static_cast<double>(luma(values + 3 * i));
  const auto mean = brightness * static_cast<float>(sum / static_cast<double>(pixels));
  const float scale = brightness * contrast;
  const float shift = mean * (1.0f - contrast);
  for (std::size_t i = 0; i < pixels; ++i) {
    float* const pixel = values + 3 * i;
    const float grey = (scale * luma(pixel) + shift) * (1.0f - saturation);
    for (std::size_t k = 0; k < 3; ++k) pixel[k] = saturation * (scale * pixel[k] + shift) + grey;
  }
}

}  // namespace detail

/// Makes views, one at a time; its memory serves the next ones.
class photo_augmenter {
 public:
  /// Throws invalid_argument for a number out of range.
  explicit photo_augmenter(const augmentation& views) : views_(views) { check_augmentation(views); }

  /// out[H, W, 3] = a view of photo[H, W, 3], both dense, not overlapping; all chance comes from `random`. O(H W).
  void operator()(std::span<const std::uint8_t> photo, std::size_t height, std::size_t width,
                  std::span<std::uint8_t> out, random_stream& random) {
    IMGSIM_EXPECTS(height > 0 && width > 0 && photo.size() == height * width * 3 && out.size() == photo.size(),
                   "a view of ", photo.size(), " values into ", out.size(), " is not one of [", height, ", ", width,
                   ", 3]");
    values_.resize(photo.size());
    const detail::view_frame frame = detail::draw_frame(views_, height, width, random);
    const bool blurs = random.uniform() < views_.blur;
    const double edge = random.uniform(0.0, 0.25);
    std::array<float, 3> factors{};
    for (float& factor : factors) factor = static_cast<float>(1.0 + random.uniform(-1.0, 1.0) * views_.colour);

    detail::sample_view(frame, photo.data(), height, width, values_.data());
    if (blurs) detail::blur_view(static_cast<float>(edge), height, width, values_.data(), room_);
    if (views_.colour > 0.0) detail::jitter_view(factors[0], factors[1], factors[2], height * width, values_.data());
    for (std::size_t i = 0; i < out.size(); ++i)
      out[i] = static_cast<std::uint8_t>(std::clamp(values_[i], 0.0f, 255.0f) + 0.5f);
  }

 private:
  augmentation views_;
  std::vector<float> values_;
  std::vector<float> room_;
};

/// Patches along a side of the grid that mask_patches hides.
inline constexpr std::size_t kMaskGrid = 8;

/// Gives `part` (in [0, 1)) of a grid of kMaskGrid x kMaskGrid patches of photo[H, W, 3] the photo's mean colour.
inline void mask_patches(std::span<std::uint8_t> photo, std::size_t height, std::size_t width, double part,
                         random_stream& random) {
  IMGSIM_EXPECTS(height > 0 && width > 0 && photo.size() == height * width * 3, "a photo of ", photo.size(),
                 " values is not [", height, ", ", width, ", 3]");
  IMGSIM_EXPECTS(part >= 0.0 && part < 1.0, "the masked part of a photo must be from 0 to below 1, not ", part);
  const std::size_t rows = std::min(kMaskGrid, height);
  const std::size_t columns = std::min(kMaskGrid, width);
  const auto hidden = static_cast<std::size_t>(part * static_cast<double>(rows * columns) + 0.5);
  const std::vector<std::size_t> order = random.permutation(rows * columns);
  std::array<std::uint64_t, 3> sums{};
  for (std::size_t i = 0; i < photo.size(); i += 3)
    for (std::size_t k = 0; k < 3; ++k) sums[k] += photo[i + k];
  std::array<std::uint8_t, 3> mean{};
  for (std::size_t k = 0; k < 3; ++k)
    mean[k] = static_cast<std::uint8_t>((sums[k] + height * width / 2) / (height * width));
  for (std::size_t p = 0; p < hidden; ++p) {
    const std::size_t row = order[p] / columns;
    const std::size_t column = order[p] % columns;
    for (std::size_t y = row * height / rows; y < (row + 1) * height / rows; ++y)
      for (std::size_t x = column * width / columns; x < (column + 1) * width / columns; ++x)
        std::copy_n(mean.data(), 3, photo.data() + (y * width + x) * 3);
  }
}

}  // namespace imgsim
