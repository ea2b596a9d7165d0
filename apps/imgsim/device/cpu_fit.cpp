// Principal axes on the CPU.
#include "device/compute_on_fit.hpp"

#include <imgsim/cpu/context.hpp>

namespace imgsim::app {

template embedding_transform compute_on<cpu_context>::fit_embedding(matrix_view<const float>,
                                                                    const embedding_spec&) const;
template tensor<float, 2> compute_on<cpu_context>::principal_component_features(matrix_view<const float>) const;

}  // namespace imgsim::app
