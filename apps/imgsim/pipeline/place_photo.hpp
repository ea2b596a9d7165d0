// One photo of an index into a partition: as a copy, a symbolic link or a hard link.
#pragma once

#include <filesystem>
#include <string>

#include <imgsim/embedding/photo_list.hpp>

namespace imgsim::app {

enum class partition_kind { copy, symlink, hardlink };

/// A copy that is not whole yet, beside the place that it is for.
inline constexpr const char* kPartialFile = ".imgsim-partial";

/// What became of one photo.
struct placement {
  enum class outcome { made, found, taken, failed };

  outcome state = outcome::made;
  std::string reason = {};  // of a failure
};

/// Why the file `source` cannot be placed for `photo`; nullptr where it is the photo that was indexed: by its size and
/// date, or by its content where only the date is another. Throws io_error where it cannot be read.
[[nodiscard]] const char* placing_refusal(const indexed_photo& photo, const std::filesystem::path& source);

/// Whether `target`, which is there, is this very photo already. Throws where a file cannot be read.
[[nodiscard]] bool is_placed(partition_kind kind, const indexed_photo& photo, const std::filesystem::path& source,
                             const std::filesystem::path& target);

/// Makes `target` of the photo's file `source`, unless something is there or placing_refusal() speaks against it. A
/// copy has the very content that was indexed; what a link leads to may change at any time, so the look at size and
/// date is enough for it. Throws io_error where what kept the photo from its place will keep every other from its own
/// (a full disk).
[[nodiscard]] placement place_photo(partition_kind kind, const indexed_photo& photo,
                                    const std::filesystem::path& source, const std::filesystem::path& target);

}  // namespace imgsim::app
