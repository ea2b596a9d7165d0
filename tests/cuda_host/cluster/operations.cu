#include "cuda_host/cluster/operations.hpp"

#include <imgsim/cluster/condensed_distances.hpp>
#include <imgsim/cuda/cluster.cuh>

namespace imgsim_test {
namespace {

using namespace imgsim;

/// use(context, source) with the distances of a case between points that are where `place` says.
template <class Case, class Use>
auto with_points(case_rows<Case> points, place_of_rows place, Use&& use) {
  const test_stream stream;
  const cuda_context context(stream);
  if (place == place_of_rows::host) return use(context, embedding_distances(points, typename Case::metric{}));
  const device_copy rows(points);
  const cuda_context::waits_if_thrown wait(context);
  auto answer = use(context, embedding_distances(rows.view(), typename Case::metric{}));
  context.synchronize();  // the rows go
  return answer;
}

template <class Use>
auto with_table(matrix_view<const float> distances, place_of_rows place, Use&& use) {
  const test_stream stream;
  const cuda_context context(stream);
  if (place == place_of_rows::host) return use(context, resident_distances(distances));
  const device_copy table(distances);
  const cuda_context::waits_if_thrown wait(context);
  auto answer = use(context, resident_distances(table.view()));
  context.synchronize();
  return answer;
}

/// What the functions below do with a context and a source.
auto walk_with(const walk_plan& plan, const cuda::cluster_policy& policy) {
  return [&](const cuda_context& context, const auto& source) {
    cuda::medoid_searcher search(context, source, policy);
    return walk_of(search, plan);
  };
}
auto silhouettes_with(const walk_plan& plan, const cuda::cluster_policy& policy) {
  return [&](const cuda_context& context, const auto& source) {
    cuda::silhouette_searcher search(context, source, policy);
    return silhouette_walk_of(search, plan);
  };
}
auto algorithms_with(std::uint64_t seed) {
  return [seed](const cuda_context& context, const auto& source) { return algorithms_of(context, source, seed); };
}
auto among(std::span<const std::size_t> rows) {
  return [rows](const cuda_context& context, const auto& source) {
    return cluster_backend<cuda_context>::distances_among(context, source, rows);
  };
}

}  // namespace

template <class Case>
record device_walk(case_rows<Case> points, const walk_plan& plan, const cuda::cluster_policy& policy,
                   place_of_rows place) {
  return with_points<Case>(points, place, walk_with(plan, policy));
}
template <class Case>
record device_silhouettes(case_rows<Case> points, const walk_plan& plan, const cuda::cluster_policy& policy,
                          place_of_rows place) {
  return with_points<Case>(points, place, silhouettes_with(plan, policy));
}
template <class Case>
record device_algorithms(case_rows<Case> points, std::uint64_t seed, place_of_rows place) {
  return with_points<Case>(points, place, algorithms_with(seed));
}
template <class Case>
tensor<float, 2> device_distances_among(case_rows<Case> points, std::span<const std::size_t> rows,
                                        place_of_rows place) {
  return with_points<Case>(points, place, among(rows));
}

record device_walk(matrix_view<const float> distances, const walk_plan& plan, const cuda::cluster_policy& policy,
                   place_of_rows place) {
  return with_table(distances, place, walk_with(plan, policy));
}
record device_silhouettes(matrix_view<const float> distances, const walk_plan& plan, const cuda::cluster_policy& policy,
                          place_of_rows place) {
  return with_table(distances, place, silhouettes_with(plan, policy));
}
record device_algorithms(matrix_view<const float> distances, std::uint64_t seed, place_of_rows place) {
  return with_table(distances, place, algorithms_with(seed));
}
tensor<float, 2> device_distances_among(matrix_view<const float> distances, std::span<const std::size_t> rows,
                                        place_of_rows place) {
  return with_table(distances, place, among(rows));
}

record device_walk_of_condensed(view<const float, 1> distances, std::size_t size, const walk_plan& plan,
                                const cuda::cluster_policy& policy) {
  const test_stream stream;
  return walk_with(plan, policy)(cuda_context(stream), condensed_distances(distances, size));
}

std::pair<std::vector<std::size_t>, std::size_t> device_swaps(matrix_view<const float> distances,
                                                              std::span<const std::size_t> start,
                                                              const cuda::cluster_policy& policy) {
  return with_table(distances, place_of_rows::host, [&](const cuda_context& context, const auto& source) {
    cuda::medoid_searcher search(context, source, policy);
    search.assign(start);
    const auto outcome = detail::improve_by_swaps(search, {1000, 100000, {}, nullptr});
    return std::pair(std::vector(search.medoids().begin(), search.medoids().end()), outcome.swaps);
  });
}

#define IMGSIM_TEST_DEVICE_CASE(...)                                                                                  \
  template record device_walk<__VA_ARGS__>(case_rows<__VA_ARGS__>, const walk_plan&, const cuda::cluster_policy&,     \
                                           place_of_rows);                                                            \
  template record device_silhouettes<__VA_ARGS__>(case_rows<__VA_ARGS__>, const walk_plan&,                           \
                                                  const cuda::cluster_policy&, place_of_rows);                        \
  template record device_algorithms<__VA_ARGS__>(case_rows<__VA_ARGS__>, std::uint64_t, place_of_rows);               \
  template tensor<float, 2> device_distances_among<__VA_ARGS__>(case_rows<__VA_ARGS__>, std::span<const std::size_t>, \
                                                                place_of_rows)

IMGSIM_TEST_DEVICE_CASE(device_case<cosine, float>);
IMGSIM_TEST_DEVICE_CASE(device_case<euclidean, bfloat16>);
IMGSIM_TEST_DEVICE_CASE(device_case<cosine, float16>);
IMGSIM_TEST_DEVICE_CASE(device_case<device_manhattan, float>);

}  // namespace imgsim_test
