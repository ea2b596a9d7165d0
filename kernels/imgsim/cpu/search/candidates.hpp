// What may still be among a query's N best. A candidate has bounds of its key; where the fast pass cannot decide, the
// canonical key settles it. Lists are bounded by construction: one that is full of undecided candidates (ties, rows
// closer than the fast pass can tell apart) grows to a limit, is then refined on the spot and cut to N.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <limits>
#include <span>
#include <vector>

namespace imgsim::cpu {

struct candidate {
  double low;   // low <= canonical key <= high
  double high;  // low == high: the canonical key itself
  std::size_t row;

  [[nodiscard]] bool is_canonical() const noexcept { return low == high; }

  /// The order of an answer, for canonical candidates.
  [[nodiscard]] static bool better(const candidate& a, const candidate& b) noexcept {
    return a.low != b.low ? a.low > b.low : a.row < b.row;
  }
};

/// Candidates of Q queries. Different queries can be used from different threads.
class candidate_lists {
 public:
  /// `wanted` >= 1 matches each, out of at most `rows`, with room for at most `extra` more than are wanted.
  candidate_lists(std::size_t queries, std::size_t wanted, std::size_t rows, std::size_t extra)
      : wanted_(wanted), most_(most_for(wanted, rows, extra)), queries_(queries) {
    for (list& each : queries_) each.capacity = std::min(wanted + least_extra(wanted), most_);
  }
  candidate_lists(std::size_t queries, std::size_t wanted, std::size_t rows)
      : candidate_lists(queries, wanted, rows, least_extra(wanted)) {}

  /// Room for as many again as are wanted, so that a cut is paid for by the pushes between two of them.
  [[nodiscard]] static std::size_t least_extra(std::size_t wanted) noexcept {
    return std::max<std::size_t>(wanted, 64);
  }

  /// Bytes that one query takes at the most.
  [[nodiscard]] static std::size_t bytes_for(std::size_t wanted, std::size_t rows, std::size_t extra) noexcept {
    return most_for(wanted, rows, extra) * sizeof(candidate) + (wanted + least_extra(wanted)) * sizeof(double);
  }
  [[nodiscard]] static std::size_t bytes_for(std::size_t wanted, std::size_t rows) noexcept {
    return bytes_for(wanted, rows, least_extra(wanted));
  }

  /// A row whose key is below this for sure is not among the N best; NaN compares as below.
  [[nodiscard]] double threshold(std::size_t query) const noexcept { return queries_[query].threshold; }

  [[nodiscard]] std::span<candidate> operator[](std::size_t query) noexcept { return queries_[query].candidates; }

  /// Adds a candidate whose `high` is at least the threshold. refine(query, candidates) makes each of them canonical;
  /// it is called only where the list cannot grow and its bounds do not tell which to drop.
  template <class Refine>
  void push(std::size_t query, const candidate& added, Refine&& refine) {
    list& own = queries_[query];
    if (added.low > own.threshold) raise_threshold(own, added.low);
    if (own.candidates.size() == own.capacity) {
      prune(own);
      const std::size_t undecided = own.candidates.size() - std::min(wanted_, own.candidates.size());
      const std::size_t room = own.capacity - wanted_;
      if (own.capacity < most_) {
        if (undecided > room / 4) own.capacity = std::min(wanted_ + 2 * room, most_);
      } else if (undecided > room / 2) {
        refine(query, (*this)[query]);
        keep_best(query);
      }
      if (added.high < own.threshold) return;
    }
    if (own.candidates.capacity() < own.capacity) own.candidates.reserve(own.capacity);
    own.candidates.push_back(added);
  }

  /// Drops what is below the N-th best for sure.
  void prune(std::size_t query) { prune(queries_[query]); }

  /// Those that are likely to be the N best, which are worth refining first: their keys rule out most of the rest.
  [[nodiscard]] std::span<candidate> likely_best(std::size_t query) {
    std::vector<candidate>& all = queries_[query].candidates;
    if (all.size() <= wanted_) return all;
    std::nth_element(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(wanted_), all.end(),
                     [](const candidate& a, const candidate& b) { return a.low + a.high > b.low + b.high; });
    return {all.data(), wanted_};
  }

  /// Drops what cannot be among the N best now that likely_best() are canonical.
  void prune_by_best(std::size_t query) {
    list& own = queries_[query];
    if (own.candidates.size() <= wanted_) return;
    double least = own.candidates[0].low;
    for (std::size_t i = 1; i < wanted_; ++i) least = std::min(least, own.candidates[i].low);
    own.threshold = std::max(own.threshold, least);
    std::erase_if(own.candidates, [threshold = own.threshold](const candidate& c) { return c.high < threshold; });
  }

  /// Keeps the N best; all must be canonical.
  void keep_best(std::size_t query) {
    list& own = queries_[query];
    if (own.candidates.size() <= wanted_) return;
    const auto end = own.candidates.begin() + static_cast<std::ptrdiff_t>(wanted_);
    std::nth_element(own.candidates.begin(), end - 1, own.candidates.end(), candidate::better);
    own.threshold = std::max(own.threshold, (end - 1)->low);
    own.candidates.erase(end, own.candidates.end());
  }

 private:
  /// What belongs to one query: a cache line.
  struct list {
    std::vector<candidate> candidates;
    std::vector<double> lows;  // the N best, and some that are yet to be cut
    std::size_t capacity = 0;
    double threshold = -std::numeric_limits<double>::infinity();
  };

  void prune(list& own) {
    cut_lows(own);
    std::erase_if(own.candidates, [threshold = own.threshold](const candidate& c) { return c.high < threshold; });
  }

  /// The N-th largest of the lower bounds seen is a threshold: N rows have keys at least that large. Bounds alone are
  /// cheaper to keep than to find among candidates, of which there may be many more.
  void raise_threshold(list& own, double low) {
    if (own.lows.capacity() == 0) own.lows.reserve(wanted_ + least_extra(wanted_));
    own.lows.push_back(low);
    if (own.lows.size() == wanted_ + least_extra(wanted_)) cut_lows(own);
  }

  void cut_lows(list& own) {
    if (own.lows.size() < wanted_) return;
    const auto nth = own.lows.begin() + static_cast<std::ptrdiff_t>(wanted_ - 1);
    std::nth_element(own.lows.begin(), nth, own.lows.end(), std::greater<>());
    own.threshold = std::max(own.threshold, *nth);
    own.lows.erase(nth + 1, own.lows.end());
  }

  [[nodiscard]] static std::size_t most_for(std::size_t wanted, std::size_t rows, std::size_t extra) noexcept {
    return extra < rows - std::min(wanted, rows) ? wanted + extra : rows;
  }

  std::size_t wanted_;
  std::size_t most_;
  std::vector<list> queries_;
};

}  // namespace imgsim::cpu
