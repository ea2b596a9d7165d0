// What the code of a kernel asks of the runner: the operations of the thread that is running. Nothing here is a
// template, so that kernels compiled with a sanitizer call into a runner compiled without.
#pragma once

#include <cstddef>

#include "cuda_host/runner/place.hpp"
#include "cuda_host/runner/warp.hpp"

namespace imgsim::cuda_host {

enum class barrier_vote : unsigned char { none, count, all, any };

int join_barrier(barrier_vote vote, int predicate, const char* name, const place& where);
warp_value join_warp_operation(const warp_request& request);

/// The index of the running thread within its warp.
[[nodiscard]] unsigned running_lane();

void order_atomic(void* address);
void fence();

/// The static shared array declared at `site`.
[[nodiscard]] void* shared_array(const void* site, std::size_t bytes, const place& where);
/// The dynamic shared memory of the launch.
[[nodiscard]] void* dynamic_shared_memory(const place& where);

/// Ends the block with a report where `address` is no multiple of `bytes`.
void check_alignment(const void* address, std::size_t bytes, const place& where);

}  // namespace imgsim::cuda_host
