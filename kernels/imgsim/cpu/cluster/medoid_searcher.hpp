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
#include <imgsim/cpu/cluster/swap_scan.hpp>
#include <imgsim/cpu/context.hpp>

namespace imgsim::cpu {

/// `source` must outlive the object. See medoid_search for the meaning of the members.
template <class Source>
class medoid_searcher {
 public:
  medoid_searcher(const cpu_context& context, const Source& source)
      : context_(context), source_(context, source), size_(source_.size()), rows_(context, source_) {
    IMGSIM_EXPECTS(size_ < kNone, "K-medoids takes fewer than ", kNone, " points, not ", size_);
    largest_ = largest_distance();
    unit_ = fixed_point(largest_, size_);
    label_.resize(size_);
    second_label_.resize(size_);
    nearest_.resize(size_);
    second_.resize(size_);
    terms_.resize(size_);
    is_medoid_.resize(size_);
    assign({});
  }

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] fixed_point unit() const noexcept { return unit_; }
  [[nodiscard]] std::span<const std::size_t> medoids() const noexcept { return medoids_; }
  [[nodiscard]] bool is_medoid(std::size_t row) const noexcept { return is_medoid_[row] != 0; }
  [[nodiscard]] std::int64_t cost() const noexcept { return cost_; }
  [[nodiscard]] std::span<const std::int64_t> removal_losses() const noexcept { return removal_losses_; }
  [[nodiscard]] std::span<const std::uint32_t> labels() const noexcept { return label_; }
  [[nodiscard]] std::span<const float> nearest() const noexcept { return nearest_; }
  [[nodiscard]] std::span<const float> second_nearest() const noexcept { return second_; }
  [[nodiscard]] float distance_to(std::size_t position, std::size_t row) const noexcept {
    return medoid_row(position)[row];
  }

  void assign(std::span<const std::size_t> rows) {
    const std::vector<std::size_t> wanted(rows.begin(), rows.end());  // `rows` may be medoids()
    medoids_.clear();
    medoid_rows_.clear();
    removal_losses_.clear();
    std::ranges::fill(is_medoid_, std::uint8_t{0});
    std::ranges::fill(label_, kNone);
    std::ranges::fill(second_label_, kNone);
    std::ranges::fill(nearest_, largest_);
    std::ranges::fill(second_, largest_);
    const std::int64_t most = unit_.quantise(largest_);
    std::ranges::fill(terms_, point_terms{most, most, kNone});
    cost_ = most * static_cast<std::int64_t>(size_);
    for (const std::size_t row : wanted) add(row);
  }

  void add(std::size_t row) {
    const auto position = static_cast<std::uint32_t>(medoids_.size());
    medoids_.push_back(row);
    medoid_rows_.emplace_back();
    removal_losses_.push_back(0);
    is_medoid_[row] = 1;
    read_medoid_row(position);
    const float* distances = medoid_row(position);
    for (std::size_t o = 0; o < size_; ++o) insert(o, position, distances[o]);
  }

  void remove(std::size_t position) {
    // What goes is taken out of the sums under the old positions, before those above move down.
    seekers_.clear();
    for (std::size_t o = 0; o < size_; ++o) {
      if (label_[o] != position && second_label_[o] != position) continue;
      subtract(o);
      if (label_[o] == position) promote_second(o);
      seekers_.push_back(static_cast<std::uint32_t>(o));
    }
    const auto at = static_cast<std::ptrdiff_t>(position);
    is_medoid_[medoids_[position]] = 0;
    medoids_.erase(medoids_.begin() + at);
    medoid_rows_.erase(medoid_rows_.begin() + at);
    removal_losses_.erase(removal_losses_.begin() + at);
    const auto move_down = [&](std::uint32_t& label) { label -= label != kNone && label > position ? 1 : 0; };
    for (std::size_t o = 0; o < size_; ++o) {
      move_down(label_[o]);
      move_down(second_label_[o]);
      terms_[o].label = label_[o];
    }
    find_second_of_seekers();
  }

  void swap(const medoid_swap& exchange) {
    const auto position = static_cast<std::uint32_t>(exchange.position);
    is_medoid_[medoids_[position]] = 0;
    medoids_[position] = exchange.candidate;
    is_medoid_[exchange.candidate] = 1;
    read_medoid_row(position);
    const float* distances = medoid_row(position);
    seekers_.clear();
    for (std::size_t o = 0; o < size_; ++o) {
      const float d = distances[o];
      if (label_[o] != position && second_label_[o] != position) {
        insert(o, position, d);
        continue;
      }
      subtract(o);
      if (label_[o] == position) {
        if (!precedes(d, position, second_[o], second_label_[o])) {
          promote_second(o);
          seekers_.push_back(static_cast<std::uint32_t>(o));
          continue;
        }
        nearest_[o] = d;
      } else if (precedes(d, position, nearest_[o], label_[o])) {
        demote_nearest(o);
        nearest_[o] = d;
        label_[o] = position;
      } else if (d <= second_[o]) {
        second_[o] = d;
      } else {
        seekers_.push_back(static_cast<std::uint32_t>(o));
        continue;
      }
      accumulate(o);
    }
    find_second_of_seekers();
  }

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
                 ? addition_gain(row, nearest_, terms_.data(), unit_)
                 : addition_gain(points, terms_.data(), unit_, [&](std::size_t i) { return row[points[i]]; });
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

