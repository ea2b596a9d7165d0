// The state of a search for medoid silhouettes on the CPU; models silhouette_search (cluster/silhouette_medoids.hpp).
//
// With the distances d1 <= d2 <= d3 of a point to its three nearest medoids, the point's part in every exchange is
// known: a candidate at distance c leaves the two smallest of (d1, d2, c) where another medoid goes, of (d2, d3, c)
// where its nearest goes, of (d1, d3, c) where its second goes. So one look at c serves all K exchanges.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include <imgsim/cluster/backend.hpp>
#include <imgsim/cluster/silhouette_loss.hpp>
#include <imgsim/cluster/silhouette_medoids.hpp>
#include <imgsim/core/error.hpp>
#include <imgsim/cpu/cluster/candidate_rows.hpp>
#include <imgsim/cpu/cluster/distance_rows.hpp>
#include <imgsim/cpu/cluster/swap_scan.hpp>
#include <imgsim/cpu/context.hpp>

namespace imgsim::cpu {

/// `source` must outlive the object.
template <class Source>
class silhouette_searcher {
 public:
  silhouette_searcher(const cpu_context& context, const Source& source)
      : context_(context),
        source_(context, source),
        rows_(context, source_),
        points_(source_.size()),
        third_(source_.size()) {}

  silhouette_searcher(const silhouette_searcher&) = delete;  // the reader of candidates refers to the source held here
  silhouette_searcher& operator=(const silhouette_searcher&) = delete;

  [[nodiscard]] std::size_t size() const noexcept { return points_.size(); }
  [[nodiscard]] std::span<const std::size_t> medoids() const noexcept { return medoids_; }
  [[nodiscard]] std::int64_t loss() const noexcept { return loss_; }
  [[nodiscard]] std::span<const std::int64_t> removal_changes() const noexcept { return removal_changes_; }

  void assign(std::span<const std::size_t> rows) {
    medoids_.assign(rows.begin(), rows.end());
    is_medoid_.assign(size(), 0);
    std::ranges::fill(points_, point{});
    std::ranges::fill(third_, std::numeric_limits<float>::infinity());
    for (std::uint32_t position = 0; position < medoids_.size(); ++position) {
      is_medoid_[medoids_[position]] = 1;
      rows_.load(medoids_[position], medoids_[position] + 1);
      const float* distances = rows_[medoids_[position]];
      for (std::size_t o = 0; o < size(); ++o) insert(o, position, distances[o]);
    }
    loss_ = 0;
    removal_changes_.assign(medoids_.size(), 0);
    for (std::size_t o = 0; o < size(); ++o) {
      point& p = points_[o];
      IMGSIM_EXPECTS(p.nearest >= 0, "silhouettes need distances that are not negative");
      p.part = silhouette_loss(p.nearest, p.second);
      p.without_nearest = silhouette_loss(p.second, third_[o]);
      p.without_second = silhouette_loss(p.nearest, third_[o]);
      loss_ += p.part;
      removal_changes_[p.label] += p.without_nearest - p.part;
      removal_changes_[p.second_label] += p.without_second - p.part;
    }
  }

  [[nodiscard]] std::optional<medoid_swap> first_improving_swap(std::size_t first, std::size_t last) {
    while (first < last) {
      // A short run first: after a swap the next one is often close, and threads would look further in vain.
      const std::size_t end = rows_.load(first, std::min(last, first + kRun));
      const std::size_t chunks = (end - first + kChunk - 1) / kChunk;
      std::vector<std::optional<medoid_swap>> found(chunks);
      std::atomic<std::size_t> successful = chunks;  // chunks behind an improving one need not be looked at
      context_.parallel_for(chunks, [&](std::size_t chunk) {
        std::vector<std::int64_t> changes;
        for (std::size_t row = first + chunk * kChunk; row < std::min(end, first + (chunk + 1) * kChunk); ++row) {
          if (successful.load(std::memory_order_relaxed) < chunk) return;
          if ((found[chunk] = try_candidate(row, changes))) break;
        }
        if (!found[chunk]) return;
        std::size_t known = successful.load(std::memory_order_relaxed);
        while (chunk < known && !successful.compare_exchange_weak(known, chunk, std::memory_order_relaxed)) {
        }
      });
      const auto success = std::ranges::find_if(found, [](const auto& one) { return one.has_value(); });
      if (success != found.end()) return *success;
      first = end;
    }
    return std::nullopt;
  }

 private:
  static constexpr std::size_t kChunk = 8;  // candidates that a thread takes at a time
  static constexpr std::size_t kRun = 512;  // candidates between two looks at what was found

  struct point {
    float nearest = std::numeric_limits<float>::infinity();
    float second = std::numeric_limits<float>::infinity();
    std::uint32_t label = 0, second_label = 0;
    std::int64_t part = 0, without_nearest = 0, without_second = 0;  // of the loss
  };

  void insert(std::size_t o, std::uint32_t position, float d) noexcept {
    point& p = points_[o];
    if (d < p.nearest) {
      third_[o] = p.second;
      p.second = p.nearest;
      p.second_label = p.label;
      p.nearest = d;
      p.label = position;
    } else if (d < p.second) {
      third_[o] = p.second;
      p.second = d;
      p.second_label = position;
    } else if (d < third_[o]) {
      third_[o] = d;
    }
  }

  [[nodiscard]] std::optional<medoid_swap> try_candidate(std::size_t row, std::vector<std::int64_t>& changes) const {
    if (is_medoid_[row] != 0) return std::nullopt;
    changes.assign(removal_changes_.begin(), removal_changes_.end());
    std::int64_t shared = 0;
    for_each_below(rows_[row], third_.data(), size(), [&](std::size_t o) {
      const point& p = points_[o];
      const float d = rows_[row][o];
      // With d below the third distance, (nearest, d) is left where the second medoid goes, (second, d) where the
      // nearest does, and where another goes (nearest, d) if d is below the second. No branch: how d lies cannot be
      // foretold.
      const std::int64_t with_nearest = silhouette_loss(std::min(p.nearest, d), std::max(p.nearest, d));
      const std::int64_t with_second = silhouette_loss(std::min(p.second, d), std::max(p.second, d));
      const std::int64_t change = d < p.second ? with_nearest - p.part : 0;
      shared += change;
      changes[p.label] += with_second - p.without_nearest - change;
      changes[p.second_label] += with_nearest - p.without_second - change;
    });
    const auto least = std::ranges::min_element(changes);
    if (shared + *least >= 0) return std::nullopt;
    return medoid_swap{static_cast<std::size_t>(least - changes.begin()), row, shared + *least};
  }

  cpu_context context_;
  distance_rows<Source> source_;
  candidate_rows<Source> rows_;
  std::vector<std::size_t> medoids_;
  std::vector<std::uint8_t> is_medoid_;
  std::vector<point> points_;
  std::vector<float> third_;  // distance to the third nearest medoid, infinite where there is none
  std::int64_t loss_ = 0;
  std::vector<std::int64_t> removal_changes_;
};

}  // namespace imgsim::cpu
