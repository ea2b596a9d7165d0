// The context is for the host compiler, too.
#include <imgsim/cuda/context.hpp>

cudaStream_t stream_of(const imgsim::cuda_context& context) {
  return context.stream();
}
