// compute for any execution context: calls the library's host templates.
//
// This header only declares. compute_on_network.hpp, compute_on_search.hpp, compute_on_cluster.hpp,
// compute_on_fit.hpp and compute_on_evaluate.hpp define the members of one stage each; a backend
// instantiates them in files that compile side by side (cpu_network.cpp and so on).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "device/compute.hpp"

#include <imgsim/core/context.hpp>

namespace imgsim {

struct embedding_spec;
struct embedding_transform;

}  // namespace imgsim

namespace imgsim::app {

template <execution_context Context>
class compute_on : public compute {
 public:
  explicit compute_on(Context context) : context_(std::move(context)) {}

  [[nodiscard]] std::string name() const override { return context_.name(); }
  [[nodiscard]] thread_pool& host_pool() const override { return context_.host_pool(); }

  // compute_on_network.hpp
  [[nodiscard]] std::unique_ptr<encoder> open_encoder(const model_file& model) const override;
  [[nodiscard]] trained_model train(const training_job& job, photo_set& training, photo_set& validation) const override;
  [[nodiscard]] model_file untrained_model(const model_file& model, photo_set& photos,
                                           std::uint64_t seed) const override;

  // compute_on_search.hpp
  [[nodiscard]] top_n_result top_n(matrix_view<const float> gallery, matrix_view<const float> queries,
                                   std::string_view metric, const top_n_options& options) const override;
  void similarity_matrix(matrix_view<const float> a, matrix_view<const float> b, std::string_view metric,
                         matrix_view<float> out) const override;
  void distance_matrix(matrix_view<const float> points, std::string_view metric, matrix_view<float> out) const override;

  // compute_on_cluster.hpp
  [[nodiscard]] std::unique_ptr<point_distances> open_distances(matrix_view<const float> points,
                                                                std::string_view metric, bool keep) const override;
  [[nodiscard]] gap_statistic_result gap_statistic(matrix_view<const float> points,
                                                   const gap_statistic_options& options) const override;
  [[nodiscard]] k_means_result k_means(matrix_view<const float> points, const k_means_options& options) const override;
  [[nodiscard]] nearest_centroids assign_to_nearest(matrix_view<const float> points, matrix_view<const float> centroids,
                                                    bool spherical) const override;

  // compute_on_fit.hpp
  [[nodiscard]] tensor<float, 2> principal_component_features(matrix_view<const float> features) const override;

  // compute_on_evaluate.hpp
  [[nodiscard]] retrieval_report evaluate_retrieval(matrix_view<const float> embeddings, std::string_view metric,
                                                    const photo_labels& labels, std::size_t n) const override;
  [[nodiscard]] tensor<float, 2> pixel_features(view<const std::uint8_t, 4> photos, std::size_t height,
                                                std::size_t width) const override;
  [[nodiscard]] tensor<float, 2> histogram_features(view<const std::uint8_t, 4> photos) const override;

 private:
  /// In compute_on_fit.hpp, for train() and untrained_model().
  [[nodiscard]] embedding_transform fit_embedding(matrix_view<const float> features, const embedding_spec& spec) const;

  Context context_;
};

}  // namespace imgsim::app
