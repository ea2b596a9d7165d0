// compute for any execution context: calls the library's host templates. A backend instantiates it in one file.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "device/compute.hpp"
#include "device/cpu_features.hpp"
#include "device/fit_embedding_to.hpp"
#include "device/training_job.hpp"

#include <imgsim/cluster/embedding_distances.hpp>
#include <imgsim/core/context.hpp>
#include <imgsim/evaluate/baselines.hpp>
#include <imgsim/metric/registry.hpp>
#include <imgsim/model/encoder.hpp>
#include <imgsim/search/similarity.hpp>

namespace imgsim::app {

template <execution_context Context>
class encoder_on final : public encoder {
 public:
  encoder_on(const Context& context, const model_file& model) : encoder_(context, model) {}

  [[nodiscard]] std::size_t height() const override { return encoder_.height(); }
  [[nodiscard]] std::size_t width() const override { return encoder_.width(); }
  [[nodiscard]] std::size_t dimension() const override { return encoder_.dimension(); }
  void encode(view<const std::uint8_t, 4> photos, matrix_view<float> out) override { encoder_.encode(photos, out); }

 private:
  photo_encoder<Context> encoder_;
};

template <execution_context Context>
class compute_on final : public compute {
 public:
  explicit compute_on(Context context) : context_(std::move(context)) {}

  [[nodiscard]] std::string name() const override { return context_.name(); }
  [[nodiscard]] thread_pool& host_pool() const override { return context_.host_pool(); }

  [[nodiscard]] std::unique_ptr<encoder> open_encoder(const model_file& model) const override {
    return std::make_unique<encoder_on<Context>>(context_, model);
  }

  [[nodiscard]] trained_model train(const training_job& job, photo_set& training,
                                    photo_set& validation) const override {
    autoencoder<Context> network(context_, job.description, job.arithmetic, job.seed);
    trained_model trained{.result = imgsim::train(network, training, validation, job.options), .embedding = {}};
    if (trained.result.stopped) return trained;
    network.load_state(trained.result.best_state);
    trained.embedding = fit_embedding_to(context_, network, training);
    return trained;
  }

  [[nodiscard]] top_n_result top_n(matrix_view<const float> gallery, matrix_view<const float> queries,
                                   std::string_view metric, const top_n_options& options) const override {
    return visit_metric(metric, [&](auto m) { return imgsim::top_n(context_, gallery, queries, m, options); });
  }
  void similarity_matrix(matrix_view<const float> a, matrix_view<const float> b, std::string_view metric,
                         matrix_view<float> out) const override {
    visit_metric(metric, [&](auto m) { imgsim::similarity_matrix(context_, a, b, m, out); });
  }
  void distance_matrix(matrix_view<const float> points, std::string_view metric,
                       matrix_view<float> out) const override {
    visit_metric(metric, [&](auto m) { imgsim::distance_matrix(context_, points, m, out); });
  }

  [[nodiscard]] k_medoids_result k_medoids(matrix_view<const float> points, std::string_view metric,
                                           const k_medoids_options& options) const override {
    return with_distances(points, metric,
                          [&](const auto& source) { return imgsim::k_medoids(context_, source, options); });
  }
  [[nodiscard]] choose_k_result choose_k(matrix_view<const float> points, std::string_view metric,
                                         const choose_k_options& options) const override {
    return with_distances(points, metric,
                          [&](const auto& source) { return imgsim::choose_k(context_, source, options); });
  }
  [[nodiscard]] k_means_result k_means(matrix_view<const float> points, const k_means_options& options) const override {
    return imgsim::k_means(context_, points, options);
  }
  [[nodiscard]] nearest_centroids assign_to_nearest(matrix_view<const float> points, matrix_view<const float> centroids,
                                                    bool spherical) const override {
    return imgsim::assign_to_nearest(context_, points, centroids, spherical);
  }

  [[nodiscard]] retrieval_report evaluate_retrieval(matrix_view<const float> embeddings, std::string_view metric,
                                                    const photo_labels& labels, std::size_t n) const override {
    return visit_metric(metric, [&](auto m) { return imgsim::evaluate_retrieval(context_, embeddings, m, labels, n); });
  }
  [[nodiscard]] tensor<float, 2> pixel_features(view<const std::uint8_t, 4> photos, std::size_t height,
                                                std::size_t width) const override {
    return imgsim::pixel_features(context_, photos, height, width);
  }
  [[nodiscard]] tensor<float, 2> histogram_features(view<const std::uint8_t, 4> photos) const override {
    return imgsim::histogram_features(context_, photos);
  }
  [[nodiscard]] tensor<float, 2> principal_component_features(matrix_view<const float> features) const override {
    return imgsim::principal_component_features(context_, features);
  }

 private:
  template <class Use>
  auto with_distances(matrix_view<const float> points, std::string_view metric, Use&& use) const {
    return visit_metric(metric, [&](auto m) {
      const std::size_t size = points.extent(0);
      if (size * size > describe_cpu().memory_bytes / 4 / sizeof(float)) return use(embedding_distances(points, m));
      tensor<float, 2> distances({size, size});
      imgsim::distance_matrix(context_, points, m, distances.view());
      return use(resident_distances(distances.view()));
    });
  }

  Context context_;
};

}  // namespace imgsim::app
