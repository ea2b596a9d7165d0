// The state of a K-medoids search over the ranks of a communicator; models the concept medoid_search
// (cluster/backend.hpp).
//
// A rank keeps what its own points know of the medoids, and sums over them. Sums are integers, so that those of the
// ranks add up to what one rank would have. To try a candidate costs a rank M / ranks distances, and a message of K
// sums; candidates are tried in batches, fewer where the last ones brought a swap. A new medoid costs no message but
// one of K sums: each rank has the distances from every point to its own.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <imgsim/cluster/backend.hpp>
#include <imgsim/cluster/distance_source.hpp>
#include <imgsim/cluster/fixed_point.hpp>
#include <imgsim/core/error.hpp>
#include <imgsim/cpu/cluster/medoid_distances.hpp>
#include <imgsim/cpu/cluster/point_assignment.hpp>
#include <imgsim/cpu/cluster/swap_scan.hpp>
#include <imgsim/mpi/communicator.hpp>
#include <imgsim/mpi/context.hpp>
#include <imgsim/mpi/sharded_distances.hpp>

namespace imgsim::mpi {

/// `source` must outlive the object. All ranks call the same members in the same order; each is collective but size(),
/// unit(), largest_distance(), medoids(), is_medoid(), cost() and removal_losses(). See medoid_search for their
/// meaning.
class medoid_searcher {
  [[nodiscard]] auto medoid_rows() const {
    return cpu::rows_of_medoids(medoids_.size(),
                                [this](std::size_t position) { return source_.row(medoids_[position]); });
  }

 public:
  medoid_searcher(const mpi_context& context, const sharded_distances& source)
      : context_(context), source_(source), together_(context_.ranks()) {
    constexpr std::size_t kMost = std::size_t{std::numeric_limits<int>::max()};
    IMGSIM_EXPECTS(source_.size() < kMost, "K-medoids over MPI takes fewer than ", kMost, " points, not ",
                   source_.size());
    largest_ = read_largest_distance();
    unit_ = fixed_point(largest_, source_.size());
    is_medoid_.resize(source_.size());
    const communicator& ranks = context_.ranks();
    together_.step();
    const auto count = static_cast<std::uint64_t>(local_size());
    for (const std::uint64_t c : ranks.gather<std::uint64_t>(std::span(&count, 1))) {
      counts_.push_back(static_cast<int>(c));
      offsets_.push_back(offsets_.empty() ? 0 : offsets_.back() + counts_[counts_.size() - 2]);
    }
    assign({});
  }

  medoid_searcher(const medoid_searcher&) = delete;
  medoid_searcher& operator=(const medoid_searcher&) = delete;

  [[nodiscard]] std::size_t size() const noexcept { return source_.size(); }
  [[nodiscard]] fixed_point unit() const noexcept { return unit_; }
  [[nodiscard]] float largest_distance() const noexcept { return largest_; }
  [[nodiscard]] std::span<const std::size_t> medoids() const noexcept { return medoids_; }
  [[nodiscard]] bool is_medoid(std::size_t row) const noexcept { return is_medoid_[row] != 0; }
  [[nodiscard]] std::int64_t cost() const noexcept { return sums_[0]; }
  [[nodiscard]] std::span<const std::int64_t> removal_losses() const noexcept { return std::span(sums_).subspan(1); }
  [[nodiscard]] std::span<const std::uint32_t> labels() const { return all_of(labels_, points_.labels()); }
  [[nodiscard]] std::span<const float> nearest() const { return all_of(nearest_, points_.nearest()); }
  [[nodiscard]] std::span<const float> second_nearest() const { return all_of(second_, points_.second_nearest()); }

  [[nodiscard]] float distance_to(std::size_t position, std::size_t row) const {
    together_.step();
    float distance = 0;
    const std::size_t owner = owner_of(row);
    if (owner == context_.ranks().rank()) distance = source_.row(medoids_[position])[row - source_.first_row()];
    context_.ranks().broadcast(std::span(&distance, 1), owner);
    return distance;
  }

