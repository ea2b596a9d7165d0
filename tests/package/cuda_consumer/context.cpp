// The context is for the host compiler, too.
#include <imgsim/cuda/context.hpp>

bool is_a_context(cudaStream_t stream) {
  return imgsim::cuda_context(stream).stream() == stream;
}
