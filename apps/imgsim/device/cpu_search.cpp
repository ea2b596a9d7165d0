// Search on the CPU, and the evaluation of encoders by what it finds.
#include "device/compute_on_evaluate.hpp"
#include "device/compute_on_search.hpp"

#include <imgsim/cpu/context.hpp>
#include <imgsim/cpu/search.hpp>

namespace imgsim::app {

template top_n_result compute_on<cpu_context>::top_n(matrix_view<const float>, matrix_view<const float>,
                                                     std::string_view, const top_n_options&) const;
template void compute_on<cpu_context>::similarity_matrix(matrix_view<const float>, matrix_view<const float>,
                                                         std::string_view, matrix_view<float>) const;
template void compute_on<cpu_context>::distance_matrix(matrix_view<const float>, std::string_view,
                                                       matrix_view<float>) const;
template retrieval_report compute_on<cpu_context>::evaluate_retrieval(matrix_view<const float>, std::string_view,
                                                                      const photo_labels&, std::size_t) const;
template tensor<float, 2> compute_on<cpu_context>::pixel_features(view<const std::uint8_t, 4>, std::size_t,
                                                                  std::size_t) const;
template tensor<float, 2> compute_on<cpu_context>::histogram_features(view<const std::uint8_t, 4>) const;

}  // namespace imgsim::app
