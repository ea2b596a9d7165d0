#include "device/mpi/mpi_compute.hpp"

#include <algorithm>
#include <mutex>

#include "device/mpi/mpi_encoder.hpp"
#include "device/mpi/team.hpp"
#include "device/training_job.hpp"

#include <imgsim/cluster/gap_statistic.hpp>
#include <imgsim/core/tensor.hpp>
#include <imgsim/model/model_file.hpp>

namespace imgsim::app {

namespace {

/// To send a row of the gallery costs a rank about what it costs to compare it with this many queries.
constexpr std::size_t kLeastQueries = 64;
/// Of this many queries at a time, progress is told.
constexpr std::size_t kMostQueries = 8192;

}  // namespace

std::string mpi_compute::name() const {
  return local_->name() + " on each of " + std::to_string(team_.size()) + " ranks";
}

std::unique_ptr<encoder> mpi_compute::open_encoder(const model_file& model) const {
  return std::make_unique<mpi_encoder>(team_, local_->open_encoder(model), model);
}

model_file mpi_compute::untrained_model(const model_file& model, photo_set& photos, std::uint64_t seed) const {
  return local_->untrained_model(model, photos, seed);
}

top_n_result mpi_compute::top_n(matrix_view<const float> gallery, matrix_view<const float> queries,
                                std::string_view metric, const top_n_options& options) const {
  const std::size_t count = queries.extent(0), width = queries.extent(1);
  if (count < kLeastQueries || gallery.extent(0) == 0 || width == 0)
    return local_->top_n(gallery, queries, metric, options);
  imgsim::detail::check_queries(gallery.extent(0), gallery.extent(1), queries, options);
  const std::lock_guard lock(team_.mutex());
  team_.hold(gallery);
  top_n_result found;
  if (is_same_view(gallery, queries) && options.first_row == 0) {
    team_.together(order(order_kind::find_neighbours, metric, options.n, options.exclude_self),
                   [&](mpi::lockstep& all) { found = team_.gallery().find_neighbours(all, gallery, metric, options); });
    return found;
  }
  const std::array<std::size_t, 2> shape{count, top_n_columns(gallery.extent(0), options)};
  found = {.rows = tensor<std::int64_t, 2>(shape), .similarity = tensor<float, 2>(shape)};
  for (std::size_t first = 0; first < count; first += kMostQueries) {
    const matrix_view<const float> some = queries.slice(first, std::min(kMostQueries, count - first));
    top_n_options wanted{.n = options.n, .exclude_self = options.exclude_self, .first_row = options.first_row + first};
    top_n_result part;
    team_.together(
        order(order_kind::find_matches, metric, wanted.n, wanted.exclude_self, wanted.first_row, some.extent(0), width),
        [&](mpi::lockstep& all) {
          part = team_.gallery().find_matches(all, gallery, metric, some.extent(0), width, some, wanted);
        });
    std::ranges::copy(part.rows, found.rows.view().row(first));
    std::ranges::copy(part.similarity, found.similarity.view().row(first));
    if (options.on_progress) options.on_progress(first + some.extent(0), count);
  }
  return found;
}

void mpi_compute::similarity_matrix(matrix_view<const float> a, matrix_view<const float> b, std::string_view metric,
                                    matrix_view<float> out) const {
  local_->similarity_matrix(a, b, metric, out);
}

void mpi_compute::distance_matrix(matrix_view<const float> points, std::string_view metric,
                                  matrix_view<float> out) const {
  local_->distance_matrix(points, metric, out);
}

gap_statistic_result mpi_compute::gap_statistic(matrix_view<const float> points,
                                                const gap_statistic_options& options) const {
  return local_->gap_statistic(points, options);
}

k_means_result mpi_compute::k_means(matrix_view<const float> points, const k_means_options& options) const {
  return local_->k_means(points, options);
}

nearest_centroids mpi_compute::assign_to_nearest(matrix_view<const float> points, matrix_view<const float> centroids,
                                                 bool spherical) const {
  return local_->assign_to_nearest(points, centroids, spherical);
}

retrieval_report mpi_compute::evaluate_retrieval(matrix_view<const float> embeddings, std::string_view metric,
                                                 const photo_labels& labels, std::size_t n) const {
  return local_->evaluate_retrieval(embeddings, metric, labels, n);
}

tensor<float, 2> mpi_compute::pixel_features(view<const std::uint8_t, 4> photos, std::size_t height,
                                             std::size_t width) const {
  return local_->pixel_features(photos, height, width);
}

tensor<float, 2> mpi_compute::histogram_features(view<const std::uint8_t, 4> photos) const {
  return local_->histogram_features(photos);
}

tensor<float, 2> mpi_compute::principal_component_features(matrix_view<const float> features) const {
  return local_->principal_component_features(features);
}

}  // namespace imgsim::app
