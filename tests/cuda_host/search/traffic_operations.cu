#include "cuda_host/search/traffic_operations.hpp"

#include <memory>

#include <imgsim/cuda/search.cuh>
#include <imgsim/cuda/workspace_memory.hpp>
#include <imgsim/metric/euclidean.hpp>

#include "cuda_host/support/device_rows.hpp"

namespace imgsim_test {

using namespace imgsim;

void run_search(matrix_view<const float> gallery, matrix_view<const float> queries, std::size_t wanted,
                const std::function<void()>& after) {
  const test_stream stream;
  // The meter does not see memory that is given back, in the order of the stream, before the kernels run.
  const device_array<std::byte> workspace(std::size_t{1} << 20);
  const cuda_context context(stream, std::make_shared<thread_pool>(1),
                             std::make_shared<cuda::workspace_memory>(workspace.get(), workspace.size()));
  const device_copy rows(gallery);
  const device_copy wanted_rows(queries);
  const cuda_context::waits_if_thrown wait(context);
  const cuda::gallery<float> prepared(context, rows.view());
  context.synchronize();
  after();
  (void)search_backend<cuda_context>::top_n(context, prepared, wanted_rows.view(), euclidean{}, {.n = wanted});
  after();
}

}  // namespace imgsim_test
