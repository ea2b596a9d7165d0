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
#include <imgsim/cluster/silhouette_medoids.hpp>
#include <imgsim/cpu/cluster/candidate_rows.hpp>
#include <imgsim/cpu/cluster/distance_rows.hpp>
#include <imgsim/cpu/cluster/medoid_distances.hpp>
#include <imgsim/cpu/cluster/silhouette_points.hpp>
#include <imgsim/cpu/cluster/silhouette_scan.hpp>
#include <imgsim/cpu/context.hpp>
#include <imgsim/cpu/simd.hpp>

namespace imgsim::cpu {

/// `source` must outlive the object.
template <class Source>
class silhouette_searcher {
 public:
  silhouette_searcher(const cpu_context& context, const Source& source)
      : context_(context), source_(context, source), rows_(context, source_), points_(source_.size()) {}

  silhouette_searcher(const silhouette_searcher&) = delete;  // the reader of candidates refers to the source held here
  silhouette_searcher& operator=(const silhouette_searcher&) = delete;

  [[nodiscard]] std::size_t size() const noexcept { return points_.size(); }
  [[nodiscard]] std::span<const std::size_t> medoids() const noexcept { return medoids_; }
  [[nodiscard]] std::int64_t loss() const noexcept { return points_.total_loss; }
  [[nodiscard]] std::span<const std::int64_t> removal_changes() const noexcept { return points_.removal_changes; }

  void assign(std::span<const std::size_t> rows) {
    medoids_ = std::vector<std::size_t>(rows.begin(), rows.end());  // `rows` may be medoids()
    is_medoid_.assign(size(), 0);
    points_.clear(medoids_.size());
    for (std::uint32_t position = 0; position < medoids_.size(); ++position) {
      is_medoid_[medoids_[position]] = 1;
      rows_.load(medoids_[position], medoids_[position] + 1);
      const float* distances = rows_[medoids_[position]];
      for (std::size_t o = 0; o < size(); ++o) points_.insert(o, position, distances[o]);
    }
    points_.settle_all();
  }

  void swap(const medoid_swap& exchange) {
    is_medoid_[medoids_[exchange.position]] = 0;
    medoids_[exchange.position] = exchange.candidate;
    is_medoid_[exchange.candidate] = 1;
    rows_.load(exchange.candidate, exchange.candidate + 1);
    points_.replace(static_cast<std::uint32_t>(exchange.position), rows_[exchange.candidate],
                    distances_to_medoids(context_, source_, medoids_));
  }

  void remove(std::size_t position) {
    is_medoid_[medoids_[position]] = 0;
    medoids_.erase(medoids_.begin() + static_cast<std::ptrdiff_t>(position));
    points_.remove(static_cast<std::uint32_t>(position), distances_to_medoids(context_, source_, medoids_));
  }

  [[nodiscard]] std::optional<medoid_swap> first_improving_swap(std::size_t first, std::size_t last) {
    while (first < last) {
      // A short run first: after a swap the next one is often close, and threads would look further in vain.
      const std::size_t end = rows_.load(first, std::min(last, first + kRun));
      const std::size_t chunks = (end - first + kChunk - 1) / kChunk;
      std::vector<std::optional<medoid_swap>> found(chunks);
      std::atomic<std::size_t> successful = chunks;  // chunks behind an improving one need not be looked at
      context_.parallel_for(chunks, [&](std::size_t chunk) {
        std::vector<std::int64_t> tables;
        for (std::size_t row = first + chunk * kChunk; row < std::min(end, first + (chunk + 1) * kChunk); ++row) {
          if (successful.load(std::memory_order_relaxed) < chunk) return;
          if ((found[chunk] = try_candidate(row, tables))) break;
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

  /// `tables`: a workspace.
  [[nodiscard]] std::optional<medoid_swap> try_candidate(std::size_t row, std::vector<std::int64_t>& tables) const {
    if (is_medoid_[row] != 0) return std::nullopt;
    const std::size_t count = medoids_.size();
    tables.assign(silhouette_scan_body::kTables * count, 0);
    std::int64_t shared = 0;
    expand(silhouette_scan_body{points_, rows_[row], count, &shared, tables.data()}, level_);
    medoid_swap best{0, row, std::numeric_limits<std::int64_t>::max()};
    for (std::size_t position = 0; position < count; ++position) {
      std::int64_t change = shared + points_.removal_changes[position];
      for (std::size_t table = 0; table < silhouette_scan_body::kTables; ++table)
        change += tables[table * count + position];
      if (change < best.change) best = {position, row, change};
    }
    if (best.change >= 0) return std::nullopt;
    return best;
  }

  cpu_context context_;
  distance_rows<Source> source_;
  candidate_rows<Source> rows_;
  std::vector<std::size_t> medoids_;
  std::vector<std::uint8_t> is_medoid_;
  silhouette_points points_;
  simd_level level_ = best_simd_level();
};

}  // namespace imgsim::cpu
