// Whether two photos are one photo, by their pixels: how much of the one is left that the other does not explain, once
// they are laid over each other.
//
// Between near-duplicates stand a mirroring, a crop (a shift and a scale along each axis), a change of brightness or
// contrast, and what blurring and compression took. So the photos are brought to thumbnails, laid over each other by
// the best of a few dozen places and mirrorings, and aligned from there by Lucas and Kanade's method with gain and bias
// (Baker and Matthews, 2004, doi:10.1023/B:VISI.0000011205.11775.fd). Correlation of what then lies over each other is
// blind to brightness and contrast. The correlation of the pictures says that colours and shapes are the same; that
// of their detail (what a 7 x 7 mean leaves) that it is the same print, fold or leaf and not one of its kind.
//
// The place is searched on grey pictures, judged on colour ones.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include <imgsim/core/error.hpp>
#include <imgsim/core/view.hpp>
#include <imgsim/image/photo_batch.hpp>

namespace imgsim {

/// Side of the thumbnails that are laid over each other, in pixels.
inline constexpr std::size_t kAlignedSide = 48;

namespace detail {

inline constexpr std::size_t kAlignedPixels = kAlignedSide * kAlignedSide;
inline constexpr std::size_t kCoarseSide = kAlignedSide / 3;
inline constexpr std::size_t kCoarsePixels = kCoarseSide * kCoarseSide;
inline constexpr std::size_t kMiddleSide = kAlignedSide / 2;

/// From a place (u, v) of one photo, in units of its sides, to that of another: (scale_x u + x, scale_y v + y).
struct axis_map {
  double scale_x = 1, scale_y = 1, x = 0, y = 0;
};

/// A square grey picture [side, side].
struct grey_square {
  std::size_t side = 0;
  std::vector<float> levels;

  /// Bilinear between pixel centres, in pixels; beyond the edge, the edge.
  [[nodiscard]] float at(double px, double py, float& along_x, float& along_y) const {
    const double most = static_cast<double>(side - 1);
    px = std::clamp(px, 0.0, most);
    py = std::clamp(py, 0.0, most);
    const std::size_t x = std::min(static_cast<std::size_t>(px), side - 2);
    const std::size_t y = std::min(static_cast<std::size_t>(py), side - 2);
    const auto fx = static_cast<float>(px - static_cast<double>(x)),
               fy = static_cast<float>(py - static_cast<double>(y));
    const float* p = levels.data() + y * side + x;
    const float top = p[0] + fx * (p[1] - p[0]), bottom = p[side] + fx * (p[side + 1] - p[side]);
    along_x = (1 - fy) * (p[1] - p[0]) + fy * (p[side + 1] - p[side]);
    along_y = bottom - top;
    return top + fy * (bottom - top);
  }

