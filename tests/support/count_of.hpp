// How often one text holds another.
#pragma once

#include <cstddef>
#include <string_view>

namespace imgsim_test {

/// Occurrences of `part` in `text` that do not overlap.
inline std::size_t count_of(std::string_view text, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + part.size())) ++count;
  return count;
}

}  // namespace imgsim_test
