// "Did you mean ...?" for a mistyped option, command or file.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <imgsim/core/error.hpp>

namespace imgsim::app {

/// Number of insertions, deletions, replacements and swaps of neighbours that turn `a` into `b` (Damerau, 1964;
/// optimal string alignment).
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);

/// The candidate nearest to `typed`: one that begins with it, or else one within a third of its length in edits.
[[nodiscard]] std::optional<std::string> closest(std::string_view typed, const std::vector<std::string>& candidates);

/// What was to be read: nobody means an index by the name of a folder of photos.
enum class input_kind { file, photo_folder, index, model, index_or_model };

/// Something to read that is not there.
class missing_input : public io_error {
 public:
  missing_input(const std::filesystem::path& path, input_kind kind, const std::string& reason)
      : io_error(path, reason), kind_(kind) {}

  [[nodiscard]] input_kind kind() const noexcept { return kind_; }

 private:
  input_kind kind_;
};

/// Where `missing` is not there: the same with its first missing part replaced by a name like it in that folder, where
/// that is something of this kind.
[[nodiscard]] std::optional<std::filesystem::path> near_file(const std::filesystem::path& missing, input_kind kind);

}  // namespace imgsim::app
