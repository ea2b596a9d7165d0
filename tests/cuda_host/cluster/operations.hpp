// Clustering on the device as the tests run it; instances in operations.cu, which nvcc compiles, too.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <imgsim/core/tensor.hpp>
#include <imgsim/core/view.hpp>
#include <imgsim/cuda/cluster/policy.hpp>

#include "cuda_host/cluster/record.hpp"
#include "cuda_host/support/device_rows.hpp"
#include "cuda_host/support/metric_cases.hpp"

namespace imgsim_test {

/// Walks and algorithms over the distances between points under the metric of the case.
template <class Case>
record device_walk(case_rows<Case> points, const walk_plan&, const imgsim::cuda::cluster_policy&, place_of_rows);
template <class Case>
record device_algorithms(case_rows<Case> points, std::uint64_t seed, place_of_rows);
template <class Case>
record device_silhouettes(case_rows<Case> points, const walk_plan&, const imgsim::cuda::cluster_policy&, place_of_rows);
template <class Case>
imgsim::tensor<float, 2> device_distances_among(case_rows<Case> points, std::span<const std::size_t> rows,
                                                place_of_rows);

/// The same over a table of distances, which may be strided.
record device_walk(imgsim::matrix_view<const float> distances, const walk_plan&, const imgsim::cuda::cluster_policy&,
                   place_of_rows);
record device_silhouettes(imgsim::matrix_view<const float> distances, const walk_plan&,
                          const imgsim::cuda::cluster_policy&, place_of_rows);
record device_algorithms(imgsim::matrix_view<const float> distances, std::uint64_t seed, place_of_rows);
imgsim::tensor<float, 2> device_distances_among(imgsim::matrix_view<const float> distances,
                                                std::span<const std::size_t> rows, place_of_rows);

/// Over the rows above the diagonal of a table of `size` points.
record device_walk_of_condensed(imgsim::view<const float, 1> distances, std::size_t size, const walk_plan&,
                                const imgsim::cuda::cluster_policy&);

/// FasterPAM from `start`, until no swap improves: the medoids it ends with, and the number of swaps.
std::pair<std::vector<std::size_t>, std::size_t> device_swaps(imgsim::matrix_view<const float> distances,
                                                              std::span<const std::size_t> start,
                                                              const imgsim::cuda::cluster_policy&);

}  // namespace imgsim_test
