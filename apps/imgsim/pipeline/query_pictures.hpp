// Answers to queries as pictures.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <set>
#include <span>
#include <vector>

#include "cli/session.hpp"
#include "pipeline/match_list.hpp"

#include <imgsim/image/image.hpp>
#include <imgsim/report/grid.hpp>
#include <imgsim/report/html_sections.hpp>

namespace imgsim::app {

/// A query with its answer for each metric.
struct answered_query {
  rgb_image photo;  // without pixels where it can no longer be read
  std::vector<match_list> lists;
};

/// Small enough for a terminal.
inline const grid_options kTerminalGrid{.columns = 5, .tile = 96, .query = 128, .score_name = {}, .first_rank = 1};

/// The photo of a row, or an image without pixels where it can no longer be read, which is noted.
[[nodiscard]] rgb_image read_indexed_photo(const session& session, const photo_index& index, std::size_t row);

/// The photos of an index, for pictures and pages.
struct shown_photos : photo_provider {
  std::shared_ptr<std::set<std::size_t>> missing;  // rows that could not be read so far
};

/// Each that cannot be read is noted, once. Keeps references to its arguments. Throws io_error where none is there,
/// see expect_photo_folder().
[[nodiscard]] shown_photos photos_of(const session& session, const photo_index& index);

/// A remark on the page about those that could not be read, where there are any.
void remark_missing(html_page& page, const shown_photos& photos);

/// The names of `count` pictures: `path` itself for one, else "name-1.png", "name-2.png", ...
[[nodiscard]] std::vector<std::filesystem::path> grid_files(const std::filesystem::path& path, std::size_t count);

/// One list of an answer as a picture.
[[nodiscard]] rgb_image draw_answer(const photo_provider& indexed, const answered_query& answer, const match_list& list,
                                    grid_options options);

/// One PNG for each list, named by grid_files(). Returns what was written. Throws io_error.
std::vector<std::filesystem::path> write_grids(const photo_provider& indexed, std::span<const answered_query> answers,
                                               const std::filesystem::path& path);

/// A section for each list.
void add_answers(html_page& page, const photo_provider& photos, std::span<const answered_query> answers);

}  // namespace imgsim::app
