// Medoids chosen for the silhouette itself: FasterMSC for one K, DynMSC for a range (Lenssen and Schubert, 2024,
// doi:10.1016/j.is.2023.102290).
//
// K-medoids makes groups tight; the medoid silhouette, 1 - d1 / d2 averaged over the points, asks for groups that are
// apart. Its best K needs no elbow to be seen: it is where the silhouette is largest.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <stop_token>
#include <vector>

#include <imgsim/cluster/backend.hpp>
#include <imgsim/cluster/k_medoids.hpp>
#include <imgsim/cluster/silhouette_loss.hpp>
#include <imgsim/core/context.hpp>
#include <imgsim/core/error.hpp>

namespace imgsim {

/// The search that a backend offers as cluster_backend<Context>::silhouette_searcher<Source>, constructed from
/// (context, source); K >= 2 medoids after assign(). Losses are sums over the points of d1 / d2, rounded to the
/// nearest multiple of 2^-40 (silhouette_loss): integers, so that every backend takes the same swaps. A point that lies
/// on both has 1.
template <class S>
concept silhouette_search = requires(S search, const S& state, std::span<const std::size_t> rows, std::size_t index) {
  { state.size() } -> std::convertible_to<std::size_t>;
  /// [K] rows, by position.
  { state.medoids() } -> std::convertible_to<std::span<const std::size_t>>;
  { state.loss() } -> std::same_as<std::int64_t>;
  /// [K] what the loss changes by when the medoid at that position is dropped; K >= 3.
  { state.removal_changes() } -> std::convertible_to<std::span<const std::int64_t>>;
  /// Replaces all medoids by 2 or more distinct rows.
  { search.assign(rows) } -> std::same_as<void>;
  { search.swap(medoid_swap{}) } -> std::same_as<void>;
  /// Drops the medoid at a position; later ones move down by one. K >= 3.
  { search.remove(index) } -> std::same_as<void>;
  /// As in medoid_search: the first candidate in [index, index) that lowers the loss in the place of some medoid.
  { search.first_improving_swap(index, index) } -> std::same_as<std::optional<medoid_swap>>;
};

template <class Context, class Source>
using silhouette_searcher_for = typename cluster_backend<Context>::template silhouette_searcher<Source>;

template <class Context, class Source>
concept has_silhouette_search = silhouette_search<silhouette_searcher_for<Context, Source>>;

struct silhouette_choice {
  std::size_t k = 0;
  double medoid_silhouette = 0;      // in [0, 1]
  std::vector<std::size_t> medoids;  // [K] rows, ascending
};

struct silhouette_options {
  std::size_t k_min = 2;
  std::size_t k_max = 20;  // M - 1 where that is smaller
  std::uint64_t seed = 0;
  std::function<void(std::size_t done, std::size_t total)> on_progress = {};
  std::stop_token stop = {};
};

/// For each K from k_min to k_max, ascending, medoids of which no exchange for another point raises the mean medoid
/// silhouette. The sweep goes down: each K begins with the medoids of K + 1 less the one whose loss hurts least; the
/// first with medoids drawn as k-means++ draws them. O(M^2) for a handful of passes at each K.
///
/// Throws invalid_argument where k_min is below 2, above k_max or above M - 1, M is 2^22 or more, a distance is not
/// finite or one to a medoid is negative; cancelled when a stop is requested.
template <execution_context Context, class Source>
[[nodiscard]] std::vector<silhouette_choice> silhouette_medoids(const Context& context, const Source& source,
                                                                const silhouette_options& options) {
  static_assert(has_medoid_search<Context, Source> && has_silhouette_search<Context, Source>,
                "no medoid silhouettes for this context and source: include the backend's cluster header "
                "(imgsim/cpu/cluster.hpp, imgsim/cuda/cluster.cuh)");
  const std::size_t size = source.size();
  detail::expect_same_request(context, {options.k_min, options.k_max, options.seed});
  IMGSIM_EXPECTS(size < std::size_t{1} << 22, "silhouettes of ", size, " points: sums of them are kept for up to 2^22");
  IMGSIM_EXPECTS(options.k_min >= 2, "a silhouette needs 2 groups, not ", options.k_min);
  IMGSIM_EXPECTS(options.k_min <= options.k_max, "the range of K ends at ", options.k_max, ", below its begin ",
                 options.k_min);
  IMGSIM_EXPECTS(options.k_min < size, "cannot look for silhouettes of ", options.k_min, " groups of ", size,
                 " points");
  const std::size_t k_max = std::min(options.k_max, size - 1);
  std::vector<silhouette_choice> curve(k_max - options.k_min + 1);

  std::vector<std::size_t> first;
  {  // its memory is free again before the other search takes as much
    medoid_searcher_for<Context, Source> start(context, source);
    random_stream random(options.seed);
    add_initial_medoids(start, k_max, medoid_initialisation::k_means_plus_plus, random,
                        [&] { detail::throw_if_stopped(options.stop, "the search for silhouettes"); });
    first.assign(start.medoids().begin(), start.medoids().end());
  }
  silhouette_searcher_for<Context, Source> search(context, source);
  search.assign(first);
  constexpr std::size_t kBlock = 4096;  // candidates between two looks at a stop
  for (std::size_t k = k_max;; --k) {
    for (std::size_t next = 0, unsuccessful = 0; unsuccessful < size;) {
      detail::throw_if_stopped(options.stop, "the search for silhouettes");
      const std::size_t last = std::min({size, next + kBlock, next + (size - unsuccessful)});
      if (const std::optional<medoid_swap> better = search.first_improving_swap(next, last)) {
        search.swap(*better);
        unsuccessful = 0;
        next = better->candidate + 1;
      } else {
        unsuccessful += last - next;
        next = last;
      }
      if (next == size) next = 0;
    }
    silhouette_choice& choice = curve[k - options.k_min];
    choice.k = k;
    choice.medoid_silhouette = 1 - static_cast<double>(search.loss()) * kSilhouetteUnit / static_cast<double>(size);
    choice.medoids.assign(search.medoids().begin(), search.medoids().end());
    std::ranges::sort(choice.medoids);
    if (options.on_progress) options.on_progress(k_max - k + 1, curve.size());
    if (k == options.k_min) return curve;
    const std::span<const std::int64_t> changes = search.removal_changes();
    search.remove(static_cast<std::size_t>(std::ranges::min_element(changes) - changes.begin()));
  }
}

}  // namespace imgsim
