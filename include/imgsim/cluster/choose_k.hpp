// Which K? A curve over every K in a range, and a recommendation that may say "no clear elbow".
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include <imgsim/cluster/centroid_indices.hpp>
#include <imgsim/cluster/k_medoids.hpp>
#include <imgsim/cluster/kneedle.hpp>
#include <imgsim/cluster/silhouette.hpp>
#include <imgsim/core/context.hpp>
#include <imgsim/core/element.hpp>

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
  double cost = 0;                   // sum of distances to the nearest medoid; does not rise with K
  double sum_of_squares = 0;         // of the same distances
  double medoid_silhouette = 0;      // in [0, 1]; 0 for K = 1
  centroid_indices indices;          // where choose_k was given the points; 0 for K = 1
  std::vector<std::size_t> medoids;  // [K] rows, ascending
};

struct choose_k_result {
  std::vector<k_choice> curve;          // ascending in K
  std::optional<kneedle_result> elbow;  // of the cost; x is K
  std::optional<kneedle_result> bend;   // of the cost on logarithmic axes; x is K
  std::size_t best_silhouette_k = 0;    // of the largest medoid silhouette, up to M / 2 where the range begins there
  /// K of the largest and of the smallest index where choose_k was given the points, ties to the smaller K; 0 where
  /// none is known.
  std::size_t best_calinski_harabasz_k = 0;
  std::size_t best_davies_bouldin_k = 0;
  std::size_t recommended_k = 0;  // of the range; 1, also where that is not in it, where there is nothing to group
  bool clear = false;
  std::string verdict;  // "elbow at K = 12", "no clear elbow", or why there is nothing to choose
  std::string reason;   // one sentence
};

