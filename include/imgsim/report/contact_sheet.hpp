// Groups as one picture: a row of thumbnails a group, its medoid first in a frame, then its members by distance. Where
// not all have room, the last one shown is the farthest, in a thin frame.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <imgsim/report/grid.hpp>
#include <imgsim/report/groups.hpp>

namespace imgsim {

/// Reads the photo of a row for a report; an image without pixels where it cannot be read.
using read_photo = std::function<rgb_image(std::size_t row)>;

struct contact_sheet_options {
  std::string title = {};                     // above all, where there is one
  std::span<const grouped_photo> outliers{};  // photos in no group, in their order, below the groups
  std::size_t columns = 10;                   // thumbnails a line, the medoid included
  std::size_t lines = 1;                      // lines a group; members beyond columns * lines are counted, not drawn
  std::size_t thumbnail = 96;                 // side, pixels
  std::size_t max_groups = 100;               // groups beyond are counted, not drawn
};

namespace detail {

/// A heading with some photos below it.
struct sheet_row {
  std::string title, note;
  std::vector<std::size_t> photos;
  bool begins_with_medoid = false;
  bool ends_with_farthest = false;
};

[[nodiscard]] inline sheet_row sheet_row_of(const group_summary& group, std::size_t capacity) {
  const std::size_t shown = std::min(group.size(), capacity);
  sheet_row row{.title = "Group " + std::to_string(group.group),
                .note = count_text(group.size(), "photo") + ", mean distance " + fixed_text(group.mean_distance, 3),
                .photos = {},
                .begins_with_medoid = true,
                .ends_with_farthest = shown > 1 && shown < group.size()};
  if (group.size() > 1) row.note += ", farthest " + fixed_text(group.farthest().distance, 3);
  if (row.ends_with_farthest) row.note += " (the last)";
  if (shown < group.size()) row.note += ", " + count_text(group.size() - shown) + " not shown";
  for (const grouped_photo& member : std::span(group.members).first(shown)) row.photos.push_back(member.row);
  if (row.ends_with_farthest) row.photos.back() = group.farthest().row;
  return row;
}

[[nodiscard]] inline sheet_row sheet_row_of(std::span<const grouped_photo> outliers, std::size_t capacity) {
  const std::size_t shown = std::min(outliers.size(), capacity);
  sheet_row row{.title = "Outliers", .note = count_text(outliers.size(), "photo") + " in no group", .photos = {}};
  if (shown < outliers.size()) row.note += ", " + count_text(outliers.size() - shown) + " not shown";
  for (const grouped_photo& one : outliers.first(shown)) row.photos.push_back(one.row);
  return row;
}

}  // namespace detail

/// Draws the first groups of `groups` (summarise_groups gives the largest first). The heading of each states its size
/// and the mean and the largest distance, what is not drawn is stated, as far as the columns leave room for it (six of
/// 96 pixels do). Photos are read one at a time.
/// Throws invalid_argument where there is no column or line, or a thumbnail is under 32 pixels.
[[nodiscard]] inline rgb_image draw_contact_sheet(std::span<const group_summary> groups, const read_photo& read,
                                                  const contact_sheet_options& options = {}) {
  IMGSIM_EXPECTS(options.columns > 0 && options.lines > 0, "a contact sheet needs at least one column and one line");
  IMGSIM_EXPECTS(options.thumbnail >= 32, "a thumbnail must be at least 32 pixels wide");
  constexpr std::ptrdiff_t kGap = 8, kHeading = 30, kBetween = 18, kFrame = 4, kThinFrame = 2;
  const auto columns = static_cast<std::ptrdiff_t>(options.columns);
  const auto side = static_cast<std::ptrdiff_t>(options.thumbnail);
  const auto drawn_groups = groups.first(std::min(groups.size(), options.max_groups));
  const bool is_cut = drawn_groups.size() < groups.size();
  const std::size_t capacity = options.columns * options.lines;
  std::vector<detail::sheet_row> rows;
  for (const group_summary& group : drawn_groups) rows.push_back(detail::sheet_row_of(group, capacity));
  if (is_cut)
    rows.push_back(
        {.title = "", .note = "and " + count_text(groups.size() - drawn_groups.size(), "more group"), .photos = {}});
  if (!options.outliers.empty()) rows.push_back(detail::sheet_row_of(options.outliers, capacity));

  const auto height_of = [&](const detail::sheet_row& row) {
    const auto lines = (static_cast<std::ptrdiff_t>(row.photos.size()) + columns - 1) / columns;
    return kHeading + lines * (side + kGap) + (lines > 0 ? kBetween : 0);
  };
  std::ptrdiff_t height = 2 * detail::kSheetMargin + (options.title.empty() ? 0 : kHeading + kBetween);
  for (const detail::sheet_row& row : rows) height += height_of(row);
  const std::ptrdiff_t inner = std::max<std::ptrdiff_t>(columns * (side + kGap) - kGap, 320);
  canvas sheet(static_cast<std::size_t>(inner + 2 * detail::kSheetMargin), static_cast<std::size_t>(height),
               palette::kPaper);

  constexpr text_style kTitle{.size = 20, .pen = 3.4}, kHead{.size = 18, .pen = 3.2};
  constexpr text_style kNote{.size = 14, .ink = palette::kMuted};
  const auto left = static_cast<double>(detail::kSheetMargin);
  const auto width = static_cast<double>(inner);
  std::ptrdiff_t y = detail::kSheetMargin;
  if (!options.title.empty()) {
    draw_text(sheet, left, y + 14, fit_text(options.title, kTitle.size, width), kTitle);
    y += kHeading + kBetween;
  }
  for (const detail::sheet_row& row : rows) {
    if (!row.title.empty()) draw_text(sheet, left, y + 14, row.title, kHead);
    const double indent = row.title.empty() ? 0 : text_width(row.title, kHead.size) + 10;
    draw_text(sheet, left + indent, y + 14, fit_text(row.note, kNote.size, width - indent), kNote);
    for (std::size_t i = 0; i < row.photos.size(); ++i) {
      const auto place = static_cast<std::ptrdiff_t>(i);
      const pixel_box box{detail::kSheetMargin + place % columns * (side + kGap),
                          y + kHeading + place / columns * (side + kGap), side, side};
      const rgb_image photo = read(row.photos[i]);
      sheet.fill(box, palette::kCard);
      sheet.fit(photo.view(), box);
      if (i == 0 && row.begins_with_medoid) sheet.frame(box.grown(kFrame - 1), kFrame, palette::kMedoid);
      if (i + 1 == row.photos.size() && row.ends_with_farthest)
        sheet.frame(box.grown(kThinFrame - 1), kThinFrame, palette::kMuted);
    }
    y += height_of(row);
  }
  return std::move(sheet).take();
}

}  // namespace imgsim
