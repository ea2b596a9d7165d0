// Rows of distances for a scan over candidates: read in place from a resident source, computed a tile at a time from
// any other. The tile is kept between scans, because after a swap the search goes on with the next candidate.
#pragma once

#include <algorithm>
#include <cstddef>

#include <imgsim/core/view.hpp>
#include <imgsim/cuda/cluster/distance_rows.cuh>
#include <imgsim/cuda/cluster/policy.hpp>
#include <imgsim/cuda/cluster/row_list.cuh>
#include <imgsim/cuda/context.hpp>

namespace imgsim::cuda {

template <class Source>
class candidate_rows {
 public:
  candidate_rows(const cuda_context& context, const distance_rows<Source>& source, const cluster_policy& policy)
      : context_(context), source_(source) {
    if constexpr (!distance_rows<Source>::kResident) {
      const std::size_t size = std::max<std::size_t>(source.size(), 1);
      most_ = std::min(size, std::clamp<std::size_t>(policy.tile_bytes / sizeof(float) / size, kKeyTileRows,
                                                     std::max<std::size_t>(policy.candidates, kKeyTileRows)));
      tile_ = padded_rows(context, most_, size);
    }
  }

  /// Makes rows [first, end) readable, where end is the value returned: above `first`, at most `last` (first < last).
  /// Queued. Rows that are computed come kKeyTileRows at a time at the least, since one costs as much.
  std::size_t load(std::size_t first, std::size_t last) {
    if constexpr (distance_rows<Source>::kResident) {
      return last;
    } else {
      if (!holds(first)) {
        const std::size_t wanted = std::max<std::size_t>(last - first, kKeyTileRows);
        count_ = 0;  // nothing, should what follows throw
        const std::size_t count = std::min({most_, source_.size() - first, wanted});
        source_.queue_rows(context_, first, tile_.rows(count));
        first_ = first;
        count_ = count;
      }
      return std::min(last, first_ + count_);
    }
  }

  /// Whether row `i` is readable now.
  [[nodiscard]] bool holds(std::size_t i) const noexcept {
    return distance_rows<Source>::kResident || (i >= first_ && i < first_ + count_);
  }

  /// `count` rows of those loaded, [count, M].
  [[nodiscard]] matrix_view<const float, device_space> rows(std::size_t first, std::size_t count) const noexcept {
    if constexpr (distance_rows<Source>::kResident) {
      return source_.rows(first, count);
    } else {
      return tile_.rows(most_).slice(first - first_, count);
    }
  }

 private:
  const cuda_context& context_;
  const distance_rows<Source>& source_;
  padded_rows tile_;
  std::size_t most_ = 0;
  std::size_t first_ = 0;
  std::size_t count_ = 0;
};

/// For kernels.
[[nodiscard]] inline row_list list_of(const matrix_view<const float, device_space>& rows) {
  return {rows.data(), rows.stride(0), nullptr};
}

}  // namespace imgsim::cuda
