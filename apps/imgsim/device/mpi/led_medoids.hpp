// Searches for medoids that rank 0 leads: it alone runs the algorithm (k_medoids, choose_k, ...), with its options, its
// progress and its wish to stop, and has all ranks call each member of mpi::medoid_searcher that is collective.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <type_traits>

#include "device/mpi/order_channel.hpp"

#include <imgsim/cluster/backend.hpp>
#include <imgsim/cluster/embedding_distances.hpp>
#include <imgsim/core/tensor.hpp>
#include <imgsim/cpu/cluster.hpp>
#include <imgsim/cpu/context.hpp>
#include <imgsim/metric/registry.hpp>
#include <imgsim/mpi/context.hpp>
#include <imgsim/mpi/medoid_searcher.hpp>
#include <imgsim/mpi/sharded_distances.hpp>

namespace imgsim::app {

/// The context of rank 0 as the leader of all: over led_distances it searches with all ranks, over anything else alone.
class led_context {
 public:
  using space = host_space;

  led_context(const mpi_context& ranks, order_channel& channel) : ranks_(ranks), channel_(channel) {}

  [[nodiscard]] std::string name() const { return ranks_.name(); }
  [[nodiscard]] thread_pool& host_pool() const noexcept { return ranks_.host_pool(); }
  [[nodiscard]] const mpi_context& ranks() const noexcept { return ranks_; }
  [[nodiscard]] order_channel& channel() const noexcept { return channel_; }
  operator const cpu_context&() const noexcept { return ranks_.local(); }

 private:
  const mpi_context& ranks_;
  order_channel& channel_;
};

/// Distances that all ranks keep.
class led_distances {
 public:
  /// `points` [M, D] are the rows that the distances are between, on rank 0.
  led_distances(const mpi::sharded_distances& part, std::uint64_t number, matrix_view<const float> points,
                std::string_view metric)
      : part_(part), number_(number), points_(points), metric_(metric) {}

  [[nodiscard]] std::size_t size() const noexcept { return part_.size(); }
  [[nodiscard]] const mpi::sharded_distances& part() const noexcept { return part_; }
  /// By which the ranks know them.
  [[nodiscard]] std::uint64_t number() const noexcept { return number_; }
  [[nodiscard]] matrix_view<const float> points() const noexcept { return points_; }
  [[nodiscard]] std::string_view metric() const noexcept { return metric_; }

 private:
  const mpi::sharded_distances& part_;
  std::uint64_t number_;
  matrix_view<const float> points_;
  std::string_view metric_;
};

/// Models medoid_search. Where it is destroyed by an exception, the others learn that.
class led_medoid_searcher {
 public:
  led_medoid_searcher(const led_context& context, const led_distances& source)
      : channel_(context.channel()),
        search_(ordered(order(order_kind::search_medoids, source.number()), context.ranks()), source.part()) {}
  led_medoid_searcher(const led_medoid_searcher&) = delete;
  led_medoid_searcher& operator=(const led_medoid_searcher&) = delete;
  ~led_medoid_searcher() {
    try {
      channel_.send(order(order_kind::leave_search));
    } catch (const std::exception&) {  // of MPI itself; the ranks can do no more for each other
    }
  }

  [[nodiscard]] std::size_t size() const noexcept { return search_.size(); }
  [[nodiscard]] fixed_point unit() const noexcept { return search_.unit(); }
  [[nodiscard]] float largest_distance() const noexcept { return search_.largest_distance(); }
  [[nodiscard]] std::span<const std::size_t> medoids() const noexcept { return search_.medoids(); }
  [[nodiscard]] bool is_medoid(std::size_t row) const noexcept { return search_.is_medoid(row); }
  [[nodiscard]] std::int64_t cost() const noexcept { return search_.cost(); }
  [[nodiscard]] std::span<const std::int64_t> removal_losses() const noexcept { return search_.removal_losses(); }
  [[nodiscard]] std::span<const std::uint32_t> labels() const {
    return gathered(labels_, order_kind::labels, [&] { return search_.labels(); });
  }
  [[nodiscard]] std::span<const float> nearest() const {
    return gathered(nearest_, order_kind::nearest, [&] { return search_.nearest(); });
  }
  [[nodiscard]] std::span<const float> second_nearest() const {
    return gathered(second_, order_kind::second_nearest, [&] { return search_.second_nearest(); });
  }
  [[nodiscard]] float distance_to(std::size_t position, std::size_t row) const {
    channel_.send(order(order_kind::distance_to, position, row));
    return search_.distance_to(position, row);
  }

