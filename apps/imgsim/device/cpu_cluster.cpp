// Groups on the CPU.
#include "device/compute_on_cluster.hpp"

#include <imgsim/cpu/cluster.hpp>
#include <imgsim/cpu/context.hpp>

namespace imgsim::app {

template k_medoids_result compute_on<cpu_context>::k_medoids(matrix_view<const float>, std::string_view,
                                                             const k_medoids_options&) const;
template choose_k_result compute_on<cpu_context>::choose_k(matrix_view<const float>, std::string_view,
                                                           const choose_k_options&) const;
template k_means_result compute_on<cpu_context>::k_means(matrix_view<const float>, const k_means_options&) const;
template nearest_centroids compute_on<cpu_context>::assign_to_nearest(matrix_view<const float>,
                                                                      matrix_view<const float>, bool) const;

}  // namespace imgsim::app
