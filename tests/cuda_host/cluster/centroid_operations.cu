#include "cuda_host/cluster/centroid_operations.hpp"

#include <imgsim/cuda/cluster.cuh>

#include "cuda_host/support/device_array.hpp"

namespace imgsim_test {

using namespace imgsim;

centroid_passes device_passes(matrix_view<const float> points, matrix_view<const float> centroids,
                              const cuda::cluster_policy& policy) {
  const test_stream stream;
  return passes_of(cuda::centroid_searcher(cuda_context(stream), points, policy), points, centroids);
}

k_means_result device_k_means(matrix_view<const float> points, const k_means_options& options) {
  const test_stream stream;
  return k_means(cuda_context(stream), points, options);
}

nearest_centroids device_nearest(matrix_view<const float> points, matrix_view<const float> centroids) {
  const test_stream stream;
  return assign_to_nearest(cuda_context(stream), points, centroids);
}

}  // namespace imgsim_test
