// "Did you mean ...?" for a mistyped option or command.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace imgsim::app {

/// Number of insertions, deletions, replacements and swaps of neighbours that turn `a` into `b` (Damerau, 1964;
/// optimal string alignment).
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);

/// The candidate nearest to `typed`: one that begins with it, or else one within a third of its length in edits.
[[nodiscard]] std::optional<std::string> closest(std::string_view typed, const std::vector<std::string>& candidates);

/// Where `missing` is not there: the same with its first missing part replaced by a name like it in that folder.
[[nodiscard]] std::optional<std::filesystem::path> near_file(const std::filesystem::path& missing);

}  // namespace imgsim::app