  void assign(std::span<const std::size_t> rows) {
    const std::vector<std::size_t> wanted(rows.begin(), rows.end());  // `rows` may be medoids()
    medoids_.clear();
    std::ranges::fill(is_medoid_, std::uint8_t{0});
    points_ = cpu::point_assignment(local_size(), largest_, unit_);
    for (const std::size_t row : wanted) add_here(row);
    sum_up();
  }
  void add(std::size_t row) {
    add_here(row);
    sum_up();
  }
  void remove(std::size_t position) {
    is_medoid_[medoids_[position]] = 0;
    medoids_.erase(medoids_.begin() + static_cast<std::ptrdiff_t>(position));
    points_.remove(position, medoid_rows());
    sum_up();
  }
  void swap(const medoid_swap& exchange) {
    is_medoid_[medoids_[exchange.position]] = 0;
    medoids_[exchange.position] = exchange.candidate;
    is_medoid_[exchange.candidate] = 1;
    points_.replace(exchange.position, source_.row(exchange.candidate), medoid_rows());
    sum_up();
  }

  [[nodiscard]] std::optional<medoid_swap> first_improving_swap(std::size_t first, std::size_t last) {
    const std::size_t k = medoids_.size();
    while (first < last) {
      const std::size_t end = std::min(last, first + batch_);
      changes_.assign((end - first) * k, 0);
      context_.local().parallel_for(end - first, [&](std::size_t i) {
        if (is_medoid(first + i)) return;
        std::int64_t* const changes = changes_.data() + i * k;
        const cpu::position_change best = cpu::best_exchange(source_.row(first + i), points_.second_nearest(),
                                                             points_.terms(), unit_, points_.removal_losses(), changes);
        const std::int64_t shared = best.change - changes[best.position];
        for (std::size_t position = 0; position < k; ++position) changes[position] += shared;
      });
      together_.step();
      context_.ranks().reduce(std::span(changes_), MPI_SUM);
      for (std::size_t candidate = first; candidate < end; ++candidate) {
        if (is_medoid(candidate)) continue;
        const std::int64_t* const changes = changes_.data() + (candidate - first) * k;
        const std::int64_t* const least = std::min_element(changes, changes + k);
        if (*least >= 0) continue;
        batch_ = kLeastBatch;
        return medoid_swap{static_cast<std::size_t>(least - changes), candidate, *least};
      }
      batch_ = std::min(2 * batch_, std::max(kLeastBatch, kMostSums / std::max<std::size_t>(k, 1)));
      first = end;
    }
    return std::nullopt;
  }

  [[nodiscard]] std::optional<medoid_addition> best_addition(std::span<const std::size_t> candidates,
                                                             std::span<const std::size_t> points) {
    std::vector<std::size_t> here;  // those of `points` that are this rank's
    for (const std::size_t point : points)
      if (point - source_.first_row() < local_size()) here.push_back(point - source_.first_row());
    const std::size_t count = candidates.empty() ? size() : candidates.size();
    const auto candidate = [&](std::size_t i) { return candidates.empty() ? i : candidates[i]; };
    std::vector<std::int64_t> gains(count);
    context_.local().parallel_for(count, [&](std::size_t i) {
      const float* const row = source_.row(candidate(i));
      gains[i] = points.empty()
                     ? cpu::addition_gain(row, points_.nearest(), points_.terms(), unit_)
                     : cpu::addition_gain(here, points_.terms(), unit_, [&](std::size_t at) { return row[here[at]]; });
    });
    together_.step();
    context_.ranks().reduce(std::span(gains), MPI_SUM);
    std::optional<medoid_addition> best;
    for (std::size_t i = 0; i < count; ++i)
      if (!is_medoid(candidate(i)) && (!best || gains[i] > best->gain)) best = medoid_addition{candidate(i), gains[i]};
    return best;
  }

