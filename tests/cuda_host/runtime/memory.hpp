// What the fake runtime knows about addresses.
#pragma once

#include <cstddef>

namespace imgsim::cuda_host {

enum class memory_kind { pageable, pinned, device };

/// What `bytes` from `address` on are, all of them; device memory that is queued to be freed is no longer any.
[[nodiscard]] memory_kind kind_of_memory(const void* address, std::size_t bytes);

/// Between the two, code may touch device memory. Under AddressSanitizer, host code that does so outside is reported as
/// a use of poisoned memory.
void expose_device_memory();
void conceal_device_memory();

}  // namespace imgsim::cuda_host
