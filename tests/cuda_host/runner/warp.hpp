// Operations in which the lanes of a warp exchange values.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

#include "cuda_host/runner/place.hpp"

namespace imgsim::cuda_host {

inline constexpr unsigned kWarpLanes = 32;

/// A lane's contribution or answer, up to 16 bytes of it.
struct warp_value {
  std::uint64_t low = 0;
  std::uint64_t high = 0;

  friend bool operator==(const warp_value&, const warp_value&) = default;
};

/// visit(lane) for each lane of the mask, in order.
template <class Visit>
void each_lane(std::uint32_t mask, Visit&& visit) {
  for (; mask != 0; mask &= mask - 1) visit(static_cast<unsigned>(std::countr_zero(mask)));
}

enum class warp_operation : std::uint8_t { synchronize, shuffle, ballot, match_any };

struct warp_request {
  warp_operation operation = warp_operation::synchronize;
  const char* name = "";
  std::uint32_t mask = 0;
  warp_value value;
  unsigned source_lane = 0;  // of a shuffle
  place where;
};

/// Lane by lane what each lane of `mask` receives. `requests` and `answers` have an entry for each of the 32 lanes;
/// those outside the mask are not looked at.
void answer_warp_operation(std::uint32_t mask, const std::array<const warp_request*, kWarpLanes>& requests,
                           const std::array<warp_value*, kWarpLanes>& answers);

}  // namespace imgsim::cuda_host
