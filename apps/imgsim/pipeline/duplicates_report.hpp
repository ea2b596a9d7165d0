// A list of duplicates as text, JSON and a page.
#pragma once

#include <string>

#include "pipeline/duplicates.hpp"

namespace imgsim::app {

/// What the figures of a report rest on, in words.
inline constexpr const char* kDuplicatesVerified =
    "exact: equal content hashes; near: pictures laid over each other at 48 x 48 pixels, mirrored where need be, and "
    "compared in colour and detail";

[[nodiscard]] json to_json(const duplicate_report& report, const photo_index& index);
[[nodiscard]] std::string to_text(const duplicate_report& report, const photo_index& index);
/// A page with the photos of each group side by side.
[[nodiscard]] std::string to_page(const session& session, const duplicate_report& report, const photo_index& index);

}  // namespace imgsim::app