namespace detail {

template <medoid_search Search>
k_choice read_choice(const Search& search) {
  k_choice choice;
  choice.k = search.medoids().size();
  for (const float d : search.nearest()) {
    choice.cost += static_cast<double>(d);
    choice.sum_of_squares += static_cast<double>(d) * static_cast<double>(d);
  }
  if (choice.k > 1) choice.medoid_silhouette = medoid_silhouette(search.nearest(), search.second_nearest());
  choice.medoids.assign(search.medoids().begin(), search.medoids().end());
  std::ranges::sort(choice.medoids);
  return choice;
}

/// Medoids for each K in [k_min, k_max], ascending.
template <medoid_search Search>
std::vector<k_choice> sweep_k(Search& search, std::size_t k_min, std::size_t k_max, const choose_k_options& options) {
  const std::size_t count = k_max - k_min + 1;
  std::vector<k_choice> curve(count);
  std::vector<std::int64_t> costs(count);
  const auto improve_and_keep = [&](std::size_t k) {
    improve_by_swaps(search, {.max_passes = std::numeric_limits<std::size_t>::max(),
                              .max_swaps = std::numeric_limits<std::size_t>::max(),
                              .stop = options.stop,
                              .on_progress = nullptr});
    curve[k - k_min] = read_choice(search);
    costs[k - k_min] = search.cost();
  };

  random_stream random(options.seed);
  add_initial_medoids(search, k_max, medoid_initialisation::k_means_plus_plus, random,
                      [&] { throw_if_stopped(options.stop, "the choice of K"); });
  for (std::size_t k = k_max;; --k) {
    improve_and_keep(k);
    if (options.on_progress) options.on_progress({k_max - k + 1, count, k});
    if (k == k_min) break;
    const std::span<const std::int64_t> losses = search.removal_losses();
    search.remove(static_cast<std::size_t>(std::ranges::min_element(losses) - losses.begin()));
  }
  // One more medoid than the K below never costs more: where the way down ended in a poorer optimum, go up instead.
  for (std::size_t k = k_min + 1; k <= k_max; ++k) {
    if (costs[k - k_min] <= costs[k - k_min - 1]) continue;
    search.assign(curve[k - k_min - 1].medoids);
    search.add(search.best_addition({}, {})->candidate);
    improve_and_keep(k);
  }
  return curve;
}

/// Kneedle on logarithmic axes. Data without groups give a straight line there, or one that bends the other way (in p
/// dimensions the error falls as K^(-1/p)), whereas Kneedle on plain axes finds an elbow in any falling curve. Left out
/// is K above M / 2, where the error falls to 0 because every point becomes a medoid. An error of 0 counts as a
/// millionth of the first.
inline std::optional<kneedle_result> logarithmic_bend(std::span<const k_choice> curve, std::size_t size) {
  std::vector<double> log_k;
  std::vector<double> log_cost;
  for (const k_choice& choice : curve) {
    if (2 * choice.k > size || !(curve.front().cost > 0)) break;
    log_k.push_back(std::log(static_cast<double>(choice.k)));
    log_cost.push_back(std::log(std::max(choice.cost, 1e-6 * curve.front().cost)));
  }
  std::optional<kneedle_result> bend = kneedle(log_k, log_cost);
  if (bend) bend->x = static_cast<double>(curve[bend->position].k);
  return bend;
}

/// Below this strength, a bend on logarithmic axes is no sign of groups: uniform and normal data in 2 to 64 dimensions
/// stay under 0.03, groups that lie four of their standard deviations apart in 10 or more dimensions pass 0.13.
inline constexpr double kClearBend = 0.1;

/// A choice of K begins with this many points.
inline constexpr std::size_t kLeastToChoose = 3;

/// Says why there is nothing to choose from, where that is so. Distances up to `rounding` count as 0.
inline bool judge_without_choice(choose_k_result& result, std::size_t size, bool in_one_place, double rounding) {
  const k_choice& first = result.curve.front();
  const auto say = [&](std::size_t k, std::string verdict, std::string reason) {
    result.recommended_k = k;
    result.verdict = std::move(verdict);
    result.reason = std::move(reason);
    return true;
  };
  if (in_one_place && size > 1)
    return say(1, "no cluster structure", "All lie in one place: there is nothing to tell them apart by.");
  if (size < kLeastToChoose)
    return say(1, "too few to choose",
               concat("Fewer than ", kLeastToChoose, " points leave no number of groups to choose."));
  if (first.k < size && first.cost <= rounding * static_cast<double>(size))
    return say(first.k, concat("no error is left at K = ", first.k),
               "All lie on their medoids: more groups would only part what is the same.");
  if (result.curve.size() == 1)
    return say(first.k, concat("only K = ", first.k, " was tried"), "With one K there is nothing to compare.");
  return false;
}

/// Judges the curve, of the points of `search`, whose medoids it replaces.
template <medoid_search Search>
void judge(choose_k_result& result, Search& search, double sensitivity) {
  const std::vector<k_choice>& curve = result.curve;
  // A point that is a medoid has silhouette 1, whatever the points are: with more medoids than others it says little.
  const auto silhouette = [&](const k_choice& choice) {
    return choice.medoid_silhouette - (2 * choice.k <= search.size() ? 0 : choice.k < search.size() ? 2 : 4);
  };
  result.best_silhouette_k = std::ranges::max_element(curve, {}, silhouette)->k;
  const k_choice* widest = nullptr;
  const k_choice* tightest = nullptr;
  for (const k_choice& choice : curve) {
    if (!choice.indices.are_defined()) continue;
    if (!widest || choice.indices.calinski_harabasz > widest->indices.calinski_harabasz) widest = &choice;
    if (!tightest || choice.indices.davies_bouldin < tightest->indices.davies_bouldin) tightest = &choice;
  }
  if (widest) {
    result.best_calinski_harabasz_k = widest->k;
    result.best_davies_bouldin_k = tightest->k;
  }

  const std::size_t size = search.size();
  const double rounding = 0x1p-40 * static_cast<double>(search.largest_distance());
  constexpr std::size_t kFirstRow = 0;
  search.assign(std::span(&kFirstRow, 1));
  const bool in_one_place =
      std::ranges::all_of(search.nearest(), [&](float d) { return static_cast<double>(d) <= rounding; });
  if (judge_without_choice(result, size, in_one_place, rounding)) return;

  std::vector<double> k;
  std::vector<double> cost;
  for (const k_choice& choice : curve) {
    k.push_back(static_cast<double>(choice.k));
    cost.push_back(choice.cost);
  }
  result.elbow = kneedle(k, cost, sensitivity);
  result.bend = logarithmic_bend(curve, size);
  const bool bends = result.bend && result.bend->strength >= kClearBend;
  const std::string silhouette_text =
      concat("the medoid silhouette is best at K = ", result.best_silhouette_k,
             result.best_silhouette_k == curve.back().k ? ", the largest that was tried" : "");
  std::string signs;
  const auto agree = [&](double best, const std::string& text) {
    if (!bends || std::abs(best - result.bend->x) > std::max(1.0, 0.1 * result.bend->x)) return;
    signs += concat(signs.empty() ? ", and " : "; ", text);
  };
  agree(static_cast<double>(result.best_silhouette_k), silhouette_text);
  if (result.elbow) agree(result.elbow->x, concat("Kneedle finds its elbow at K = ", result.elbow->x));
  if (widest) {
    agree(static_cast<double>(widest->k), concat("the index of Calinski and Harabasz is best at K = ", widest->k));
    agree(static_cast<double>(tightest->k), concat("the index of Davies and Bouldin is best at K = ", tightest->k));
  }
  result.clear = !signs.empty();
  if (result.clear) {
    result.recommended_k = curve[result.bend->position].k;
    result.verdict = concat("elbow at K = ", result.recommended_k);
    result.reason = concat("The error falls fast up to K = ", result.recommended_k, " and slowly after it", signs, ".");
    return;
  }
  result.verdict = "no clear elbow";
  result.recommended_k = result.elbow ? curve[result.elbow->position].k : result.best_silhouette_k;
  const std::string elbow_text =
      result.elbow ? concat("Kneedle's elbow, K = ", result.elbow->x, ", is a compromise") : "Kneedle finds no elbow";
  const std::string why = bends ? concat("the error bends most at K = ", result.bend->x, " on logarithmic axes")
                                : "the error falls evenly with K";
  result.reason = concat(elbow_text, ": ", why, ", and ", silhouette_text, ".");
  if (result.elbow)
    result.reason += concat(" Such an elbow moves with the range: this is that of K = ", curve.front().k, " to ",
                            curve.back().k, ".");
  if (result.recommended_k == curve.front().k || result.recommended_k == curve.back().k)
    result.reason += " The K that is taken lies at the edge of the range: a wider one may say more.";
}

/// `add_to_curve` is called with the search, whose medoids it may replace, and the curve, before that is judged.
template <execution_context Context, class Source, class AddToCurve>
choose_k_result sweep_and_judge(const Context& context, const Source& source, const choose_k_options& options,
                                AddToCurve&& add_to_curve) {
  static_assert(has_medoid_search<Context, Source>,
                "no K-medoids for this context and source: include the backend's cluster header "
                "(imgsim/cpu/cluster.hpp, imgsim/cuda/cluster.cuh)");
  expect_same_request(context,
                      {options.k_min, options.k_max, options.seed, std::bit_cast<std::uint64_t>(options.sensitivity)});
  IMGSIM_EXPECTS(options.k_min >= 1, "K begins at 1, not 0");
  IMGSIM_EXPECTS(options.k_min <= options.k_max, "the range of K ends at ", options.k_max, ", below its begin ",
                 options.k_min);
  IMGSIM_EXPECTS(options.k_min <= source.size(), "cannot make ", options.k_min, " groups of ", source.size(),
                 " points");
  medoid_searcher_for<Context, Source> search(context, source);
  choose_k_result result;
  result.curve = sweep_k(search, options.k_min, std::min(options.k_max, search.size()), options);
  add_to_curve(search, result.curve);
  judge(result, search, options.sensitivity);
  return result;
}

}  // namespace detail

