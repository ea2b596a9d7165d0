// What the commands ask of a device: the library's operations behind virtual functions over host views, so that no
// command is a template on the execution context and a backend can be a module that is loaded while running.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <imgsim/cluster/k_means.hpp>
#include <imgsim/core/thread_pool.hpp>
#include <imgsim/core/view.hpp>
#include <imgsim/evaluate/retrieval.hpp>
#include <imgsim/search/top_n.hpp>

namespace imgsim {

class photo_set;
struct gap_statistic_options;
struct gap_statistic_result;
struct model_file;

}  // namespace imgsim

namespace imgsim::app {

struct encoded_batch;
struct photo_files;

/// A trained model, ready to encode.
class encoder {
 public:
  encoder() = default;
  encoder(const encoder&) = delete;
  encoder& operator=(const encoder&) = delete;
  virtual ~encoder() = default;

  /// Side lengths of the photos it takes, in pixels.
  [[nodiscard]] virtual std::size_t height() const = 0;
  [[nodiscard]] virtual std::size_t width() const = 0;
  /// D.
  [[nodiscard]] virtual std::size_t dimension() const = 0;
  /// out [B, D] from photos [B, H, W, 3].
  virtual void encode(view<const std::uint8_t, 4> photos, matrix_view<float> out) = 0;
  /// Decodes and encodes photos in files (device/file_encoding.hpp), and calls use(batch) as they are done, in their
  /// order. What it throws ends the work and reaches the caller.
  virtual void encode_files(const photo_files& files, const std::function<void(const encoded_batch&)>& use) = 0;
};

class point_distances;
struct training_job;
struct trained_model;

/// Metrics go by their names in metric/registry.hpp. Everything else is as in the library's functions of these names.
class compute {
 public:
  compute() = default;
  compute(const compute&) = delete;
  compute& operator=(const compute&) = delete;
  virtual ~compute() = default;

  /// For messages: "cpu (2 threads)".
  [[nodiscard]] virtual std::string name() const = 0;
  /// Host threads for work that stays on the host.
  [[nodiscard]] virtual thread_pool& host_pool() const = 0;

  [[nodiscard]] virtual std::unique_ptr<encoder> open_encoder(const model_file& model) const = 0;

  /// Trains, loads the best weights and fits the embedding to the training photos.
  [[nodiscard]] virtual trained_model train(const training_job& job, photo_set& training,
                                            photo_set& validation) const = 0;

  /// The model as it was before training: its architecture with fresh weights, its embedding fitted to `photos`.
  [[nodiscard]] virtual model_file untrained_model(const model_file& model, photo_set& photos,
                                                   std::uint64_t seed) const = 0;

  /// gallery [M, D], queries [Q, D].
  [[nodiscard]] virtual top_n_result top_n(matrix_view<const float> gallery, matrix_view<const float> queries,
                                           std::string_view metric, const top_n_options& options) const = 0;
  /// out [Q, M] for a [Q, D], b [M, D].
  virtual void similarity_matrix(matrix_view<const float> a, matrix_view<const float> b, std::string_view metric,
                                 matrix_view<float> out) const = 0;
  /// out [M, M] for points [M, D].
  virtual void distance_matrix(matrix_view<const float> points, std::string_view metric,
                               matrix_view<float> out) const = 0;

  /// The distances between points [M, D], which must outlive them (device/point_distances.hpp). With `keep` they are
  /// computed now and kept as a matrix where that takes no more than a quarter of the machine's memory, or of the
  /// device's where that has less; otherwise they are computed whenever they are needed. No answer depends on it.
  [[nodiscard]] virtual std::unique_ptr<point_distances> open_distances(matrix_view<const float> points,
                                                                        std::string_view metric, bool keep) const = 0;
  /// points [M, D], M of a few hundred.
  [[nodiscard]] virtual gap_statistic_result gap_statistic(matrix_view<const float> points,
                                                           const gap_statistic_options& options) const = 0;
  /// points [M, D].
  [[nodiscard]] virtual k_means_result k_means(matrix_view<const float> points,
                                               const k_means_options& options) const = 0;
  /// points [Q, D], centroids [K, D].
  [[nodiscard]] virtual nearest_centroids assign_to_nearest(matrix_view<const float> points,
                                                            matrix_view<const float> centroids,
                                                            bool spherical) const = 0;

  /// embeddings [M, D].
  [[nodiscard]] virtual retrieval_report evaluate_retrieval(matrix_view<const float> embeddings,
                                                            std::string_view metric, const photo_labels& labels,
                                                            std::size_t n) const = 0;
  /// The baselines of evaluate/, from photos [B, H, W, 3] and features [M, F].
  [[nodiscard]] virtual tensor<float, 2> pixel_features(view<const std::uint8_t, 4> photos, std::size_t height,
                                                        std::size_t width) const = 0;
  [[nodiscard]] virtual tensor<float, 2> histogram_features(view<const std::uint8_t, 4> photos) const = 0;
  [[nodiscard]] virtual tensor<float, 2> principal_component_features(matrix_view<const float> features) const = 0;
};

}  // namespace imgsim::app
