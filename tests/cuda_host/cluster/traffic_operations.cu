#include "cuda_host/cluster/traffic_operations.hpp"

#include <vector>

#include <imgsim/cuda/cluster.cuh>

#include "cuda_host/support/device_rows.hpp"

namespace imgsim_test {

using namespace imgsim;

void run_medoid_passes(matrix_view<const float> distances, std::span<const std::size_t> medoids,
                       const after_pass& after) {
  const test_stream stream;
  const cuda_context context(stream);
  const device_copy table(distances);
  const cuda_context::waits_if_thrown wait(context);
  const resident_distances source(table.view());
  cuda::medoid_searcher search(context, source);
  after("check");
  context.synchronize();
  after("no medoids");
  search.assign(medoids);
  context.synchronize();
  after("assign");
  (void)search.first_improving_swap(0, search.size());
  after("exchange");
  const std::vector<float> prices(search.size(), search.largest_distance());
  std::vector<std::int64_t> savings(search.size());
  search.savings(prices, savings);
  after("savings");
}

void run_centroid_passes(matrix_view<const float> points, matrix_view<const float> centroids, const after_pass& after) {
  const test_stream stream;
  const cuda::centroid_searcher search(cuda_context(stream), points);
  std::vector<std::uint32_t> labels(points.extent(0));
  std::vector<double> distances(points.extent(0));
  search.nearest(centroids, labels, distances);
  after("nearest");
  tensor<double, 2> sums(centroids.extents());
  search.sums(labels, sums.view());
  after("sums");
}

}  // namespace imgsim_test
