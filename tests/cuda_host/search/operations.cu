#include "cuda_host/search/operations.hpp"

#include <memory>

#include <imgsim/cuda/search.cuh>
#include <imgsim/cuda/workspace_memory.hpp>

namespace imgsim_test {
namespace {

using namespace imgsim;
using backend = search_backend<cuda_context>;

}  // namespace

template <class Case>
top_n_result device_top_n(case_rows<Case> gallery, case_rows<Case> queries, const top_n_options& options,
                          const cuda::search_policy& policy, place_of_rows place) {
  const test_stream stream;
  const cuda_context context(stream);
  const typename Case::metric metric;
  if (place == place_of_rows::host) return backend::top_n(context, gallery, queries, metric, options, policy);
  const device_copy rows(gallery);
  const device_copy device_queries(queries);
  const cuda_context::waits_if_thrown wait(context);
  const cuda::gallery<typename Case::element> prepared(context, rows.view());
  top_n_result result = backend::top_n(context, prepared, device_queries.view(), metric, options, policy);
  context.synchronize();  // an empty answer is not waited for, and the rows go
  return result;
}

template <class Case>
void device_similarity(case_rows<Case> a, case_rows<Case> b, matrix_view<float> out, place_of_rows place) {
  const test_stream stream;
  const cuda_context context(stream);
  if (place == place_of_rows::host) return similarity_matrix(context, a, b, typename Case::metric{}, out);
  const device_copy left(a);
  const device_copy right(b);
  const cuda_context::waits_if_thrown wait(context);
  const auto values = context.allocate<float>(std::max<std::size_t>(out.size(), 1));
  const auto result = values.matrix(out.extent(0), out.extent(1));
  similarity_matrix(context, left.view(), right.view(), typename Case::metric{}, result);
  context.copy(matrix_view<const float, device_space>(result), out);
  context.synchronize();
}

template <class Case>
void device_distances(case_rows<Case> points, matrix_view<float> out, place_of_rows place) {
  const test_stream stream;
  const cuda_context context(stream);
  if (place == place_of_rows::host) return distance_matrix(context, points, typename Case::metric{}, out);
  const device_copy rows(points);
  const cuda_context::waits_if_thrown wait(context);
  const auto values = context.allocate<float>(std::max<std::size_t>(out.size(), 1));
  const auto result = values.matrix(out.extent(0), out.extent(1));
  distance_matrix(context, rows.view(), typename Case::metric{}, result);
  context.copy(matrix_view<const float, device_space>(result), out);
  context.synchronize();
}

top_n_result captured_top_n(matrix_view<const float> gallery, matrix_view<const float> first,
                            matrix_view<const float> second, const top_n_options& options) {
  const test_stream stream;
  const device_array<std::byte> workspace(std::size_t{1} << 20);
  const cuda_context context(stream, std::make_shared<thread_pool>(1),
                             std::make_shared<cuda::workspace_memory>(workspace.get(), workspace.size()));
  const device_copy rows(gallery);
  const device_copy queries(first);
  const prepared_gallery prepared(context, rows.view());
  const std::array<std::size_t, 2> shape{first.extent(0), top_n_columns(gallery.extent(0), options)};
  const auto found_rows = context.allocate<std::int64_t>(shape[0] * shape[1]);
  const auto found_similarity = context.allocate<float>(shape[0] * shape[1]);
  context.synchronize();

  IMGSIM_CUDA_CHECK(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal));
  top_n(context, prepared, queries.view(), cosine{}, options,
        top_n_output<device_space>{found_rows.matrix(shape[0], shape[1]), found_similarity.matrix(shape[0], shape[1])});
  cudaGraph_t graph = nullptr;
  IMGSIM_CUDA_CHECK(cudaStreamEndCapture(stream, &graph));
  cudaGraphExec_t executable = nullptr;
  IMGSIM_CUDA_CHECK(cudaGraphInstantiate(&executable, graph, 0));
  IMGSIM_CUDA_CHECK(cudaGraphLaunch(executable, stream));
  const auto changing = const_cast<float*>(queries.view().data());
  context.copy(second, matrix_view<float, device_space>(changing, second.extents()));
  IMGSIM_CUDA_CHECK(cudaGraphLaunch(executable, stream));
  top_n_result result{.rows = tensor<std::int64_t, 2>(shape), .similarity = tensor<float, 2>(shape)};
  context.copy(matrix_view<const std::int64_t, device_space>(found_rows.matrix(shape[0], shape[1])),
               result.rows.view());
  context.copy(matrix_view<const float, device_space>(found_similarity.matrix(shape[0], shape[1])),
               result.similarity.view());
  context.synchronize();
  IMGSIM_CUDA_CHECK(cudaGraphExecDestroy(executable));
  IMGSIM_CUDA_CHECK(cudaGraphDestroy(graph));
  return result;
}

#define IMGSIM_TEST_DEVICE_CASE(...)                                                                                \
  template top_n_result device_top_n<__VA_ARGS__>(case_rows<__VA_ARGS__>, case_rows<__VA_ARGS__>,                   \
                                                  const top_n_options&, const cuda::search_policy&, place_of_rows); \
  template void device_similarity<__VA_ARGS__>(case_rows<__VA_ARGS__>, case_rows<__VA_ARGS__>, matrix_view<float>,  \
                                               place_of_rows);                                                      \
  template void device_distances<__VA_ARGS__>(case_rows<__VA_ARGS__>, matrix_view<float>, place_of_rows)

IMGSIM_TEST_DEVICE_CASE(device_case<cosine, float>);
IMGSIM_TEST_DEVICE_CASE(device_case<euclidean, bfloat16>);
IMGSIM_TEST_DEVICE_CASE(device_case<cosine, float16>);
IMGSIM_TEST_DEVICE_CASE(device_case<device_manhattan, float>);

}  // namespace imgsim_test
