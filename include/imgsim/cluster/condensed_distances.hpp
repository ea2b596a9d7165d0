// Half a distance matrix: what SciPy calls the condensed form, half the memory of the square.
#pragma once

#include <cstddef>

#include <imgsim/cluster/distance_source.hpp>
#include <imgsim/core/error.hpp>
#include <imgsim/core/view.hpp>

namespace imgsim {

/// The distances of M points as the rows above the diagonal, one after the other: d(0, 1), d(0, 2), ..., d(0, M - 1),
/// d(1, 2), ..., [M (M - 1) / 2]. In memory or mapped into it; must outlive the object. Symmetric, 0 on the diagonal.
/// Models distance_source. A row costs M reads, half of them at a stride: about as much again as from the square. Where
/// they are mapped from a file that memory does not hold, each of those is a page of the file, and a pass reads the
/// file many times over: map the square there, whose rows are read from end to end.
class condensed_distances {
 public:
  static constexpr bool kResident = false;

  /// Throws invalid_argument where `size` points do not have that many distances.
  condensed_distances(view<const float, 1> distances, std::size_t size) : distances_(distances), size_(size) {
    IMGSIM_EXPECTS(length(size) == distances.size(), size, " points have ", length(size), " distances, not ",
                   distances.size());
  }

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] float distance(std::size_t i, std::size_t o) const noexcept {
    return i == o ? 0.0f : (o < i ? at(o, i) : at(i, o));
  }

  /// Distances of `size` points.
  [[nodiscard]] static constexpr std::size_t length(std::size_t size) noexcept {
    return size % 2 == 0 ? size / 2 * (size - 1) : size * ((size - 1) / 2);
  }

  [[nodiscard]] matrix_view<const float> rows(std::size_t first, std::size_t count,
                                              matrix_view<float> buffer) const noexcept {
    const matrix_view<float> out = buffer.slice(0, count);
    // Column by column below the diagonal: the distances d(o, first), d(o, first + 1), ... lie side by side.
    for (std::size_t o = 0; o < size_; ++o) {
      for (std::size_t i = 0; i < count; ++i) {
        out(i, o) = distance(first + i, o);
      }
    }
    return out;
  }

 private:
  /// d(low, high), low < high.
  [[nodiscard]] float at(std::size_t low, std::size_t high) const noexcept {
    return distances_.data()[low * (size_ - 1) - length(low + 1) + (high - 1)];
  }

  view<const float, 1> distances_;
  std::size_t size_;
};

static_assert(distance_source<condensed_distances>);

}  // namespace imgsim
