// The fake device as a whole: what is alive on it, whether it is in error, what kind it is.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace imgsim::cuda_host {

/// After all queued work has run: each allocation, stream, event and graph that is still alive, in words.
[[nodiscard]] std::vector<std::string> what_is_left();

/// Destroys all of that, drops queued work and clears errors, as a new process would begin. Handles become invalid.
void reset_device();

/// After reset_device(): gives back the fibers that are kept for streams to come, which are slow to make.
void drop_kept_fibers();

/// The device that the runtime describes; by default one of compute capability 9.0 with 8 GiB.
/// `capability`: 75, 80, 86, 89, 90, 100 or 120.
void choose_device(int capability, std::size_t memory_bytes = std::size_t{8} << 30);

/// What cudaMemcpyAsync does between device and pageable host memory: "the function might be synchronous with respect
/// to host". A program must be right either way; the default leaves it to the queue.
enum class pageable_copies { queued, waiting };
void choose_pageable_copies(pageable_copies how);

}  // namespace imgsim::cuda_host
