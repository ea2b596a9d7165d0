// K-means on the device as the tests run it; instances in centroid_operations.cu, which nvcc compiles, too.
#pragma once

#include <cstdint>
#include <vector>

#include <imgsim/cluster/k_means.hpp>
#include <imgsim/core/tensor.hpp>
#include <imgsim/core/view.hpp>
#include <imgsim/cuda/cluster/policy.hpp>

namespace imgsim_test {

/// Every pass of k-means once.
struct centroid_passes {
  imgsim::tensor<float, 2> squared_distances;
  std::vector<std::uint32_t> labels;
  std::vector<double> nearest;
  imgsim::tensor<double, 2> sums;  // of the groups that the labels make
};

template <class Search>
centroid_passes passes_of(Search&& search, imgsim::matrix_view<const float> points,
                          imgsim::matrix_view<const float> centroids) {
  const std::size_t size = points.extent(0);
  centroid_passes found{.squared_distances = imgsim::tensor<float, 2>({size, centroids.extent(0)}),
                        .labels = std::vector<std::uint32_t>(size),
                        .nearest = std::vector<double>(size),
                        .sums = imgsim::tensor<double, 2>(centroids.extents())};
  search.squared_distances(centroids, found.squared_distances.view());
  search.nearest(centroids, found.labels, found.nearest);
  search.sums(found.labels, found.sums.view());
  return found;
}

centroid_passes device_passes(imgsim::matrix_view<const float> points, imgsim::matrix_view<const float> centroids,
                              const imgsim::cuda::cluster_policy&);
imgsim::k_means_result device_k_means(imgsim::matrix_view<const float> points, const imgsim::k_means_options&);
imgsim::nearest_centroids device_nearest(imgsim::matrix_view<const float> points,
                                         imgsim::matrix_view<const float> centroids);

}  // namespace imgsim_test
