// The state of a K-medoids search on the CPU; models the concept medoid_search (cluster/backend.hpp).
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include <imgsim/cluster/backend.hpp>
#include <imgsim/core/error.hpp>
#include <imgsim/core/tensor.hpp>
#include <imgsim/cpu/cluster/candidate_rows.hpp>
#include <imgsim/cpu/cluster/distance_rows.hpp>
#include <imgsim/cpu/cluster/medoid_distances.hpp>
#include <imgsim/cpu/cluster/point_assignment.hpp>
#include <imgsim/cpu/cluster/swap_scan.hpp>
#include <imgsim/cpu/context.hpp>

namespace imgsim::cpu {

/// `source` must outlive the object. See medoid_search for the meaning of the members.
template <class Source>
class medoid_searcher {
 public:
  medoid_searcher(const cpu_context& context, const Source& source)
      : context_(context), source_(context, source), size_(source_.size()), rows_(context, source_) {
    IMGSIM_EXPECTS(size_ < point_assignment::kNone, "K-medoids takes fewer than ", point_assignment::kNone,
                   " points, not ", size_);
    largest_ = read_largest_distance();
    unit_ = fixed_point(largest_, size_);
    is_medoid_.resize(size_);
    assign({});
  }

  medoid_searcher(const medoid_searcher&) = delete;  // the reader of candidates refers to the source held here
  medoid_searcher& operator=(const medoid_searcher&) = delete;

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] fixed_point unit() const noexcept { return unit_; }
  [[nodiscard]] float largest_distance() const noexcept { return largest_; }
  [[nodiscard]] std::span<const std::size_t> medoids() const noexcept { return medoids_; }
  [[nodiscard]] bool is_medoid(std::size_t row) const noexcept { return is_medoid_[row] != 0; }
  [[nodiscard]] std::int64_t cost() const noexcept { return points_.cost(); }
  [[nodiscard]] std::span<const std::int64_t> removal_losses() const noexcept { return points_.removal_losses(); }
  [[nodiscard]] std::span<const std::uint32_t> labels() const noexcept { return points_.labels(); }
  [[nodiscard]] std::span<const float> nearest() const noexcept { return points_.nearest(); }
  [[nodiscard]] std::span<const float> second_nearest() const noexcept { return points_.second_nearest(); }
  [[nodiscard]] float distance_to(std::size_t position, std::size_t row) const {
    float distance = 0;
    source_.submatrix(medoids().subspan(position, 1), std::span(&row, 1), {&distance, {1, 1}});
    return distance;
  }

  void assign(std::span<const std::size_t> rows) {
    const std::vector<std::size_t> wanted(rows.begin(), rows.end());  // `rows` may be medoids()
    medoids_.clear();
    std::ranges::fill(is_medoid_, std::uint8_t{0});
    points_ = point_assignment(size_, largest_, unit_);
    if constexpr (kResident) {
      for (const std::size_t row : wanted) add(row);
    } else {
      tensor<float, 2> read({std::min(wanted.size(), imgsim::detail::kRowsTogether), size_});
      for (std::size_t first = 0; first < wanted.size(); first += imgsim::detail::kRowsTogether) {
        const auto some =
            std::span(wanted).subspan(first, std::min(imgsim::detail::kRowsTogether, wanted.size() - first));
        source_.gather(context_, some, read.view().slice(0, some.size()));
        for (std::size_t i = 0; i < some.size(); ++i) {
          medoids_.push_back(some[i]);
          is_medoid_[some[i]] = 1;
          points_.add(read.view().row(i));
        }
      }
    }
  }

  void add(std::size_t row) {
    medoids_.push_back(row);
    is_medoid_[row] = 1;
    points_.add(distances_from(row));
  }

  void remove(std::size_t position) {
    const auto at = static_cast<std::ptrdiff_t>(position);
    is_medoid_[medoids_[position]] = 0;
    medoids_.erase(medoids_.begin() + at);
    points_.remove(position, distances_to_medoids(context_, source_, medoids()));
  }

  void swap(const medoid_swap& exchange) {
    is_medoid_[medoids_[exchange.position]] = 0;
    medoids_[exchange.position] = exchange.candidate;
    is_medoid_[exchange.candidate] = 1;
    points_.replace(exchange.position, distances_from(exchange.candidate),
                    distances_to_medoids(context_, source_, medoids()));
  }

  /// Rows that first_improving_swap or count_reached will be asked for, one at a time.
  void read_ahead(std::span<const std::size_t> rows) { rows_.read_ahead(rows); }

