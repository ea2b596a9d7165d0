// The answer to one query as a picture: the query large above, its matches in rows below.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include <imgsim/report/canvas.hpp>
#include <imgsim/report/number.hpp>
#include <imgsim/report/palette.hpp>
#include <imgsim/report/text.hpp>

namespace imgsim {

struct grid_match {
  view<const std::uint8_t, 3> photo = {};  // [H, W, 3]; without pixels where it could not be read
  double score = 0;                        // printed with three decimals
  std::string name = {};                   // shortened to the tile's width
};

struct grid_options {
  std::size_t columns = 5;      // matches a row; fewer matches make a narrower picture
  std::size_t tile = 176;       // side of a match's box, pixels
  std::size_t query = 320;      // side of the query's box, pixels
  std::string score_name = {};  // "cosine similarity", printed once; "" for none
  std::size_t first_rank = 1;   // rank of the first match
};

namespace detail {

inline constexpr std::ptrdiff_t kSheetMargin = 28;    // around a sheet, pixels
inline constexpr std::ptrdiff_t kSheetGap = 14;       // between tiles
inline constexpr std::ptrdiff_t kCaptionHeight = 44;  // two lines of text below a tile

/// A white tile with a photo fitted into its square of `side` pixels, at (x, y).
inline pixel_box draw_tile(canvas& sheet, view<const std::uint8_t, 3> photo, std::ptrdiff_t x, std::ptrdiff_t y,
                           std::ptrdiff_t side, std::ptrdiff_t caption) {
  const pixel_box card{x, y, side, side + caption};
  sheet.fill(card, palette::kCard);
  sheet.frame(card.grown(1), 1, palette::kLine);
  return sheet.fit(photo, {x, y, side, side});
}

}  // namespace detail

/// Draws the grid: `query` [H, W, 3] centred above, `matches` below in rows in the order given (by falling similarity),
/// each with its rank and score and the end of its name. Photos keep their aspect ratio.
/// Throws invalid_argument where there is no column or a box is under 32 pixels.
[[nodiscard]] inline rgb_image draw_grid(view<const std::uint8_t, 3> query, const std::string& query_name,
                                         std::span<const grid_match> matches, const grid_options& options = {}) {
  IMGSIM_EXPECTS(options.columns > 0, "a grid needs at least one column");
  IMGSIM_EXPECTS(options.tile >= 32 && options.query >= 32, "the boxes of a grid must be at least 32 pixels wide");
  constexpr std::ptrdiff_t kHeading = 58;  // name of the query and name of the score
  constexpr text_style kName{.size = 13, .ink = palette::kMuted};
  const auto tile = static_cast<std::ptrdiff_t>(options.tile), query_side = static_cast<std::ptrdiff_t>(options.query);
  const auto columns = static_cast<std::ptrdiff_t>(std::clamp<std::size_t>(matches.size(), 1, options.columns));
  const auto rows = (static_cast<std::ptrdiff_t>(matches.size()) + columns - 1) / columns;
  const std::ptrdiff_t pitch = tile + detail::kSheetGap, line = tile + detail::kCaptionHeight + detail::kSheetGap;
  const std::ptrdiff_t inner = std::max(query_side, columns * pitch - detail::kSheetGap);
  const std::ptrdiff_t width = inner + 2 * detail::kSheetMargin;
  const std::ptrdiff_t tiles_top = detail::kSheetMargin + query_side + kHeading;
  const std::ptrdiff_t height =
      tiles_top + std::max<std::ptrdiff_t>(rows * line - detail::kSheetGap, 0) + detail::kSheetMargin;
  canvas sheet(static_cast<std::size_t>(width), static_cast<std::size_t>(height), palette::kPaper);

  const double middle = static_cast<double>(width) / 2;
  const pixel_box query_box{(width - query_side) / 2, detail::kSheetMargin, query_side, query_side};
  sheet.frame(sheet.fit(query, query_box).grown(3), 3, palette::kAccent);
  const std::ptrdiff_t below = query_box.y + query_side;
  draw_text_centred(sheet, middle, below + 24, fit_text(query_name, 17, static_cast<double>(inner)),
                    {.size = 17, .ink = palette::kInk, .pen = 2.8});
  if (!options.score_name.empty() && !matches.empty())
    draw_text_centred(sheet, middle, below + 44, fit_text("by " + options.score_name, 13, static_cast<double>(inner)),
                      kName);

  const std::ptrdiff_t tiles_left = (width - (columns * pitch - detail::kSheetGap)) / 2;
  for (std::size_t i = 0; i < matches.size(); ++i) {
    const grid_match& match = matches[i];
    const std::ptrdiff_t x = tiles_left + static_cast<std::ptrdiff_t>(i) % columns * pitch;
    const std::ptrdiff_t y = tiles_top + static_cast<std::ptrdiff_t>(i) / columns * line;
    detail::draw_tile(sheet, match.photo, x, y, tile, detail::kCaptionHeight);
    const double left = static_cast<double>(x) + 8, room = static_cast<double>(tile) - 16;
    const std::string score = fixed_text(match.score, 3);
    draw_text(sheet, left, y + tile + 18, std::to_string(options.first_rank + i),
              {.size = 15, .ink = palette::kAccent, .pen = 3.2});
    draw_text(sheet, left + room - text_width(score, 15), y + tile + 18, score, {.size = 15, .pen = 2.6});
    draw_text(sheet, left, y + tile + 36, fit_text(match.name, kName.size, room), kName);
  }
  return std::move(sheet).take();
}

}  // namespace imgsim
