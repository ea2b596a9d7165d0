#include "cuda_host/samples/planted.hpp"

#include <functional>
#include <map>

#include <imgsim/cuda/launch.cuh>

#include "cuda_host/samples/planted.cuh"

namespace imgsim_test {
namespace {

using imgsim::cuda::launch;
using imgsim::cuda::launch_shape;
using launcher = std::function<void(bool, const planted_arguments&, cudaStream_t)>;

const std::map<std::string, launcher>& launchers() {
  static const std::map<std::string, launcher> table{
      {"missing barrier",
       [](bool correct, const planted_arguments& a, cudaStream_t stream) {
         launch({dim3(1), dim3(64)}, stream,
                correct ? planted::reverse_in_shared_memory<true> : planted::reverse_in_shared_memory<false>, a.from,
                a.to);
       }},
      {"missing __syncwarp",
       [](bool correct, const planted_arguments& a, cudaStream_t stream) {
         launch({dim3(1), dim3(32)}, stream, correct ? planted::reverse_in_warp<true> : planted::reverse_in_warp<false>,
                a.from, a.to);
       }},
      {"missing second barrier",
       [](bool correct, const planted_arguments& a, cudaStream_t stream) {
         launch({dim3(1), dim3(64)}, stream,
                correct ? planted::reverse_and_add_rows<true> : planted::reverse_and_add_rows<false>, a.from, 4u, a.to);
       }},
      {"exited lane in mask",
       [](bool correct, const planted_arguments& a, cudaStream_t stream) {
         launch({dim3(1), dim3(32)}, stream, correct ? planted::sum_of_twenty<true> : planted::sum_of_twenty<false>,
                a.from, a.to);
       }},
      {"caller not in mask",
       [](bool, const planted_arguments& a, cudaStream_t stream) {
         launch({dim3(1), dim3(32)}, stream, planted::vote_without_itself, a.counters);
       }},
      {"different operations",
       [](bool, const planted_arguments& a, cudaStream_t stream) {
         launch({dim3(1), dim3(32)}, stream, planted::different_operations, a.to);
       }},
      {"divergent barrier",
       [](bool, const planted_arguments& a, cudaStream_t stream) {
         launch({dim3(1), dim3(64)}, stream, planted::barrier_on_both_sides, a.to);
       }},
      {"deadlock",
       [](bool, const planted_arguments& a, cudaStream_t stream) {
         launch({dim3(1), dim3(32)}, stream, planted::barrier_against_shuffle, a.to);
       }},
      {"out of bounds",
       [](bool correct, const planted_arguments& a, cudaStream_t stream) {
         launch({dim3(2), dim3(48)}, stream, correct ? planted::double_all<true> : planted::double_all<false>, a.to,
                64u);
       }},
      {"out of shared bounds",
       [](bool, const planted_arguments& a, cudaStream_t stream) {
         launch({dim3(1), dim3(32)}, stream, planted::past_the_end_of_shared_memory, a.to);
       }},
      {"race between blocks",
       [](bool correct, const planted_arguments& a, cudaStream_t stream) {
         launch({dim3(8), dim3(32)}, stream, correct ? planted::count_blocks<true> : planted::count_blocks<false>,
                a.counters);
       }},
      {"missing fence",
       [](bool correct, const planted_arguments& a, cudaStream_t stream) {
         launch({dim3(8), dim3(32)}, stream,
                correct ? planted::add_up_in_last_block<true> : planted::add_up_in_last_block<false>, a.to + 1,
                a.counters, a.to);
       }},
      {"uninitialised shared memory",
       [](bool, const planted_arguments& a, cudaStream_t stream) {
         launch({dim3(1), dim3(64)}, stream, planted::read_before_write, a.to);
       }},
      {"misaligned load",
       [](bool correct, const planted_arguments& a, cudaStream_t stream) {
         launch({dim3(1), dim3(32)}, stream, planted::sums_of_four, a.from, correct ? 4u : 1u, a.to);
       }},
      {"no dynamic shared memory",
       [](bool correct, const planted_arguments& a, cudaStream_t stream) {
         launch({dim3(1), dim3(64), correct ? 64 * sizeof(float) : 0}, stream, planted::use_dynamic_shared, a.to);
       }},
      {"hang", [](bool, const planted_arguments& a,
                  cudaStream_t stream) { launch({dim3(1), dim3(32)}, stream, planted::spin, a.counters); }},
      {"overflow",
       [](bool, const planted_arguments& a, cudaStream_t stream) {
         launch({dim3(2), dim3(1)}, stream, planted::overflow, reinterpret_cast<int*>(a.counters));
       }},
  };
  return table;
}

}  // namespace

void launch_planted(const std::string& name, bool correct, const planted_arguments& arguments, cudaStream_t stream) {
  launchers().at(name)(correct, arguments, stream);
}

}  // namespace imgsim_test