  void assign(std::span<const std::size_t> rows) {
    changes(order(order_kind::assign, rows));
    search_.assign(rows);
  }
  void add(std::size_t row) {
    changes(order(order_kind::add, row));
    search_.add(row);
  }
  void remove(std::size_t position) {
    changes(order(order_kind::remove, position));
    search_.remove(position);
  }
  void swap(const medoid_swap& exchange) {
    changes(order(order_kind::swap, exchange.position, exchange.candidate, exchange.change));
    search_.swap(exchange);
  }
  [[nodiscard]] std::optional<medoid_swap> first_improving_swap(std::size_t first, std::size_t last) {
    channel_.send(order(order_kind::first_improving_swap, first, last));
    return search_.first_improving_swap(first, last);
  }
  [[nodiscard]] std::optional<medoid_addition> best_addition(std::span<const std::size_t> candidates,
                                                             std::span<const std::size_t> points) {
    channel_.send(order(order_kind::best_addition, candidates, points));
    return search_.best_addition(candidates, points);
  }
  void savings(std::span<const float> prices, std::span<std::int64_t> out) {
    channel_.send(order(order_kind::savings, prices));
    search_.savings(prices, out);
  }
  void count_reached(std::span<const std::size_t> rows, std::span<const float> prices,
                     std::span<std::uint32_t> counts) {
    channel_.send(order(order_kind::count_reached, rows, prices));
    search_.count_reached(rows, prices, counts);
  }

 private:
  /// `context`, with which the ranks make their searches once the order is given.
  [[nodiscard]] const mpi_context& ordered(order&& what, const mpi_context& context) {
    channel_.send(std::move(what));
    return context;
  }
  void changes(order&& what) {
    labels_.reset();
    nearest_.reset();
    second_.reset();
    channel_.send(std::move(what));
  }
  /// One order until the medoids change: an algorithm asks for each element.
  template <class T, class Gather>
  std::span<const T> gathered(std::optional<std::span<const T>>& kept, order_kind kind, Gather&& gather) const {
    if (!kept) {
      channel_.send(order(kind));
      kept = gather();
    }
    return *kept;
  }

  order_channel& channel_;
  mpi::medoid_searcher search_;
  mutable std::optional<std::span<const std::uint32_t>> labels_;
  mutable std::optional<std::span<const float>> nearest_, second_;
};

/// The other ranks' part of a search, until rank 0 leaves it.
void follow_medoid_search(order_channel& channel, const mpi_context& context, const mpi::sharded_distances& distances);

}  // namespace imgsim::app

namespace imgsim {

template <>
struct cluster_backend<app::led_context> {
  template <class Source>
  using medoid_searcher = std::conditional_t<std::is_same_v<Source, app::led_distances>, app::led_medoid_searcher,
                                             cpu::medoid_searcher<Source>>;
  using centroid_searcher = cpu::centroid_searcher;

  [[nodiscard]] static tensor<float, 2> distances_among(const app::led_context& context,
                                                        const app::led_distances& source,
                                                        std::span<const std::size_t> rows) {
    const cpu_context& local = context;
    return visit_metric(source.metric(), [&](auto metric) {
      return cluster_backend<cpu_context>::distances_among(local, embedding_distances(source.points(), metric), rows);
    });
  }
};

static_assert(has_distance_sample<app::led_context, app::led_distances>);

}  // namespace imgsim
