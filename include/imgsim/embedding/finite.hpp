// Embeddings are numbers: an infinity or a NaN in one is the mark of damage, and would spoil every answer it is part
// of.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include <imgsim/core/view.hpp>

namespace imgsim {

[[nodiscard]] inline bool all_finite(std::span<const float> values) noexcept {
  constexpr std::uint32_t kExponent = 0x7f800000;  // all ones: an infinity or a NaN
  std::uint32_t found = 0;                         // without a branch, the loop is vectorised
  for (const float value : values)
    found |= static_cast<std::uint32_t>((std::bit_cast<std::uint32_t>(value) & kExponent) == kExponent);
  return found == 0;
}

/// The first row that is not finite throughout; nothing where all are.
[[nodiscard]] inline std::optional<std::size_t> first_row_not_finite(matrix_view<const float> rows) noexcept {
  for (std::size_t i = 0; i < rows.extent(0); ++i) {
    if (!all_finite({rows.row(i), rows.extent(1)})) return i;
  }
  return std::nullopt;
}

}  // namespace imgsim
