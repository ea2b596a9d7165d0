// Groups on the CPU.
#include "device/compute_on_cluster.hpp"

#include <imgsim/cpu/cluster.hpp>
#include <imgsim/cpu/context.hpp>

namespace imgsim::app {

template std::unique_ptr<point_distances> compute_on<cpu_context>::open_distances(matrix_view<const float>,
                                                                                  std::string_view, bool) const;
template std::size_t compute_on<cpu_context>::most_kept_points() const;
template gap_statistic_result compute_on<cpu_context>::gap_statistic(matrix_view<const float>,
                                                                     const gap_statistic_options&) const;
template k_means_result compute_on<cpu_context>::k_means(matrix_view<const float>, const k_means_options&) const;
template nearest_centroids compute_on<cpu_context>::assign_to_nearest(matrix_view<const float>,
                                                                      matrix_view<const float>, bool) const;

}  // namespace imgsim::app
