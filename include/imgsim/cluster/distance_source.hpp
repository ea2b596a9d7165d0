// Where K-medoids reads distances from: a matrix in memory (here), embeddings (embedding_distances.hpp), or, on the
// host, a type of the user's own that gives rows on demand: mapped from a file, unpacked, computed. The algorithm asks
// for whole rows in rising order and never keeps more than a tile of them.
#pragma once

#include <cmath>
#include <concepts>
#include <cstddef>
#include <optional>

#include <imgsim/core/error.hpp>
#include <imgsim/core/view.hpp>

namespace imgsim {

/// A square table of distances on the host, read by rows.
///
///   size()                       M, the number of points
///   kResident                    whether the rows lie in memory as they are
///   rows(first, count, buffer)   d(i, o) for i in [first, first + count) and every o in [0, M), as a [count, M] view.
///                                A resident source returns its rows in place and leaves `buffer` alone; any other
///                                writes them to `buffer`, a host matrix of at least [count, M], and returns that part
///                                of it. Called from several threads at once, each with a buffer of its own.
///
/// A source that is not resident and can tell a single distance may have distance(i, o). The distances from K medoids
/// to some points are then read one by one; without it, a swap or a removal reads K rows.
///
/// Values are finite; they need be neither symmetric nor a metric.
///
/// A source that knows a number that no distance exceeds in magnitude may say so with upper_bound(), an optional float,
/// finite and not negative; a search then does not read all distances to find the largest, unless they lie in memory.
/// Sums are rounded to a unit that follows from it (fixed_point.hpp): it should not be many orders of magnitude larger
/// than the distances that occur. On the CPU it looks at
/// each that it reads, and throws invalid_argument for one that is not finite or beyond the bound; on a CUDA device it
/// does not, and such a distance belongs to no medoid.
template <class S>
concept distance_source = requires(const S& source, std::size_t first, std::size_t count, matrix_view<float> buffer) {
  { source.size() } -> std::convertible_to<std::size_t>;
  { source.rows(first, count, buffer) } -> std::same_as<matrix_view<const float>>;
  { S::kResident } -> std::convertible_to<bool>;
};

namespace detail {

/// The upper_bound() of a source that has one. Throws invalid_argument where that cannot be one.
template <class Source>
[[nodiscard]] std::optional<float> stated_bound(const Source& source) {
  if constexpr (requires { source.upper_bound(); }) {
    const std::optional<float> bound = source.upper_bound();
    IMGSIM_EXPECTS(!bound || (std::isfinite(*bound) && *bound >= 0), "the source of distances states the upper bound ",
                   bound.value_or(0), ", which is no finite number from 0 on");
    return bound;
  }
  return std::nullopt;
}

}  // namespace detail

/// A distance matrix [M, M] in memory (or mapped into it), of the host or of a device; rows may be strided.
template <class Space = host_space>
class resident_distances {
 public:
  static constexpr bool kResident = true;

  /// Throws invalid_argument where `distances` is not square or the bound is not finite or negative. Of distances
  /// between embeddings, distance_bound() (embedding_distances.hpp) gives the `upper_bound` with which K-medoids takes
  /// the very swaps that it takes over the embeddings themselves: sums are rounded to a unit that follows from the
  /// bound.
  explicit resident_distances(matrix_view<const float, Space> distances,
                              std::optional<float> upper_bound = std::nullopt)
      : distances_(distances), upper_bound_(upper_bound) {
    IMGSIM_EXPECTS(distances.extent(0) == distances.extent(1), "a distance matrix is square, this one is ",
                   shape_text(distances));
    static_cast<void>(detail::stated_bound(*this));
  }

  [[nodiscard]] std::size_t size() const noexcept { return distances_.extent(0); }
  [[nodiscard]] matrix_view<const float, Space> distances() const noexcept { return distances_; }
  [[nodiscard]] std::optional<float> upper_bound() const noexcept { return upper_bound_; }

  [[nodiscard]] matrix_view<const float> rows(std::size_t first, std::size_t count,
                                              matrix_view<float> /*buffer*/) const noexcept
    requires std::same_as<Space, host_space>
  {
    return distances_.slice(first, count);
  }

 private:
  matrix_view<const float, Space> distances_;
  std::optional<float> upper_bound_;
};

template <class Float, class Space>
resident_distances(const view<Float, 2, Space>&) -> resident_distances<Space>;
template <class Float, class Space>
resident_distances(const view<Float, 2, Space>&, std::optional<float>) -> resident_distances<Space>;

static_assert(distance_source<resident_distances<>>);

namespace detail {

/// What every backend says of a distance that is not finite.
[[noreturn]] inline void refuse_distance(std::size_t row, std::size_t column, float distance) {
  throw invalid_argument(
      concat("the distance in row ", row, ", column ", column, " is ", distance, "; K-medoids needs finite distances"));
}

/// The bound of a source, where it has one, or the largest magnitude found. Throws where that is above the bound.
[[nodiscard]] inline float within_bound(float largest, const std::optional<float>& bound) {
  IMGSIM_EXPECTS(!bound || largest <= *bound, "a distance has magnitude ", largest, ", above the upper bound ",
                 bound.value_or(0), " that the source of distances states");
  return bound.value_or(largest);
}

}  // namespace detail
}  // namespace imgsim
