// The caller's own memory resource under a context, in each spelling there is.
#include <imgsim/cuda/resource_memory.hpp>

#include <cstddef>
#include <memory>
#include <new>
#include <tuple>

#include <boost/test/unit_test.hpp>

#include <imgsim/cuda/context.hpp>

namespace {

/// What every resource below does: counts, and remembers the stream.
struct ledger {
  std::size_t allocated = 0, given_back = 0, alignment = 256;
  cudaStream_t stream = nullptr;
  void* take(cudaStream_t on, std::size_t bytes) {
    void* begin = nullptr;
    if (bytes > (std::size_t{1} << 40)) throw std::bad_alloc();
    IMGSIM_CUDA_CHECK(cudaMallocAsync(&begin, bytes, on));
    allocated += bytes;
    stream = on;
    return begin;
  }
  void give(cudaStream_t on, void* begin, std::size_t bytes) {
    cudaFreeAsync(begin, on);
    given_back += bytes;
  }
};

struct stream_first : ledger {
  void* allocate(cudaStream_t on, std::size_t bytes, std::size_t align) { return alignment = align, take(on, bytes); }
  void deallocate(cudaStream_t on, void* begin, std::size_t bytes, std::size_t) { give(on, begin, bytes); }
};
struct async : ledger {
  void* allocate_async(std::size_t bytes, std::size_t align, cudaStream_t on) {
    return alignment = align, take(on, bytes);
  }
  void deallocate_async(void* begin, std::size_t bytes, std::size_t, cudaStream_t on) { give(on, begin, bytes); }
};
struct stream_last : ledger {
  void* allocate(std::size_t bytes, cudaStream_t on) { return take(on, bytes); }
  void deallocate(void* begin, std::size_t bytes, cudaStream_t on) { give(on, begin, bytes); }
};

using resources = std::tuple<stream_first, async, stream_last>;

}  // namespace

BOOST_AUTO_TEST_SUITE(resource_memory)

BOOST_AUTO_TEST_CASE_TEMPLATE(a_context_takes_and_gives_back_what_it_needs, Resource, resources) {
  cudaStream_t stream = nullptr;
  IMGSIM_CUDA_CHECK(cudaStreamCreate(&stream));
  Resource resource;
  {
    const imgsim::cuda_context context(stream, std::make_shared<imgsim::thread_pool>(1),
                                       std::make_shared<imgsim::cuda::resource_memory<Resource>>(resource));
    const auto numbers = context.allocate<float>(100);
    BOOST_TEST(numbers.get() != nullptr);
    BOOST_TEST(resource.allocated == 400U);
    BOOST_TEST((resource.stream == stream));
    BOOST_TEST(resource.alignment == 256U);
    BOOST_TEST(resource.given_back == 0U);
    BOOST_CHECK_THROW((void)context.allocate<float>(std::size_t{1} << 40), std::bad_alloc);
  }
  BOOST_TEST(resource.given_back == 400U);
  IMGSIM_CUDA_CHECK(cudaStreamDestroy(stream));
}

BOOST_AUTO_TEST_SUITE_END()
