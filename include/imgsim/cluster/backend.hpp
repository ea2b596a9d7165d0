// What a backend gives to clustering. k_medoids.hpp, choose_k.hpp and k_means.hpp hold the algorithms; a backend holds
// the passes over the points. It joins by specialising cluster_backend for its context with
//
//   template <class Source> class medoid_searcher    models medoid_search below
//   class centroid_searcher                          models centroid_search below
//   static tensor<float, 2> distances_among(const Context&, const Source&, std::span<const std::size_t> rows)
//                                                    [R, R] the distances between some of the points
//
// Sums of distances are integers (fixed_point.hpp), so every backend takes the same swaps.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <stop_token>
#include <vector>

#include <imgsim/cluster/fixed_point.hpp>
#include <imgsim/core/context.hpp>
#include <imgsim/core/error.hpp>
#include <imgsim/core/tensor.hpp>
#include <imgsim/core/view.hpp>

namespace imgsim {

/// Specialised by each backend; this primary template offers nothing.
template <execution_context Context>
struct cluster_backend {};

namespace detail {

inline void throw_if_stopped(const std::stop_token& stop, const char* work) {
  if (stop.stop_requested()) throw cancelled(concat(work, " was stopped"));
}

/// Numbers that say what is asked for. A context of several processes throws invalid_argument, in each of them, where
/// they do not ask the same; it is called before anything else can fail in one of them alone.
template <execution_context Context>
void expect_same_request(const Context& context, const std::vector<std::uint64_t>& request) {
  if constexpr (requires { context.expect_same(request); }) context.expect_same(request);
}

/// The same for a list, whose length may differ.
template <execution_context Context>
void expect_same_rows(const Context& context, std::span<const std::size_t> rows) {
  expect_same_request(context, {rows.size()});
  expect_same_request(context, std::vector<std::uint64_t>(rows.begin(), rows.end()));
}

}  // namespace detail

/// Point `candidate` becomes a medoid in place of the medoid at `position`; the cost changes by `change` units.
struct medoid_swap {
  std::size_t position = 0;
  std::size_t candidate = 0;
  std::int64_t change = 0;
};

/// Point `candidate` becomes one more medoid; the cost falls by `gain` units.
struct medoid_addition {
  std::size_t candidate = 0;
  std::int64_t gain = 0;
};

/// The state of a K-medoids search over M points: a list of medoids, and for each point its nearest and second nearest
/// medoid. Constructed from (context, source); throws invalid_argument for a distance, or an embedding, that is not
/// finite, naming its row and column. K may be 0: then every point counts as being at largest_distance().
///
/// Nearest and second nearest are the first two medoids in order of (distance, position).
///
/// A search may have read_ahead(rows), see detail::read_ahead.
///
/// After an exception from a member that is not const, a search can be destroyed and no more.
template <class S>
concept medoid_search =
    requires(S search, const S& state, std::span<const std::size_t> rows, std::size_t index,
             std::span<const float> prices, std::span<std::int64_t> savings, std::span<std::uint32_t> counts) {
      /// M.
      { state.size() } -> std::convertible_to<std::size_t>;
      { state.unit() } -> std::convertible_to<fixed_point>;
      /// [K] rows, by position.
      { state.medoids() } -> std::convertible_to<std::span<const std::size_t>>;
      { state.is_medoid(index) } -> std::same_as<bool>;
      /// Sum of the distances to the nearest medoid, in units.
      { state.cost() } -> std::same_as<std::int64_t>;
      /// [K] what the cost rises by when the medoid at that position is dropped (for K = 1: to M times the largest).
      { state.removal_losses() } -> std::convertible_to<std::span<const std::int64_t>>;
      /// [M] position of the nearest medoid, distance to it and to the second nearest; the views are valid until the
      /// next change of state.
      { state.labels() } -> std::convertible_to<std::span<const std::uint32_t>>;
      { state.nearest() } -> std::convertible_to<std::span<const float>>;
      { state.second_nearest() } -> std::convertible_to<std::span<const float>>;
      /// From the medoid at a position to a row.
      { state.distance_to(index, index) } -> std::same_as<float>;

      /// Replaces all medoids; `rows` are distinct and below M.
      { search.assign(rows) } -> std::same_as<void>;
      { search.add(index) } -> std::same_as<void>;
      /// Drops the medoid at a position; later ones move down by one.
      { search.remove(index) } -> std::same_as<void>;
      { search.swap(medoid_swap{}) } -> std::same_as<void>;
      /// The first candidate in [index, index) that is no medoid and lowers the cost in the place of some medoid, and
      /// the best position for it (ties to the smaller); nothing where none does. K >= 1.
      { search.first_improving_swap(index, index) } -> std::same_as<std::optional<medoid_swap>>;
      /// Of the candidates in the first list that are no medoids, the one whose addition lowers the cost most, counted
      /// over the points in the second list only, ties to the earlier in the list; nothing where all are medoids. An
      /// empty list stands for every point.
      { search.best_addition(rows, rows) } -> std::same_as<std::optional<medoid_addition>>;

      /// No distance is of larger magnitude; where the source is a table of distances, the largest of them.
      { state.largest_distance() } -> std::same_as<float>;
      /// savings [M]: for each row i the sum over the points o of max(0, prices[o] - d(i, o)), in units; `prices` [M]
      /// are in [0, largest_distance()].
      { search.savings(prices, savings) } -> std::same_as<void>;
      /// counts [M]: for each point o how many of `rows` have d(row, o) < prices[o] are added.
      { search.count_reached(rows, prices, counts) } -> std::same_as<void>;
    };

namespace detail {

/// Rows of distances that a pass over the points reads at once.
inline constexpr std::size_t kRowsTogether = 16;

/// Tells a search that first_improving_swap or count_reached will be asked for each of `rows` (at most kRowsTogether)
/// alone, where it reads them faster together.
template <medoid_search Search>
void read_ahead(Search& search, std::span<const std::size_t> rows) {
  if constexpr (requires { search.read_ahead(rows); }) search.read_ahead(rows);
}

}  // namespace detail

/// The search that Context's backend offers over Source.
template <class Context, class Source>
using medoid_searcher_for = typename cluster_backend<Context>::template medoid_searcher<Source>;

template <class Context, class Source>
concept has_medoid_search = medoid_search<medoid_searcher_for<Context, Source>>;

template <class Context, class Source>
concept has_distance_sample =
    has_medoid_search<Context, Source> &&
    requires(const Context& context, const Source& source, std::span<const std::size_t> rows) {
      { cluster_backend<Context>::distances_among(context, source, rows) } -> std::same_as<tensor<float, 2>>;
    };

/// The passes of k-means over points [M, D]. Constructed from (context, points). It may remember what it found in order
/// to find it faster the next time; no answer depends on the calls before it.
template <class S>
concept centroid_search = requires(S search, matrix_view<const float> centroids, matrix_view<float> squared_distances,
                                   std::span<std::uint32_t> labels, std::span<const std::uint32_t> fixed_labels,
                                   std::span<double> nearest, matrix_view<double> sums) {
  /// squared_distances [M, K] of every point to `centroids` [K, D]: summed in float64 as imgsim::euclidean does,
  /// rounded to float32 once, the same on every backend.
  { search.squared_distances(centroids, squared_distances) } -> std::same_as<void>;
  /// labels [M]: the nearest of `centroids`, ties to the smaller; nearest [M]: the squared distance to it. Decided
  /// and returned in float64.
  { search.nearest(centroids, labels, nearest) } -> std::same_as<void>;
  /// sums [K, D]: for each label the sum of its points, in float64, in order of rows.
  { search.sums(fixed_labels, sums) } -> std::same_as<void>;
};

/// The passes that Context's backend offers.
template <class Context>
using centroid_searcher_for = typename cluster_backend<Context>::centroid_searcher;

template <class Context>
concept has_centroid_search = centroid_search<centroid_searcher_for<Context>>;

}  // namespace imgsim
