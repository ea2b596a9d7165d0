// Which K? A curve over every K in a range, and a recommendation that may be "no clear elbow".
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include <imgsim/cluster/k_medoids.hpp>
#include <imgsim/cluster/kneedle.hpp>
#include <imgsim/cluster/silhouette.hpp>
#include <imgsim/core/context.hpp>

namespace imgsim {

struct choose_k_progress {
  std::size_t done = 0;  // values of K
  std::size_t total = 0;
  std::size_t k = 0;  // the one just done
};

struct choose_k_options {
  std::size_t k_min = 2;
  std::size_t k_max = 100;  // M where that is smaller
  std::uint64_t seed = 0;
  double sensitivity = 1.0;  // of Kneedle
  std::function<void(const choose_k_progress&)> on_progress = {};
  std::stop_token stop = {};
};

/// One K of the curve.
struct k_choice {
  std::size_t k = 0;
  double cost = 0;                   // sum of distances to the own medoid; never rises with K
  double sum_of_squares = 0;         // of the same distances
  double medoid_silhouette = 0;      // in [0, 1]; 0 for K = 1
  std::vector<std::size_t> medoids;  // [K] rows, ascending
};

struct choose_k_result {
  std::vector<k_choice> curve;          // ascending in K
  std::optional<kneedle_result> elbow;  // of the cost; x is K
  std::size_t best_silhouette_k = 0;    // K of the largest medoid silhouette, ties to the smaller K
  std::size_t recommended_k = 0;
  bool clear = false;   // false: the verdict is "no clear elbow"
  std::string verdict;  // "elbow at K = 12" or "no clear elbow"
  std::string reason;   // one sentence
};

/// One sweep from k_max down to k_min: each K begins with the medoids of K + 1 less the one that is missed least, and
/// is improved by FasterPAM's swaps; then upwards, wherever K + 1 came out dearer than K, it is found anew from K's
/// medoids and the best one more. So cost never rises with K. Not independent runs: K is compared with K + 1 on related
/// groups.
template <execution_context Context, class Source>
[[nodiscard]] choose_k_result choose_k(const Context& context, const Source& source, const choose_k_options& options);

/// The same for a distance matrix in memory, [M, M] of (const) float.
template <execution_context Context, class Float>
[[nodiscard]] choose_k_result choose_k(const Context& context, const matrix_view<Float>& distances,
                                       const choose_k_options& options);

}  // namespace imgsim
