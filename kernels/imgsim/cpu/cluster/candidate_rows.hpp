// Rows of distances for a scan over candidates: read in place from a resident source, computed a tile at a time
// from any other. The tile is kept between scans, because after a swap the search goes on with the next candidate.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include <imgsim/core/tensor.hpp>
#include <imgsim/cpu/cluster/distance_rows.hpp>
#include <imgsim/cpu/context.hpp>

namespace imgsim::cpu {

template <class Source>
class candidate_rows {
 public:
  candidate_rows(cpu_context context, const distance_rows<Source>& source)
      : context_(std::move(context)), source_(source) {
    if constexpr (!distance_rows<Source>::kResident) {
      const std::size_t size = std::max<std::size_t>(source.size(), 1);
      const std::size_t rows =
          std::clamp(kTileBytes / sizeof(float) / size, std::min(context_.threads(), kMostTileRows), kMostTileRows);
      tile_ = tensor<float, 2>({std::min(rows, size), size});
    }
  }

  /// Makes rows [first, end) readable, where end is the value returned: above `first`, at most `last` (first < last).
  std::size_t load(std::size_t first, std::size_t last) {
    if constexpr (distance_rows<Source>::kResident) {
      return last;
    } else {
      if (first < first_ || first >= first_ + count_) {
        std::size_t count = 1;
        count_ = 0;  // nothing, should what follows throw
        if (const auto ahead = std::ranges::find(ahead_, first); ahead != ahead_.end()) {
          loaded_ = ahead_rows_.view().row(static_cast<std::size_t>(ahead - ahead_.begin()));
        } else {
          count = std::min(tile_.extent(0), last - first);
          loaded_ = tile_.data();
          source_.read(context_, first, tile_.view().slice(0, count));
        }
        first_ = first;
        count_ = count;
      }
      return std::min(last, first_ + count_);
    }
  }

  /// Rows that will be loaded, one at a time: they are computed together, which reads the points once for 16 of them.
  /// They take the place of those given before.
  void read_ahead(std::span<const std::size_t> rows) {
    if constexpr (!distance_rows<Source>::kResident) {
      count_ = 0;
      ahead_.clear();  // none, should what follows throw
      if (ahead_rows_.extent(0) != rows.size()) ahead_rows_ = tensor<float, 2>({rows.size(), source_.size()});
      source_.gather(context_, rows, ahead_rows_.view());
      ahead_.assign(rows.begin(), rows.end());
    }
  }

  /// Row `i` of those loaded, [M].
  [[nodiscard]] const float* operator[](std::size_t i) const noexcept {
    if constexpr (distance_rows<Source>::kResident) {
      return source_.row(i);
    } else {
      return loaded_ + (i - first_) * source_.size();
    }
  }

 private:
  static constexpr std::size_t kTileBytes = std::size_t{32} << 20;
  static constexpr std::size_t kMostTileRows = 1024;

  cpu_context context_;
  const distance_rows<Source>& source_;
  tensor<float, 2> tile_, ahead_rows_;
  std::vector<std::size_t> ahead_;  // whose rows are in ahead_rows_
  const float* loaded_ = nullptr;   // the row of first_
  std::size_t first_ = 0;
  std::size_t count_ = 0;
};

}  // namespace imgsim::cpu