  [[nodiscard]] std::optional<medoid_swap> first_improving_swap(std::size_t first, std::size_t last) {
    while (first < last) {
      // The next candidates often bring a swap, the more so at the start; then waking the threads is not worth it.
      const std::size_t end = rows_.load(first, std::min(last, unsuccessful_ < kAlone ? first + kAlone : last));
      const std::optional<medoid_swap> found =
          unsuccessful_ < kAlone ? first_improving_alone(first, end) : first_improving_together(first, end);
      if (found) {
        unsuccessful_ = 0;
        return found;
      }
      unsuccessful_ += end - first;
      first = end;
    }
    return std::nullopt;
  }

  [[nodiscard]] std::optional<medoid_addition> best_addition(std::span<const std::size_t> candidates,
                                                             std::span<const std::size_t> points) {
    if (!candidates.empty() && !points.empty()) return best_addition_of_sample(candidates, points);
    const auto gain = [&](const float* row) {
      return points.empty()
                 ? addition_gain(row, points_.nearest(), points_.terms(), unit_)
                 : addition_gain(points, points_.terms(), unit_, [&](std::size_t i) { return row[points[i]]; });
    };
    std::optional<medoid_addition> best;
    const std::size_t count = candidates.empty() ? size_ : candidates.size();
    for (std::size_t first = 0; first < count;) {
      const std::size_t row = candidates.empty() ? first : candidates[first];
      const std::size_t rows = candidates.empty() ? rows_.load(first, count) - first
                                                  : (kResident ? count - first : rows_.load(row, row + 1) - row);
      keep_better(best, best_of(rows, [&](std::size_t i) -> std::optional<medoid_addition> {
                    const std::size_t candidate = candidates.empty() ? first + i : candidates[first + i];
                    if (is_medoid(candidate)) return std::nullopt;
                    return medoid_addition{candidate, gain(rows_[candidate])};
                  }));
      first += rows;
    }
    return best;
  }

  void savings(std::span<const float> prices, std::span<std::int64_t> out) {
    for (std::size_t first = 0; first < size_;) {
      const std::size_t end = rows_.load(first, size_);
      for_each_chunk(end - first, [&](std::size_t i) { out[first + i] = saving(rows_[first + i], prices, unit_); });
      first = end;
    }
  }

  void count_reached(std::span<const std::size_t> rows, std::span<const float> prices,
                     std::span<std::uint32_t> counts) {
    for (const std::size_t row : rows) {
      if (!kResident) rows_.load(row, row + 1);
      for_each_below(rows_[row], prices.data(), size_, [&](std::size_t o) { ++counts[o]; });
    }
  }

 private:
  static constexpr bool kResident = distance_rows<Source>::kResident;
  static constexpr std::size_t kChunk = 16;  // candidates that a thread takes at a time
  static constexpr std::size_t kAlone = 32;  // candidates after a swap that one thread tries by itself

  /// Ties to what was there before.
  static void keep_better(std::optional<medoid_addition>& best, const std::optional<medoid_addition>& other) noexcept {
    if (other && (!best || other->gain > best->gain)) best = other;
  }

  /// body(i) for i in [0, count); threads take kChunk at a time.
  template <class Body>
  void for_each_chunk(std::size_t count, Body&& body) const {
    context_.parallel_for((count + kChunk - 1) / kChunk, [&](std::size_t chunk) {
      for (std::size_t i = chunk * kChunk; i < std::min(count, (chunk + 1) * kChunk); ++i) body(i);
    });
  }

  /// The best of addition(i) for i in [0, count), ties to the smaller i; threads share the work.
  template <class Addition>
  [[nodiscard]] std::optional<medoid_addition> best_of(std::size_t count, Addition&& addition) const {
    std::vector<std::optional<medoid_addition>> found((count + kChunk - 1) / kChunk);
    for_each_chunk(count, [&](std::size_t i) { keep_better(found[i / kChunk], addition(i)); });
    std::optional<medoid_addition> best;
    for (const std::optional<medoid_addition>& one : found) keep_better(best, one);
    return best;
  }

  /// Reads no other distances than those between the candidates and the points.
  [[nodiscard]] std::optional<medoid_addition> best_addition_of_sample(std::span<const std::size_t> candidates,
                                                                       std::span<const std::size_t> points) const {
    tensor<float, 2> distances({candidates.size(), points.size()});
    const std::size_t chunks = (candidates.size() + kChunk - 1) / kChunk;
    context_.parallel_for(chunks, [&](std::size_t chunk) {
      const std::size_t first = chunk * kChunk;
      const std::size_t count = std::min(kChunk, candidates.size() - first);
      source_.submatrix(candidates.subspan(first, count), points, distances.view().slice(first, count));
    });
    return best_of(candidates.size(), [&](std::size_t i) -> std::optional<medoid_addition> {
      if (is_medoid(candidates[i])) return std::nullopt;
      const float* row = distances.view().row(i);
      return medoid_addition{candidates[i],
                             addition_gain(points, points_.terms(), unit_, [&](std::size_t at) { return row[at]; })};
    });
  }