  [[nodiscard]] grey_square shrunk(std::size_t factor) const {
    grey_square small{.side = side / factor, .levels = std::vector<float>(side / factor * (side / factor))};
    for (std::size_t y = 0; y < small.side * factor; ++y)
      for (std::size_t x = 0; x < small.side * factor; ++x)
        small.levels[y / factor * small.side + x / factor] +=
            levels[y * side + x] / static_cast<float>(factor * factor);
    return small;
  }
};

/// Subtracts the mean and scales to length 1; an even picture becomes zeros.
inline void standardise(std::span<float> values) {
  double sum = 0, squares = 0;
  for (const float v : values) sum += v;
  const auto mean = static_cast<float>(sum / static_cast<double>(values.size()));
  for (float& v : values) {
    v -= mean;
    squares += static_cast<double>(v) * v;
  }
  constexpr double kEven = 1e-6;  // a variance below that of rounding
  const float factor =
      squares > kEven * static_cast<double>(values.size()) ? static_cast<float>(1.0 / std::sqrt(squares)) : 0.0F;
  for (float& v : values) v *= factor;
}

[[nodiscard]] inline float dot_product(std::span<const float> a, std::span<const float> b) {
  std::array<float, 8> lanes{};
  for (std::size_t i = 0; i < a.size(); ++i) lanes[i % 8] += a[i] * b[i];
  float sum = 0;
  for (const float lane : lanes) sum += lane;
  return sum;
}

/// Parts of a photo that another may be a crop to: along each axis the whole, or 0.9 or 0.8 of it from 3 and 4 places.
inline constexpr auto kWindows = [] {
  struct span {
    double scale, at;
  };
  std::array<span, 1 + 3 + 4> spans{{{1, 0}}};
  std::size_t count = 1;
  for (const auto& [scale, places] : {std::pair{0.9, 3}, std::pair{0.8, 4}})
    for (int place = 0; place < places; ++place) spans[count++] = {scale, (1 - scale) * place / (places - 1)};
  std::array<axis_map, spans.size() * spans.size()> windows{};
  for (std::size_t i = 0; i < windows.size(); ++i) {
    const auto& [down, y] = spans[i / spans.size()];
    const auto& [across, x] = spans[i % spans.size()];
    windows[i] = {across, down, x, y};
  }
  return windows;
}();

}  // namespace detail

/// A photo made ready to be laid over others.
class alignable_photo {
 public:
  /// `thumbnail` [48, 48, 3], the whole photo stretched to it. Throws invalid_argument for another shape.
  explicit alignable_photo(view<const std::uint8_t, 3> thumbnail) {
    IMGSIM_EXPECTS(
        thumbnail.extent(0) == kAlignedSide && thumbnail.extent(1) == kAlignedSide && thumbnail.extent(2) == 3,
        "a thumbnail to align is [48, 48, 3], not ", shape_text(thumbnail));
    for (detail::grey_square& channel : channels_) channel = {kAlignedSide, std::vector<float>(detail::kAlignedPixels)};
    grey_ = channels_[0];
    for (std::size_t y = 0; y < kAlignedSide; ++y) {
      for (std::size_t x = 0; x < kAlignedSide; ++x) {
        for (std::size_t c = 0; c < 3; ++c)
          channels_[c].levels[y * kAlignedSide + x] = static_cast<float>(thumbnail(y, x, c)) / 255;
        grey_.levels[y * kAlignedSide + x] =
            static_cast<float>(luma(&thumbnail(y, x, 0))) / static_cast<float>(kLumaScale);
      }
    }
    middle_ = grey_.shrunk(2);
    const detail::grey_square coarse = grey_.shrunk(3);
    for (std::size_t w = 0; w < detail::kWindows.size(); ++w) windows_[w] = cut(coarse, detail::kWindows[w]);
  }

 private:
  friend struct photo_alignment;
  using window = std::array<float, detail::kCoarsePixels>;

  static window cut(const detail::grey_square& coarse, const detail::axis_map& map) {
    constexpr double side = detail::kCoarseSide;
    window out;
    float unused_x = 0, unused_y = 0;
    for (std::size_t y = 0; y < detail::kCoarseSide; ++y)
      for (std::size_t x = 0; x < detail::kCoarseSide; ++x)
        out[y * detail::kCoarseSide + x] =
            coarse.at(map.scale_x * (static_cast<double>(x) + 0.5) + side * map.x - 0.5,
                      map.scale_y * (static_cast<double>(y) + 0.5) + side * map.y - 0.5, unused_x, unused_y);
    detail::standardise(out);
    return out;
  }

  std::array<detail::grey_square, 3> channels_;
  detail::grey_square grey_, middle_;
  std::array<window, detail::kWindows.size()> windows_;
};

/// How one photo lies over another.
struct photo_alignment {
  double picture = 0;     ///< correlation of the colours that lie over each other, in [-1, 1]
  double detail = 0;      ///< the same of their detail
  bool mirrored = false;  ///< one of them had to be mirrored

  /// From 0, the same but for brightness and contrast, to 2.
  [[nodiscard]] double difference() const noexcept { return 1.0 - (picture + detail) / 2; }

  /// The best that was found. Even pictures (one colour all over) lie over nothing.
  [[nodiscard]] static photo_alignment of(const alignable_photo& a, const alignable_photo& b);