  void savings(std::span<const float> prices, std::span<std::int64_t> out) {
    const std::span<const float> here = prices.subspan(source_.first_row(), local_size());
    context_.local().parallel_for(size(), [&](std::size_t i) { out[i] = cpu::saving(source_.row(i), here, unit_); });
    together_.step();
    context_.ranks().reduce(out, MPI_SUM);
  }

  void count_reached(std::span<const std::size_t> rows, std::span<const float> prices,
                     std::span<std::uint32_t> counts) {
    std::vector<std::uint32_t> reached(size());
    for (const std::size_t row : rows)
      cpu::for_each_below(source_.row(row), prices.data() + source_.first_row(), local_size(),
                          [&](std::size_t o) { ++reached[source_.first_row() + o]; });
    together_.step();
    context_.ranks().reduce(std::span(reached), MPI_SUM);
    for (std::size_t o = 0; o < size(); ++o) counts[o] += reached[o];
  }

 private:
  static constexpr std::size_t kLeastBatch = 16;                  // candidates
  static constexpr std::size_t kMostSums = std::size_t{1} << 16;  // in one message

  [[nodiscard]] std::size_t local_size() const noexcept { return source_.local_size(); }

  [[nodiscard]] std::size_t owner_of(std::size_t row) const noexcept {
    std::size_t rank = counts_.size() - 1;
    while (static_cast<std::size_t>(offsets_[rank]) > row || counts_[rank] == 0) --rank;
    return rank;
  }

  void add_here(std::size_t row) {
    medoids_.push_back(row);
    is_medoid_[row] = 1;
    points_.add(source_.row(row));
  }

  /// After a change of medoids: the sums over all points.
  void sum_up() {
    labels_.clear();
    nearest_.clear();
    second_.clear();
    sums_.assign(1, points_.cost());
    sums_.insert(sums_.end(), points_.removal_losses().begin(), points_.removal_losses().end());
    together_.step();
    context_.ranks().reduce(std::span(sums_), MPI_SUM);
  }

  /// What every rank's points know, kept until the medoids change.
  template <class T>
  [[nodiscard]] std::span<const T> all_of(std::vector<T>& all, std::span<const T> here) const {
    if (all.empty() && size() > 0) {
      std::vector<T> gathered(size());
      together_.step();
      context_.ranks().gather(here, std::span(gathered), counts_, offsets_);
      all = std::move(gathered);
    }
    return all;
  }

  /// As one rank has it: a bound where there is one, else the largest of all; throws for a distance that is not finite.
  [[nodiscard]] float read_largest_distance() {
    std::uint32_t largest = 0;
    for (std::size_t row = 0; row < size(); ++row) {
      const std::int32_t bits = cpu::largest_magnitude_bits(source_.row(row), local_size());
      if (bits >= cpu::kInfinityBits) refuse_row(row);
      largest = std::max(largest, static_cast<std::uint32_t>(bits));
    }
    together_.step();
    context_.ranks().reduce(std::span(&largest, 1), MPI_MAX);
    return imgsim::detail::within_bound(std::bit_cast<float>(largest), source_.upper_bound());
  }
  [[noreturn]] void refuse_row(std::size_t row) const {
    std::size_t column = 0;
    while (std::isfinite(source_.row(row)[column])) ++column;
    imgsim::detail::refuse_distance(row, source_.first_row() + column, source_.row(row)[column]);
  }

  mpi_context context_;
  const sharded_distances& source_;
  mutable lockstep together_;  // accessors exchange, too
  float largest_ = 0;
  fixed_point unit_;
  std::vector<int> counts_, offsets_;  // [ranks] points of each, and the first

  std::vector<std::size_t> medoids_;
  std::vector<std::uint8_t> is_medoid_;  // [M]
  cpu::point_assignment points_;         // of this rank
  std::vector<std::int64_t> sums_;       // cost, removal losses: over all points
  mutable std::vector<std::uint32_t> labels_;
  mutable std::vector<float> nearest_, second_;
  std::size_t batch_ = kLeastBatch;
  std::vector<std::int64_t> changes_;  // workspace: [candidates, K]
};

}  // namespace imgsim::mpi