  /// [M], until the next call.
  [[nodiscard]] const float* distances_from(std::size_t row) {
    if constexpr (kResident) {
      return source_.row(row);
    } else {
      new_row_.resize(size_);
      source_.read(context_, row, matrix_view<float>(new_row_.data(), {1, size_}));
      return new_row_.data();
    }
  }

  [[nodiscard]] std::optional<medoid_swap> try_candidate(std::size_t candidate,
                                                         std::vector<std::int64_t>& losses) const {
    if (is_medoid(candidate)) return std::nullopt;
    losses.resize(medoids_.size());
    const position_change best = best_exchange(rows_[candidate], points_.second_nearest(), points_.terms(), unit_,
                                               removal_losses(), losses.data());
    if (best.change >= 0) return std::nullopt;
    return medoid_swap{best.position, candidate, best.change};
  }

  [[nodiscard]] std::optional<medoid_swap> first_improving_alone(std::size_t first, std::size_t last) {
    for (std::size_t candidate = first; candidate < last; ++candidate) {
      if (const std::optional<medoid_swap> found = try_candidate(candidate, losses_)) return found;
    }
    return std::nullopt;
  }

  /// Threads take chunks in rising order. Chunks that begin after an improving candidate are skipped, all before it
  /// are tried to the end, so the first in order is found as one thread would find it.
  [[nodiscard]] std::optional<medoid_swap> first_improving_together(std::size_t first, std::size_t last) const {
    const std::size_t chunks = (last - first + kChunk - 1) / kChunk;
    std::vector<std::optional<medoid_swap>> found(chunks);
    std::atomic<std::size_t> successful_chunk = chunks;
    context_.parallel_for(chunks, [&](std::size_t chunk) {
      std::vector<std::int64_t> losses;
      const std::size_t end = std::min(last, first + (chunk + 1) * kChunk);
      for (std::size_t candidate = first + chunk * kChunk; candidate < end; ++candidate) {
        if (successful_chunk.load(std::memory_order_relaxed) < chunk) return;
        found[chunk] = try_candidate(candidate, losses);
        if (!found[chunk]) continue;
        std::size_t known = successful_chunk.load(std::memory_order_relaxed);
        while (chunk < known && !successful_chunk.compare_exchange_weak(known, chunk, std::memory_order_relaxed)) {
        }
        return;
      }
    });
    const auto success = std::ranges::find_if(found, [](const auto& one) { return one.has_value(); });
    return success == found.end() ? std::nullopt : *success;
  }

  /// At least the largest distance. Where no bound is known, or the distances lie in memory, reads them all; throws for
  /// the first, in order of rows, that is not finite, and where one exceeds the bound.
  [[nodiscard]] float read_largest_distance() {
    const std::optional<float> bound = source_.upper_bound();
    if (bound && !kResident) return *bound;
    std::int32_t largest = 0;
    for (std::size_t first = 0; first < size_;) {
      const std::size_t end = rows_.load(first, size_);
      const std::size_t chunks = (end - first + kChunk - 1) / kChunk;
      std::vector<std::int32_t> found(chunks, 0);
      context_.parallel_for(chunks, [&](std::size_t chunk) {
        for (std::size_t row = first + chunk * kChunk; row < std::min(end, first + (chunk + 1) * kChunk); ++row) {
          found[chunk] = std::max(found[chunk], largest_magnitude_bits(rows_[row], size_));
        }
      });
      for (std::size_t chunk = 0; chunk < chunks; ++chunk) {
        if (found[chunk] >= kInfinityBits) throw_not_finite(first + chunk * kChunk);
        largest = std::max(largest, found[chunk]);
      }
      first = end;
    }
    return imgsim::detail::within_bound(std::bit_cast<float>(largest), bound);
  }

  [[noreturn]] void throw_not_finite(std::size_t row) const {
    for (;; ++row) {
      const float* distances = rows_[row];
      for (std::size_t column = 0; column < size_; ++column) {
        if (!std::isfinite(distances[column])) imgsim::detail::refuse_distance(row, column, distances[column]);
      }
    }
  }

  cpu_context context_;
  distance_rows<Source> source_;
  std::size_t size_;
  candidate_rows<Source> rows_;
  float largest_ = 0;
  fixed_point unit_;

  std::vector<std::size_t> medoids_;
  std::vector<std::uint8_t> is_medoid_;
  std::vector<float> new_row_;  // of distances_from, where the source is not resident
  point_assignment points_;
  std::size_t unsuccessful_ = 0;      // candidates tried since the last swap
  std::vector<std::int64_t> losses_;  // workspace of first_improving_alone
};

}  // namespace imgsim::cpu