 private:
  /// A place to begin from: `inner` lies within `outer`.
  struct start {
    float correlation = -1;
    const alignable_photo* inner = nullptr;
    const alignable_photo* outer = nullptr;
    imgsim::detail::axis_map map;
    bool mirrored = false;
  };
  static std::array<start, 2> find_starts(const alignable_photo& a, const alignable_photo& b);
  static void refine(const imgsim::detail::grey_square& inner, const imgsim::detail::grey_square& outer, int steps,
                     imgsim::detail::axis_map& map);
  static photo_alignment judge(const start& from);
};

namespace detail {

/// Solves the symmetric positive definite system a x = b of `N` unknowns in place; false where it has no solution.
template <std::size_t N>
[[nodiscard]] bool solve_normal_equations(std::array<std::array<double, N>, N>& a, std::array<double, N>& b) {
  for (std::size_t i = 0; i < N; ++i) {  // Cholesky, lower triangle
    for (std::size_t j = 0; j <= i; ++j) {
      double sum = a[i][j];
      for (std::size_t k = 0; k < j; ++k) sum -= a[i][k] * a[j][k];
      if (i == j) {
        if (!(sum > 1e-12)) return false;
        a[i][i] = std::sqrt(sum);
      } else {
        a[i][j] = sum / a[j][j];
      }
    }
  }
  for (std::size_t i = 0; i < N; ++i) {
    for (std::size_t k = 0; k < i; ++k) b[i] -= a[i][k] * b[k];
    b[i] /= a[i][i];
  }
  for (std::size_t i = N; i-- > 0;) {
    for (std::size_t k = i + 1; k < N; ++k) b[i] -= a[k][i] * b[k];
    b[i] /= a[i][i];
  }
  return true;
}

/// What a 7 x 7 mean (cut off at the edges) leaves of each channel [side, side].
inline void keep_detail(std::span<float> channel, std::size_t side) {
  constexpr std::size_t kReach = 3;
  std::vector<float> sums((side + 1) * (side + 1));
  for (std::size_t y = 0; y < side; ++y)
    for (std::size_t x = 0; x < side; ++x)
      sums[(y + 1) * (side + 1) + x + 1] = channel[y * side + x] + sums[y * (side + 1) + x + 1] +
                                           sums[(y + 1) * (side + 1) + x] - sums[y * (side + 1) + x];
  for (std::size_t y = 0; y < side; ++y) {
    const std::size_t y0 = y - std::min(y, kReach), y1 = std::min(y + kReach + 1, side);
    for (std::size_t x = 0; x < side; ++x) {
      const std::size_t x0 = x - std::min(x, kReach), x1 = std::min(x + kReach + 1, side);
      const float sum = sums[y1 * (side + 1) + x1] - sums[y0 * (side + 1) + x1] - sums[y1 * (side + 1) + x0] +
                        sums[y0 * (side + 1) + x0];
      channel[y * side + x] -= sum / static_cast<float>((y1 - y0) * (x1 - x0));
    }
  }
}

}  // namespace detail

inline std::array<photo_alignment::start, 2> photo_alignment::find_starts(const alignable_photo& a,
                                                                          const alignable_photo& b) {
  std::array<start, 2> best{};  // upright, mirrored
  for (int turn = 0; turn < 2; ++turn) {
    const alignable_photo& inner = turn == 0 ? a : b;
    const alignable_photo& outer = turn == 0 ? b : a;
    alignable_photo::window flipped;
    for (std::size_t y = 0; y < imgsim::detail::kCoarseSide; ++y)
      for (std::size_t x = 0; x < imgsim::detail::kCoarseSide; ++x)
        flipped[(y + 1) * imgsim::detail::kCoarseSide - 1 - x] = inner.windows_[0][y * imgsim::detail::kCoarseSide + x];
    for (std::size_t w = 0; w < imgsim::detail::kWindows.size(); ++w) {
      for (const bool is_mirrored : {false, true}) {
        const float found = imgsim::detail::dot_product(is_mirrored ? flipped : inner.windows_[0], outer.windows_[w]);
        imgsim::detail::axis_map map = imgsim::detail::kWindows[w];
        if (is_mirrored) {  // the inner photo's u runs from the window's right to its left
          map.x += map.scale_x;
          map.scale_x = -map.scale_x;
        }
        start& place = best[is_mirrored ? 1 : 0];
        if (found > place.correlation) place = {found, &inner, &outer, map, is_mirrored};
      }
    }
  }
  return best;
}

/// Moves `map` by Gauss and Newton's steps to where gain * outer(map(u)) + bias = inner(u) in least squares.
inline void photo_alignment::refine(const imgsim::detail::grey_square& inner, const imgsim::detail::grey_square& outer,
                                    int steps, imgsim::detail::axis_map& map) {
  const auto side = static_cast<double>(inner.side);
  double gain = 1, bias = 0;
  for (int step = 0; step < steps; ++step) {
    std::array<std::array<double, 6>, 6> normal{};
    std::array<double, 6> right{};
    for (std::size_t y = 0; y < inner.side; ++y) {
      const double v = (static_cast<double>(y) + 0.5) / side;
      const double py = side * (map.scale_y * v + map.y) - 0.5;
      if (py < -0.5 || py > side - 0.5) continue;
      for (std::size_t x = 0; x < inner.side; ++x) {
        const double u = (static_cast<double>(x) + 0.5) / side;
        const double px = side * (map.scale_x * u + map.x) - 0.5;
        if (px < -0.5 || px > side - 0.5) continue;
        float dx = 0, dy = 0;
        const float level = outer.at(px, py, dx, dy);
        const double gx = gain * side * dx, gy = gain * side * dy;
        const std::array<double, 6> slope{gx * u, gx, gy * v, gy, level, 1};
        const double rest = static_cast<double>(inner.levels[y * inner.side + x]) - gain * level - bias;
        for (std::size_t i = 0; i < 6; ++i) {
          right[i] += slope[i] * rest;
          for (std::size_t j = 0; j <= i; ++j) normal[i][j] += slope[i] * slope[j];
        }
      }
    }
    for (std::size_t i = 0; i < 6; ++i) normal[i][i] *= 1.0 + 1e-4;
    if (!imgsim::detail::solve_normal_equations(normal, right)) return;
    // A step is at most what the coarse search left open: further away it is led by another slope.
    constexpr double kFarthest = 0.1;
    const double longest = std::max({std::abs(right[0]), std::abs(right[1]), std::abs(right[2]), std::abs(right[3])});
    const double damping = longest > kFarthest ? kFarthest / longest : 1.0;
    map.scale_x += damping * right[0];
    map.x += damping * right[1];
    map.scale_y += damping * right[2];
    map.y += damping * right[3];
    gain += damping * right[4];
    bias += damping * right[5];
    if (longest < 1e-4) return;
  }
}

inline photo_alignment photo_alignment::judge(const start& from) {
  constexpr double side = kAlignedSide;
  photo_alignment result{.mirrored = from.mirrored};
  std::vector<float> inner(3 * imgsim::detail::kAlignedPixels), outer(inner.size());
  std::array<bool, imgsim::detail::kAlignedPixels> over{};
  std::size_t overlap = 0;
  float unused_x = 0, unused_y = 0;
  for (std::size_t y = 0, i = 0; y < kAlignedSide; ++y) {
    for (std::size_t x = 0; x < kAlignedSide; ++x, ++i) {
      const double px = from.map.scale_x * (static_cast<double>(x) + 0.5) + side * from.map.x - 0.5;
      const double py = from.map.scale_y * (static_cast<double>(y) + 0.5) + side * from.map.y - 0.5;
      constexpr double kMargin = 1.0;  // of a pixel: an alignment is no better than that
      over[i] = px >= -kMargin && px <= side - 1 + kMargin && py >= -kMargin && py <= side - 1 + kMargin;
      overlap += over[i] ? 1 : 0;
      for (std::size_t c = 0; c < 3; ++c) {
        inner[c * over.size() + i] = from.inner->channels_[c].levels[i];
        outer[c * over.size() + i] = from.outer->channels_[c].at(px, py, unused_x, unused_y);
      }
    }
  }
  constexpr double kLeastOverlap = 0.7;
  if (static_cast<double>(overlap) < kLeastOverlap * static_cast<double>(over.size())) return result;
  const auto correlation = [&](const std::vector<float>& a, const std::vector<float>& b) {
    std::vector<float> p, q;
    for (std::size_t i = 0; i < a.size(); ++i) {
      if (!over[i % over.size()]) continue;
      p.push_back(a[i]);
      q.push_back(b[i]);
    }
    imgsim::detail::standardise(p);
    imgsim::detail::standardise(q);
    return static_cast<double>(imgsim::detail::dot_product(p, q));
  };
  result.picture = correlation(inner, outer);
  for (std::size_t c = 0; c < 3; ++c) {
    imgsim::detail::keep_detail(std::span(inner).subspan(c * over.size(), over.size()), kAlignedSide);
    imgsim::detail::keep_detail(std::span(outer).subspan(c * over.size(), over.size()), kAlignedSide);
  }
  result.detail = correlation(inner, outer);
  return result;
}

inline photo_alignment photo_alignment::of(const alignable_photo& a, const alignable_photo& b) {
  constexpr float kHopeless = 0.7F;  // of the coarse grey pictures: no refinement makes one photo of these
  photo_alignment best;
  for (start from : find_starts(a, b)) {
    if (from.correlation >= kHopeless) {
      refine(from.inner->middle_, from.outer->middle_, 8, from.map);
      refine(from.inner->grey_, from.outer->grey_, 3, from.map);
    }
    const photo_alignment found = judge(from);
    if (found.difference() < best.difference()) best = found;
  }
  return best;
}

}  // namespace imgsim
