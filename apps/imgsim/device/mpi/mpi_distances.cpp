// The distances that the ranks keep together.
#include <cmath>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "device/machine_memory.hpp"
#include "device/mpi/led_medoids.hpp"
#include "device/mpi/mpi_compute.hpp"
#include "device/mpi/team.hpp"
#include "device/point_distances.hpp"

#include <imgsim/core/error.hpp>

namespace imgsim::app {

namespace {

class shared_point_distances final : public point_distances {
  template <class Search>
  auto led(Search&& search) const {
    const std::lock_guard lock(team_.mutex());
    const led_context context(team_.context(), team_.channel());
    const led_distances source(team_.gallery().distances(number_), number_, points_, metric_);
    return team_.explained([&] { return search(context, source); });
  }

 public:
  /// Throws what sharded_distances does.
  shared_point_distances(mpi_team& team, const compute& local, matrix_view<const float> points, std::string_view metric)
      : team_(team), local_(local), points_(points), metric_(metric), number_(team.next_number()) {
    const std::lock_guard lock(team_.mutex());
    team_.hold(points_);
    team_.together(order(order_kind::keep_distances, metric_, number_),
                   [&](mpi::lockstep&) { team_.gallery().keep_distances(points_, metric_, number_); });
  }
  ~shared_point_distances() override {
    const std::lock_guard lock(team_.mutex());
    team_.gallery().forget_distances(number_);
    team_.tell(order(order_kind::forget_distances, number_));
  }

  [[nodiscard]] k_medoids_result k_medoids(const k_medoids_options& options) const override {
    return led([&](const auto& context, const auto& source) { return imgsim::k_medoids(context, source, options); });
  }
  [[nodiscard]] covering_result covering_medoids(const covering_options& options) const override {
    return led(
        [&](const auto& context, const auto& source) { return imgsim::covering_medoids(context, source, options); });
  }
  [[nodiscard]] k_medoids_result groups_around(std::span<const std::size_t> medoids) const override {
    return led(
        [&](const auto& context, const auto& source) { return imgsim::groups_around(context, source, medoids); });
  }
  [[nodiscard]] choose_k_result choose_k(const choose_k_options& options) const override {
    return led(
        [&](const auto& context, const auto& source) { return imgsim::choose_k(context, source, points_, options); });
  }
  [[nodiscard]] stability_result group_stability(const stability_options& options) const override {
    return led(
        [&](const auto& context, const auto& source) { return imgsim::group_stability(context, source, options); });
  }
  [[nodiscard]] std::optional<cost_bound> bound_cost(std::span<const std::size_t> medoids,
                                                     const cost_bound_options& options) const override {
    return led([&](const auto& context, const auto& source) {
      return std::optional(imgsim::bound_cost(context, source, medoids, options));
    });
  }

  // On rank 0 alone.
  [[nodiscard]] sampled_k_medoids_result sampled_k_medoids(const sampled_k_medoids_options& options) const override {
    return local_.open_distances(points_, metric_, false)->sampled_k_medoids(options);
  }
  [[nodiscard]] std::vector<silhouette_choice> silhouette_medoids(const silhouette_options& options) const override {
    return local_.open_distances(points_, metric_, true)->silhouette_medoids(options);
  }

 private:
  mpi_team& team_;
  const compute& local_;
  matrix_view<const float> points_;
  std::string metric_;
  std::uint64_t number_;
};

}  // namespace

std::unique_ptr<point_distances> mpi_compute::open_distances(matrix_view<const float> points, std::string_view metric,
                                                             bool keep) const {
  const double bytes = std::pow(static_cast<double>(points.extent(0)), 2) * sizeof(float);
  const double of_this_machine = bytes * static_cast<double>(team_.neighbours()) / static_cast<double>(team_.size());
  const bool fits = of_this_machine <= static_cast<double>(machine_memory_bytes() / 4);
  if (keep && fits && !points.empty()) {
    try {
      return std::make_unique<shared_point_distances>(team_, *local_, points, metric);
    } catch (const invalid_argument&) {  // an embedding is not finite, which rank 0 says in its own words
    }
  }
  return local_->open_distances(points, metric, keep);
}

}  // namespace imgsim::app
