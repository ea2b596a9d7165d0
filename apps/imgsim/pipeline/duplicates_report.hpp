// A list of duplicates as text, JSON and a page.
#pragma once

#include <string>

#include "pipeline/duplicates.hpp"

#include <imgsim/image/image.hpp>
#include <imgsim/report/html_sections.hpp>

namespace imgsim::app {

/// What the figures of a report rest on, in words.
inline constexpr const char* kDuplicatesVerified =
    "exact: equal content hashes; near: pictures laid over each other at 48 x 48 pixels, mirrored where need be, and "
    "compared in colour and detail";

[[nodiscard]] json to_json(const duplicate_report& report, const photo_index& index);
/// What was found on the whole, in a few lines.
[[nodiscard]] std::string to_text(const duplicate_report& report);
/// A group with a line for each photo.
[[nodiscard]] std::string to_text(const duplicate_group& group, std::size_t number, const photo_index& index);
/// The first photo of a group above others of it, each with its difference to the nearest one.
[[nodiscard]] rgb_image draw_duplicates(const photo_provider& photos, const duplicate_group& group);
/// A page with the photos of each group side by side.
[[nodiscard]] std::string to_page(const session& session, const duplicate_report& report, const photo_index& index);

}  // namespace imgsim::app
