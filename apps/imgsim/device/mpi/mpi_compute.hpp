// Rank 0's device: the ranks do together what is worth it, and the device of rank 0 the rest.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "device/compute.hpp"

namespace imgsim::app {

class mpi_team;

class mpi_compute final : public compute {
 public:
  mpi_compute(mpi_team& team, std::unique_ptr<compute> local) : team_(team), local_(std::move(local)) {}

  [[nodiscard]] std::string name() const override;
  [[nodiscard]] thread_pool& host_pool() const override { return local_->host_pool(); }

  [[nodiscard]] std::unique_ptr<encoder> open_encoder(const model_file& model) const override;
  [[nodiscard]] trained_model train(const training_job& job, photo_set& training, photo_set& validation) const override;
  [[nodiscard]] model_file untrained_model(const model_file& model, photo_set& photos,
                                           std::uint64_t seed) const override;

  [[nodiscard]] top_n_result top_n(matrix_view<const float> gallery, matrix_view<const float> queries,
                                   std::string_view metric, const top_n_options& options) const override;
  void similarity_matrix(matrix_view<const float> a, matrix_view<const float> b, std::string_view metric,
                         matrix_view<float> out) const override;
  void distance_matrix(matrix_view<const float> points, std::string_view metric, matrix_view<float> out) const override;

  [[nodiscard]] std::unique_ptr<point_distances> open_distances(matrix_view<const float> points,
                                                                std::string_view metric, bool keep) const override;
  [[nodiscard]] gap_statistic_result gap_statistic(matrix_view<const float> points,
                                                   const gap_statistic_options& options) const override;
  [[nodiscard]] k_means_result k_means(matrix_view<const float> points, const k_means_options& options) const override;
  [[nodiscard]] nearest_centroids assign_to_nearest(matrix_view<const float> points, matrix_view<const float> centroids,
                                                    bool spherical) const override;

  [[nodiscard]] retrieval_report evaluate_retrieval(matrix_view<const float> embeddings, std::string_view metric,
                                                    const photo_labels& labels, std::size_t n) const override;
  [[nodiscard]] tensor<float, 2> pixel_features(view<const std::uint8_t, 4> photos, std::size_t height,
                                                std::size_t width) const override;
  [[nodiscard]] tensor<float, 2> histogram_features(view<const std::uint8_t, 4> photos) const override;
  [[nodiscard]] tensor<float, 2> principal_component_features(matrix_view<const float> features) const override;

 private:
  mpi_team& team_;
  std::unique_ptr<compute> local_;
};

}  // namespace imgsim::app
