// Groups as one picture: a row of thumbnails a group, its medoid first in a frame, then its members by distance. Where
// not all have room, the last one shown is the farthest, in a thin frame.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <utility>

#include <imgsim/report/grid.hpp>
#include <imgsim/report/groups.hpp>

namespace imgsim {

/// Reads the photo of a row for a report; an image without pixels where it cannot be read.
using read_photo = std::function<rgb_image(std::size_t row)>;

struct contact_sheet_options {
  std::size_t columns = 10;      // thumbnails a line, the medoid included
  std::size_t lines = 1;         // lines a group; members beyond columns * lines are counted, not drawn
  std::size_t thumbnail = 96;    // side, pixels
  std::size_t max_groups = 100;  // groups beyond are counted, not drawn
};

/// Draws the first groups of `groups` (summarise_groups gives the largest first). The heading of each states its size
/// and the mean and the largest distance; what is not drawn is stated. Photos are read one at a time.
/// Throws invalid_argument where there is no column or line, or a thumbnail is under 32 pixels.
[[nodiscard]] inline rgb_image draw_contact_sheet(std::span<const group_summary> groups, const read_photo& read,
                                                  const contact_sheet_options& options = {}) {
  IMGSIM_EXPECTS(options.columns > 0 && options.lines > 0, "a contact sheet needs at least one column and one line");
  IMGSIM_EXPECTS(options.thumbnail >= 32, "a thumbnail must be at least 32 pixels wide");
  constexpr std::ptrdiff_t kGap = 8, kHeading = 30, kBetween = 18, kFrame = 4, kThinFrame = 2;
  const auto columns = static_cast<std::ptrdiff_t>(options.columns);
  const auto side = static_cast<std::ptrdiff_t>(options.thumbnail);
  const auto drawn_groups = groups.first(std::min(groups.size(), options.max_groups));
  const std::size_t capacity = options.columns * options.lines;
  const auto lines_of = [&](const group_summary& group) {
    const auto shown = static_cast<std::ptrdiff_t>(std::min(group.size(), capacity));
    return (shown + columns - 1) / columns;
  };
  std::ptrdiff_t height = 2 * detail::kSheetMargin + (drawn_groups.size() < groups.size() ? kHeading : 0);
  for (const group_summary& group : drawn_groups) height += kHeading + lines_of(group) * (side + kGap) + kBetween;
  const std::ptrdiff_t inner = std::max<std::ptrdiff_t>(columns * (side + kGap) - kGap, 320);
  canvas sheet(static_cast<std::size_t>(inner + 2 * detail::kSheetMargin), static_cast<std::size_t>(height),
               palette::kPaper);

  constexpr text_style kNote{.size = 14, .ink = palette::kMuted};
  const auto left = static_cast<double>(detail::kSheetMargin);
  std::ptrdiff_t y = detail::kSheetMargin;
  for (const group_summary& group : drawn_groups) {
    const std::size_t shown = std::min(group.size(), capacity);
    const std::string title = "Group " + std::to_string(group.group);
    std::string note = count_text(group.size(), "photo") + ", mean distance " + fixed_text(group.mean_distance, 3);
    if (group.size() > 1) note += ", farthest " + fixed_text(group.farthest().distance, 3);
    const bool ends_with_farthest = shown > 1 && shown < group.size();
    if (ends_with_farthest) note += " (the last)";
    if (shown < group.size()) note += ", " + count_text(group.size() - shown) + " not shown";
    draw_text(sheet, left, y + 14, title, {.size = 18, .pen = 3.2});
    const double title_width = text_width(title, 18) + 10;
    draw_text(sheet, left + title_width, y + 14, fit_text(note, kNote.size, static_cast<double>(inner) - title_width),
              kNote);
    y += kHeading;
    for (std::size_t i = 0; i < shown; ++i) {
      const auto place = static_cast<std::ptrdiff_t>(i);
      const pixel_box box{detail::kSheetMargin + place % columns * (side + kGap), y + place / columns * (side + kGap),
                          side, side};
      const bool is_farthest = ends_with_farthest && i + 1 == shown;
      const rgb_image photo = read(is_farthest ? group.farthest().row : group.members[i].row);
      sheet.fill(box, palette::kCard);
      sheet.fit(photo.view(), box);
      if (i == 0) sheet.frame(box.grown(kFrame - 1), kFrame, palette::kMedoid);
      if (is_farthest) sheet.frame(box.grown(kThinFrame - 1), kThinFrame, palette::kMuted);
    }
    y += lines_of(group) * (side + kGap) + kBetween;
  }
  if (drawn_groups.size() < groups.size())
    draw_text(sheet, left, y + 14, "and " + count_text(groups.size() - drawn_groups.size(), "more group"), kNote);
  return std::move(sheet).take();
}

}  // namespace imgsim