 private:
  static constexpr bool kResident = distance_rows<Source>::kResident;
  static constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();
  static constexpr std::size_t kChunk = 16;  // candidates that a thread takes at a time
  static constexpr std::size_t kAlone = 32;  // candidates after a swap that one thread tries by itself

  static bool precedes(float d, std::uint32_t position, float other, std::uint32_t other_position) noexcept {
    return d < other || (d == other && position < other_position);
  }

  /// Ties to what was there before.
  static void keep_better(std::optional<medoid_addition>& best, const std::optional<medoid_addition>& other) noexcept {
    if (other && (!best || other->gain > best->gain)) best = other;
  }

  /// The best of addition(i) for i in [0, count), ties to the smaller i; threads share the work.
  template <class Addition>
  [[nodiscard]] std::optional<medoid_addition> best_of(std::size_t count, Addition&& addition) const {
    const std::size_t chunks = (count + kChunk - 1) / kChunk;
    std::vector<std::optional<medoid_addition>> found(chunks);
    context_.parallel_for(chunks, [&](std::size_t chunk) {
      for (std::size_t i = chunk * kChunk; i < std::min(count, (chunk + 1) * kChunk); ++i)
        keep_better(found[chunk], addition(i));
    });
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
                             addition_gain(points, terms_.data(), unit_, [&](std::size_t at) { return row[at]; })};
    });
  }

  [[nodiscard]] const float* medoid_row(std::size_t position) const noexcept {
    if constexpr (kResident) {
      return source_.rows(medoids_[position], 1, {}).data();
    } else {
      return medoid_rows_[position].data();
    }
  }

  void read_medoid_row(std::size_t position) {
    if constexpr (!kResident) {
      medoid_rows_[position].resize(size_);
      source_.rows(medoids_[position], 1, matrix_view<float>(medoid_rows_[position].data(), {1, size_}));
    }
  }

  /// Takes a point's part out of the sums, and puts it back after its nearest or second nearest has changed.
  void subtract(std::size_t o) noexcept {
    const point_terms& point = terms_[o];
    cost_ -= point.nearest;
    if (point.label != kNone) removal_losses_[point.label] -= point.second - point.nearest;
  }
  void accumulate(std::size_t o) noexcept {
    terms_[o] = {unit_.quantise(nearest_[o]), unit_.quantise(second_[o]), label_[o]};
    const point_terms& point = terms_[o];
    cost_ += point.nearest;
    if (point.label != kNone) removal_losses_[point.label] += point.second - point.nearest;
  }

  void promote_second(std::size_t o) noexcept {
    nearest_[o] = second_[o];
    label_[o] = second_label_[o];
  }
  void demote_nearest(std::size_t o) noexcept {
    second_[o] = nearest_[o];
    second_label_[o] = label_[o];
  }

  /// A medoid that the point did not know comes at distance `d`.
  void insert(std::size_t o, std::uint32_t position, float d) noexcept {
    if (!precedes(d, position, second_[o], second_label_[o])) return;
    subtract(o);
    if (precedes(d, position, nearest_[o], label_[o])) {
      demote_nearest(o);
      nearest_[o] = d;
      label_[o] = position;
    } else {
      second_[o] = d;
      second_label_[o] = position;
    }
    accumulate(o);
  }

  /// For the points that lost their second nearest medoid: the medoids' rows are read one after the other, since a
  /// walk over all medoids for each point misses the cache at every step.
  void find_second_of_seekers() noexcept {
    for (const std::uint32_t o : seekers_) {
      second_[o] = largest_;
      second_label_[o] = kNone;
    }
    for (std::uint32_t position = 0; position < medoids_.size(); ++position) {
      const float* distances = medoid_row(position);
      for (const std::uint32_t o : seekers_) {
        if (position == label_[o] || !precedes(distances[o], position, second_[o], second_label_[o])) continue;
        second_[o] = distances[o];
        second_label_[o] = position;
      }
    }
    for (const std::uint32_t o : seekers_) accumulate(o);
  }

  [[nodiscard]] std::optional<medoid_swap> try_candidate(std::size_t candidate,
                                                         std::vector<std::int64_t>& losses) const {
    if (is_medoid(candidate)) return std::nullopt;
    losses.resize(medoids_.size());
    const position_change best =
        best_exchange(rows_[candidate], second_, terms_.data(), unit_, removal_losses_, losses.data());
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

  /// Reads all distances; throws for the first, in order of rows, that is not finite.
  [[nodiscard]] float largest_distance() {
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
    return std::bit_cast<float>(largest);
  }

  [[noreturn]] void throw_not_finite(std::size_t row) const {
    for (;; ++row) {
      const float* distances = rows_[row];
      for (std::size_t column = 0; column < size_; ++column) {
        if (std::isfinite(distances[column])) continue;
        throw invalid_argument(imgsim::detail::concat("the distance in row ", row, ", column ", column, " is ",
                                                      distances[column], "; K-medoids needs finite distances"));
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
  std::vector<std::vector<float>> medoid_rows_;  // their distances, where the source is not resident
  std::vector<std::uint8_t> is_medoid_;
  std::vector<std::uint32_t> label_, second_label_;
  std::vector<float> nearest_, second_;
  std::vector<point_terms> terms_;
  std::int64_t cost_ = 0;
  std::vector<std::int64_t> removal_losses_;
  std::size_t unsuccessful_ = 0;        // candidates tried since the last swap
  std::vector<std::int64_t> losses_;    // workspace of first_improving_alone
  std::vector<std::uint32_t> seekers_;  // workspace of remove and swap: points without a second nearest medoid
};

}  // namespace imgsim::cpu
