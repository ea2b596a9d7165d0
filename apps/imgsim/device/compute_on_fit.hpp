// The members of compute_on that need an eigensolver (Eigen, which is slow to compile).
#pragma once

#include "device/compute_on.hpp"

#include <imgsim/core/tensor.hpp>
#include <imgsim/embedding/fit_embedding.hpp>
#include <imgsim/evaluate/principal_components.hpp>

namespace imgsim::app {

template <execution_context Context>
embedding_transform compute_on<Context>::fit_embedding(matrix_view<const float> features,
                                                       const embedding_spec& spec) const {
  return imgsim::fit_embedding(context_, features, spec);
}

template <execution_context Context>
tensor<float, 2> compute_on<Context>::principal_component_features(matrix_view<const float> features) const {
  return imgsim::principal_component_features(context_, features);
}

}  // namespace imgsim::app

/// In namespace imgsim::app of one source file of a backend.
#define IMGSIM_INSTANTIATE_COMPUTE_FIT(Context)                                                                    \
  template embedding_transform compute_on<Context>::fit_embedding(matrix_view<const float>, const embedding_spec&) \
      const;                                                                                                       \
  template tensor<float, 2> compute_on<Context>::principal_component_features(matrix_view<const float>) const