/// The curve over K from k_min to k_max in one sweep, and what it says.
///
/// The sweep goes down from k_max: each K begins with the medoids of K + 1 less the one that is missed least and is
/// improved by FasterPAM's swaps. Then up: wherever K + 1 came out dearer than K, it is found anew from K's medoids and
/// the best one more. So the cost does not rise with K, and the curves of neighbouring K describe related groups.
///
/// The verdict is an elbow only where two signs agree (within 1, or a tenth): the curve bends on logarithmic axes, and
/// there the medoid silhouette is best, Kneedle on plain axes has its elbow or, where the points are given, an index of
/// the centroids is best. Otherwise it is "no clear elbow", and the recommendation is Kneedle's elbow or, without one,
/// the best medoid silhouette. Such an elbow moves with the range of K, which the reason says. Whether there are groups
/// at all, gap_statistic() says. There is nothing to choose where all points lie in one place or are fewer than 3 (K =
/// 1), where the first K leaves no error, or where the range holds one K; then the verdict says which. Distances up to
/// 2^-40 of the largest (or of the bound that the source states) count as 0 for it.
///
/// O(M^2) for a handful of passes at each K. The result is a function of the distances and the options. Throws
/// invalid_argument where k_min is 0, above k_max or above M, or a distance is not finite; cancelled when a stop is
/// requested.
template <execution_context Context, class Source>
[[nodiscard]] choose_k_result choose_k(const Context& context, const Source& source, const choose_k_options& options) {
  return detail::sweep_and_judge(context, source, options, [](auto&, auto&) {});
}

/// The same with the indices of Calinski and Harabasz and of Davies and Bouldin at each K, from the embeddings `points`
/// [M, D] that the distances belong to: the groups of each K are made once more, K M distances, and centroid_judge
/// looks at them, on the host: O(K_max^2 D) in all as long as few groups change from one K to the next. Throws
/// invalid_argument where there are not M points.
template <execution_context Context, class Source, element_matrix Points>
[[nodiscard]] choose_k_result choose_k(const Context& context, const Source& source, const Points& points,
                                       const choose_k_options& options) {
  IMGSIM_EXPECTS(points.extent(0) == source.size(), "points ", shape_text(points), " for distances between ",
                 source.size());
  return detail::sweep_and_judge(context, source, options, [&](auto& search, std::vector<k_choice>& curve) {
    centroid_judge judge(context, points);
    for (k_choice& choice : curve) {
      detail::throw_if_stopped(options.stop, "the choice of K");
      search.assign(choice.medoids);
      choice.indices = judge(search.labels(), choice.k);
    }
  });
}

/// The same for a distance matrix in memory, [M, M] of (const) float.
template <execution_context Context, class Float, class Space>
[[nodiscard]] choose_k_result choose_k(const Context& context, const matrix_view<Float, Space>& distances,
                                       const choose_k_options& options) {
  return choose_k(context, resident_distances(distances), options);
}

}  // namespace imgsim
