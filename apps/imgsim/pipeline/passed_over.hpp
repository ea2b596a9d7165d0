// What a folder of photos holds besides photos, in words.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include <imgsim/image/folder.hpp>

namespace imgsim::app {

/// Pictures that a user may miss: hidden ones, and those of formats that are not read. nullopt where there are none.
[[nodiscard]] std::optional<std::string> passed_over_text(const photo_folder& folder);

/// scan_folder() of a folder that somebody named. Throws io_error.
[[nodiscard]] photo_folder scan_photos(const std::filesystem::path& folder);

/// Refuses a folder in whose photos nothing can be found: io_error that says what it holds instead.
[[noreturn]] void refuse_no_photos(const photo_folder& folder);

}  // namespace imgsim::app
