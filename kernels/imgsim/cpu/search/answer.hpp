// From lists of canonical candidates to the rows of the result.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <mutex>
#include <span>
#include <vector>

#include <imgsim/core/view.hpp>
#include <imgsim/cpu/search/candidates.hpp>
#include <imgsim/metric/metric.hpp>
#include <imgsim/search/top_n.hpp>

namespace imgsim::cpu {

/// The gallery row that query `query` must not match: its own, or none.
[[nodiscard]] inline std::size_t excluded_row(const top_n_options& options, std::size_t query) noexcept {
  return options.exclude_self ? options.first_row + query : std::numeric_limits<std::size_t>::max();
}

/// Writes one query's answer: `best`, canonical and no more than the columns, sorted here; then, where these are too
/// few, the rows whose key is NaN, which are all that is left, in order.
template <metric Metric>
void write_answer(std::span<candidate> best, std::size_t excluded, const top_n_output<host_space>& out,
                  std::size_t query) {
  const std::span<std::int64_t> rows(out.rows.row(query), out.columns());
  const std::span<float> similarity(out.similarity.row(query), out.columns());
  std::ranges::sort(best, candidate::better);
  for (std::size_t rank = 0; rank < best.size(); ++rank) {
    rows[rank] = static_cast<std::int64_t>(best[rank].row);
    similarity[rank] = rounded_to_float(Metric::similarity(best[rank].low));
  }
  if (best.size() == rows.size()) return;
  std::vector<std::size_t> taken(best.size());
  std::ranges::transform(best, taken.begin(), &candidate::row);
  std::ranges::sort(taken);
  auto next_taken = taken.begin();
  std::size_t rank = best.size();
  for (std::size_t row = 0; rank < rows.size(); ++row) {
    if (next_taken != taken.end() && *next_taken == row) {
      ++next_taken;
    } else if (row != excluded) {
      rows[rank] = static_cast<std::int64_t>(row);
      similarity[rank++] = kNoSimilarity;
    }
  }
}

/// Counts finished parts of the work for top_n_options::on_progress.
class progress_counter {
 public:
  progress_counter(const std::function<void(std::size_t, std::size_t)>& callback, std::size_t total)
      : callback_(callback), total_(total) {}

  void add(std::size_t parts) {
    if (!callback_) return;
    const std::lock_guard lock(mutex_);
    done_ += parts;
    callback_(done_, total_);
  }

 private:
  const std::function<void(std::size_t, std::size_t)>& callback_;
  std::size_t total_;
  std::size_t done_ = 0;
  std::mutex mutex_;
};

}  // namespace imgsim::cpu
