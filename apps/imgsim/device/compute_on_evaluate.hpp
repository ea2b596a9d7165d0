// The members of compute_on that judge an encoder.
#pragma once

#include "device/compute_on.hpp"

#include <imgsim/evaluate/baselines.hpp>
#include <imgsim/evaluate/retrieval.hpp>
#include <imgsim/metric/registry.hpp>

namespace imgsim::app {

template <execution_context Context>
retrieval_report compute_on<Context>::evaluate_retrieval(matrix_view<const float> embeddings, std::string_view metric,
                                                         const photo_labels& labels, std::size_t n) const {
  return visit_metric(metric, [&](auto m) { return imgsim::evaluate_retrieval(context_, embeddings, m, labels, n); });
}

template <execution_context Context>
tensor<float, 2> compute_on<Context>::pixel_features(view<const std::uint8_t, 4> photos, std::size_t height,
                                                     std::size_t width) const {
  return imgsim::pixel_features(context_, photos, height, width);
}

template <execution_context Context>
tensor<float, 2> compute_on<Context>::histogram_features(view<const std::uint8_t, 4> photos) const {
  return imgsim::histogram_features(context_, photos);
}

}  // namespace imgsim::app

/// In namespace imgsim::app of one source file of a backend.
#define IMGSIM_INSTANTIATE_COMPUTE_EVALUATE(Context)                                                                   \
  template retrieval_report compute_on<Context>::evaluate_retrieval(matrix_view<const float>, std::string_view,        \
                                                                    const photo_labels&, std::size_t) const;           \
  template tensor<float, 2> compute_on<Context>::pixel_features(view<const std::uint8_t, 4>, std::size_t, std::size_t) \
      const;                                                                                                           \
  template tensor<float, 2> compute_on<Context>::histogram_features(view<const std::uint8_t, 4>) const
