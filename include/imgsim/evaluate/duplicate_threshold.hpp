// How small the difference of two photos must be for a list of duplicates that is right as often as it claims.
//
// A folder of M photos has about M^2 / 2 pairs that are no duplicates, and the list is spoiled by the closest of them:
// what share of all pairs lies that close cannot be read off any sample. Nor are the folder's closest pairs a sample of
// pairs that differ: some are duplicates. Two things are known. Duplicates made on purpose (photo_variants.hpp) say
// below which difference c nearly all duplicates lie, so that the pairs beyond c are, but for those few, pairs that
// differ (the "zero assumption"; Efron, 2007, doi:10.1214/009053606000001460). And the number of pairs within a
// difference r falls as a power of r as r goes to 0, r^k with k the local dimension of the photos, whatever their
// distribution (Levina and Bickel, 2004; Amsaleg et al., 2015, doi:10.1145/2783258.2783405). So k is estimated from the
// closest pairs beyond c, by maximum likelihood in a window c .. a that is cut off on both sides, and
//
//   F(r) = n r^k / (a^k - c^k)     pairs that differ are expected within r < c, n pairs standing in the window
//
// with k at the lower end and n at the upper end of its one-sided 95 % interval: doubt makes for more of them. Of the
// R(r) pairs that there are within r, a list of them is right to a share 1 - F(r) / R(r). What is wrong with the
// assumption errs to one side: duplicates beyond c make k smaller and F larger.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include <imgsim/core/error.hpp>

namespace imgsim {

/// F(r), see above.
struct false_match_tail {
  double from = 0, to = 0;     ///< c and a
  std::size_t window = 0;      ///< pairs between them
  double dimension = 0;        ///< k as estimated
  double least_dimension = 0;  ///< the k in use

  /// For 0 <= r <= from.
  [[nodiscard]] double expected_within(double r) const {
    return r > 0 ? at_to() * std::exp(least_dimension * std::log(r / to)) : 0.0;
  }
  /// The r, at most `from`, that `expected` > 0 pairs that differ are expected within.
  [[nodiscard]] double difference_of(double expected) const {
    return std::min(from, to * std::exp(std::log(expected / at_to()) / least_dimension));
  }

 private:
  /// The law at a.
  [[nodiscard]] double at_to() const {
    const double count = static_cast<double>(window) + 1.645 * std::sqrt(static_cast<double>(window));
    return count / -std::expm1(least_dimension * std::log(from / to));
  }
};

/// Pairs that a window must hold, and those that it holds at most: the law is one of small differences.
inline constexpr std::size_t kLeastTailWindow = 30;
inline constexpr std::size_t kMostTailWindow = 300;

namespace detail {

/// Mean of x on [0, length] of density ~ exp(-k x): falls from length / 2 at k = 0.
[[nodiscard]] inline double truncated_mean(double k, double length) {
  const double reach = k * length;
  return reach < 1e-4 ? length * (0.5 - reach / 12) : 1 / k - length / std::expm1(reach);
}

/// Its variance, which is the Fisher information of one x about k.
[[nodiscard]] inline double truncated_variance(double k, double length) {
  const double reach = k * length;
  if (reach < 1e-2) return length * length / 12;
  const double decay = std::exp(-reach);
  return 1 / (k * k) - length * length * decay / ((1 - decay) * (1 - decay));
}

}  // namespace detail

/// From the differences of all compared pairs, ascending and >= 0, and the difference `from` > 0 that nearly all
/// duplicates stay below. nullopt where there are too few pairs beyond it, or they do not thin out towards it. Throws
/// invalid_argument.
[[nodiscard]] inline std::optional<false_match_tail> fit_false_match_tail(std::span<const double> differences,
                                                                          double from) {
  IMGSIM_EXPECTS(from > 0, "the difference that duplicates stay below must be above 0, not ", from);
  IMGSIM_EXPECTS(std::ranges::is_sorted(differences) && (differences.empty() || differences.front() >= 0),
                 "differences must ascend from 0");
  const auto beyond = std::ranges::upper_bound(differences, from);
  const auto others = static_cast<std::size_t>(differences.end() - beyond);
  const std::size_t window = std::clamp(others / 50, kLeastTailWindow, kMostTailWindow);
  if (others <= window) return std::nullopt;
  false_match_tail tail{.from = from, .to = beyond[static_cast<std::ptrdiff_t>(window)], .window = window};
  const double length = std::log(tail.to / from);
  if (!(length > 0)) return std::nullopt;
  double sum = 0;
  for (std::size_t i = 0; i < window; ++i) sum += std::log(tail.to / beyond[static_cast<std::ptrdiff_t>(i)]);
  const double mean = sum / static_cast<double>(window);
  // Ties at the far edge would pass for a steep fall.
  const bool tied = beyond[static_cast<std::ptrdiff_t>(window / 2)] == tail.to;
  if (tied || mean >= length / 2) return std::nullopt;
  double low = 0, high = 2 / std::max(mean, 1e-9);
  for (int step = 0; step < 200 && low < high * (1 - 1e-12); ++step) {
    const double middle = (low + high) / 2;
    (detail::truncated_mean(middle, length) > mean ? low : high) = middle;
  }
  tail.dimension = (low + high) / 2;
  const double deviation =
      1 / std::sqrt(static_cast<double>(window) * detail::truncated_variance(tail.dimension, length));
  tail.least_dimension = tail.dimension - 1.645 * deviation;
  if (!(tail.least_dimension > 0)) return std::nullopt;
  return tail;
}

/// Which of the pairs, by rising difference, are reported as duplicates.
struct duplicate_selection {
  std::size_t pairs = 0;           ///< the first so many
  double limit = 0;                ///< the difference up to which a pair would be among them; 0 where there are none
  double expected_false = 0;       ///< pairs among them that are none, at most
  std::vector<double> precisions;  ///< [pairs]: least precision of the best list that this pair is still in
};

/// The longest list of `differences` (ascending) up to tail.from that is right to a share of at least `precision`, in
/// (0, 1).
[[nodiscard]] inline duplicate_selection select_duplicates(std::span<const double> differences,
                                                           const false_match_tail& tail, double precision) {
  const auto within = static_cast<std::size_t>(std::ranges::upper_bound(differences, tail.from) - differences.begin());
  duplicate_selection chosen;
  std::vector<double> precisions(within);
  double best = -std::numeric_limits<double>::infinity();
  for (std::size_t i = within; i-- > 0;) {
    const double wrong = tail.expected_within(differences[i]);
    best = std::max(best, 1 - wrong / static_cast<double>(i + 1));
    precisions[i] = best;
    if (best >= precision && chosen.pairs == 0) {
      chosen.pairs = i + 1;
      chosen.limit = tail.difference_of((1 - precision) * static_cast<double>(i + 1));
      chosen.expected_false = wrong;
    }
  }
  precisions.resize(chosen.pairs);
  chosen.precisions = std::move(precisions);
  return chosen;
}

}  // namespace imgsim
