#include "cuda_host/runner/warp.hpp"

namespace imgsim::cuda_host {
void answer_warp_operation(std::uint32_t mask, const std::array<const warp_request*, kWarpLanes>& requests,
                           const std::array<warp_value*, kWarpLanes>& answers) {
  switch (requests[static_cast<unsigned>(std::countr_zero(mask))]->operation) {
    case warp_operation::synchronize:
      break;
    case warp_operation::shuffle:
      each_lane(mask, [&](unsigned lane) { *answers[lane] = requests[requests[lane]->source_lane]->value; });
      break;
    case warp_operation::ballot: {
      std::uint32_t votes = 0;
      each_lane(mask, [&](unsigned lane) { votes |= (requests[lane]->value.low != 0 ? 1u : 0u) << lane; });
      each_lane(mask, [&](unsigned lane) { *answers[lane] = {votes, 0}; });
      break;
    }
    case warp_operation::match_any:
      each_lane(mask, [&](unsigned lane) {
        std::uint32_t equal = 0;
        each_lane(mask, [&](unsigned other) {
          equal |= (requests[other]->value == requests[lane]->value ? 1u : 0u) << other;
        });
        *answers[lane] = {equal, 0};
      });
      break;
  }
}

}  // namespace imgsim::cuda_host
