// How the fake runtime calls a kernel of which it is given an address and pointers to arguments.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <tuple>
#include <utility>

#include "cuda_host/runner/place.hpp"

namespace imgsim::cuda_host {

/// What the runtime keeps of one kernel.
struct kernel_record {
  /// Copies the arguments out of the array of pointers that cudaLaunchKernelExC takes.
  std::shared_ptr<void> (*copy_arguments)(const void* address, void** pointers) = nullptr;
  /// Calls the kernel, once for one CUDA thread, with what copy_arguments made.
  void (*call)(void* copied) = nullptr;
  place launched;                               // most recently
  std::size_t dynamic_shared_limit = 48 << 10;  // cudaFuncAttributeMaxDynamicSharedMemorySize
};

/// Remembers the kernel under its address, which is returned.
const void* register_kernel(const void* address, const kernel_record& record);

/// Null for an address that no launch or query has named.
kernel_record* find_kernel(const void* address);

template <class... Parameters>
const void* register_kernel(void (*kernel)(Parameters...), const place& launched) {
  using call = std::pair<void (*)(Parameters...), std::tuple<Parameters...>>;
  kernel_record record;
  record.copy_arguments = [](const void* address, [[maybe_unused]] void** pointers) -> std::shared_ptr<void> {
    return [&]<std::size_t... I>(std::index_sequence<I...>) -> std::shared_ptr<void> {
      return std::make_shared<call>(reinterpret_cast<void (*)(Parameters...)>(const_cast<void*>(address)),
                                    std::tuple<Parameters...>(*static_cast<Parameters*>(pointers[I])...));
    }(std::index_sequence_for<Parameters...>());
  };
  record.call = [](void* copied) {
    const auto& [function, arguments] = *static_cast<const call*>(copied);
    std::apply(function, arguments);
  };
  record.launched = launched;
  return register_kernel(reinterpret_cast<const void*>(kernel), record);
}

}  // namespace imgsim::cuda_host
