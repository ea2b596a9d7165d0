// Which line of a kernel a call site belongs to.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace imgsim::cuda_host {

/// File (without folders) and line of each address of this program. Where functions were inlined, the innermost line
/// that belongs neither to the runner nor to imgsim/cuda/portable/: that of the kernel. Runs addr2line once; throws
/// std::runtime_error where that cannot be started.
[[nodiscard]] std::map<std::uintptr_t, std::pair<std::string, unsigned>> source_lines(
    const std::vector<std::uintptr_t>& addresses);

}  // namespace imgsim::cuda_host
