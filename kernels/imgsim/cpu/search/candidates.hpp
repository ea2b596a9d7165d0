// What may still be among a query's N best. A candidate has bounds of its key; where the fast pass cannot decide, the
// canonical key settles it. Lists are bounded by construction: one that is full of undecided candidates (ties, rows
// closer than the fast pass can tell apart) is refined on the spot and cut to N.
#pragma once

#include <algorithm>
#include <cstddef>
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
  /// `wanted` >= 1 matches each, out of at most `rows`.
  candidate_lists(std::size_t queries, std::size_t wanted, std::size_t rows)
      : wanted_(wanted),
        capacity_(capacity_for(wanted, rows)),
        storage_(queries * capacity_),
        count_(queries),
        threshold_(queries, -std::numeric_limits<double>::infinity()) {}

  /// Bytes that one query takes.
  [[nodiscard]] static std::size_t bytes_for(std::size_t wanted, std::size_t rows) noexcept {
    return capacity_for(wanted, rows) * sizeof(candidate);
  }

  /// A row whose key is below this for sure is not among the N best; NaN compares as below.
  [[nodiscard]] double threshold(std::size_t query) const noexcept { return threshold_[query]; }

  [[nodiscard]] std::span<candidate> operator[](std::size_t query) noexcept {
    return {storage_.data() + query * capacity_, count_[query]};
  }

  /// Adds a candidate whose `high` is at least the threshold. refine(query, candidates) makes each of them canonical;
  /// it is called only where the list is full and its bounds do not tell which to drop.
  template <class Refine>
  void push(std::size_t query, const candidate& added, Refine&& refine) {
    if (count_[query] == capacity_) {
      prune(query);
      if (count_[query] > wanted_ + (capacity_ - wanted_) / 2) {
        refine(query, (*this)[query]);
        keep_best(query);
      }
      if (added.high < threshold_[query]) return;
    }
    storage_[query * capacity_ + count_[query]++] = added;
  }

  /// Drops what is below the N-th best for sure.
  void prune(std::size_t query) {
    std::span<candidate> list = (*this)[query];
    if (list.size() < wanted_) return;
    const auto nth = list.begin() + static_cast<std::ptrdiff_t>(wanted_ - 1);
    std::nth_element(list.begin(), nth, list.end(),
                     [](const candidate& a, const candidate& b) { return a.low > b.low; });
    const double threshold = std::max(threshold_[query], nth->low);
    threshold_[query] = threshold;
    const auto end = std::remove_if(list.begin(), list.end(), [&](const candidate& c) { return c.high < threshold; });
    count_[query] = static_cast<std::size_t>(end - list.begin());
  }

  /// Keeps the N best; all must be canonical.
  void keep_best(std::size_t query) {
    std::span<candidate> list = (*this)[query];
    if (list.size() <= wanted_) return;
    const auto end = list.begin() + static_cast<std::ptrdiff_t>(wanted_);
    std::nth_element(list.begin(), end - 1, list.end(), candidate::better);
    threshold_[query] = std::max(threshold_[query], (end - 1)->low);
    count_[query] = wanted_;
  }

 private:
  /// Room for as many again as are wanted, so that a cut is paid for by the pushes between two of them.
  [[nodiscard]] static std::size_t capacity_for(std::size_t wanted, std::size_t rows) noexcept {
    return std::min(wanted + std::max<std::size_t>(wanted, 64), rows);
  }

  std::size_t wanted_;
  std::size_t capacity_;
  std::vector<candidate> storage_;
  std::vector<std::size_t> count_;
  std::vector<double> threshold_;
};

}  // namespace imgsim::cpu
