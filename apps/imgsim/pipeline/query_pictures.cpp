#include "pipeline/query_pictures.hpp"

#include "cli/text.hpp"
#include "pipeline/open_model.hpp"

#include <imgsim/core/file.hpp>
#include <imgsim/image/decode.hpp>
#include <imgsim/image/encode.hpp>
#include <imgsim/report/number.hpp>

namespace imgsim::app {

rgb_image read_indexed_photo(const session& session, const photo_index& index, std::size_t row) {
  try {
    return read_image(index.photo_path(row), session.limits());
  } catch (const io_error& failure) {
    session.note(std::string(failure.what()) + " (shown as an empty tile)");
    return {};
  }
}

std::vector<std::filesystem::path> grid_files(const std::filesystem::path& path, std::size_t count) {
  if (count == 1) return {path};
  std::vector<std::filesystem::path> files;
  for (std::size_t i = 1; i <= count; ++i) {
    std::filesystem::path file = path;
    files.push_back(file.replace_filename(path.stem().string() + "-" + std::to_string(i) + path.extension().string()));
  }
  return files;
}

rgb_image draw_answer(const photo_provider& indexed, const answered_query& answer, const match_list& list,
                      grid_options options) {
  std::vector<rgb_image> photos;
  std::vector<grid_match> matches;
  photos.reserve(list.matches.size());  // the views below refer to its elements
  for (const match& m : list.matches) {
    const auto row = static_cast<std::size_t>(m.row);
    photos.push_back(indexed.read(row));
    matches.push_back({std::as_const(photos.back()).view(), m.similarity, indexed.path(row)});
  }
  options.score_name = list.metric + " similarity";
  return draw_grid(answer.photo.view(), list.query, matches, options);
}

std::vector<std::filesystem::path> write_grids(const photo_provider& indexed, std::span<const answered_query> answers,
                                               const std::filesystem::path& path) {
  std::size_t count = 0;
  for (const answered_query& answer : answers) count += answer.lists.size();
  std::vector<std::filesystem::path> files = grid_files(path, count);
  auto file = files.begin();
  for (const answered_query& answer : answers) {
    for (const match_list& list : answer.lists)
      write_file(*file++, encode_png(draw_answer(indexed, answer, list, {}).view()));
  }
  return files;
}

shown_photos photos_of(const session& session, const photo_index& index) {
  expect_photo_folder(index);
  shown_photos shown;
  shown.missing = std::make_shared<std::set<std::size_t>>();
  shown.path = [&index](std::size_t row) { return index.photos()[row].path; };
  shown.read = [&session, &index, missing = shown.missing](std::size_t row) {
    if (missing->contains(row)) return rgb_image();
    rgb_image photo = read_indexed_photo(session, index, row);
    if (photo.pixels.empty()) missing->insert(row);
    return photo;
  };
  return shown;
}

void remark_missing(html_page& page, const shown_photos& photos) {
  constexpr std::size_t kNamed = 10;
  if (photos.missing->empty()) return;
  std::string text = count_text(photos.missing->size(), "photo") + " could not be read and " +
                     (photos.missing->size() == 1 ? "is an empty tile: " : "are empty tiles: ");
  std::vector<std::string> names;
  for (const std::size_t row : *photos.missing) {
    if (names.size() == kNamed) break;
    names.push_back(photos.path(row));
  }
  if (photos.missing->size() > kNamed) names.push_back(count_text(photos.missing->size() - kNamed) + " more");
  page.remark(text + all_of_text(names));
}

void add_answers(html_page& page, const photo_provider& photos, std::span<const answered_query> answers) {
  for (const answered_query& answer : answers) {
    for (const match_list& list : answer.lists)
      add_query(page, answer.photo.view(), list.query, list.matches, list.metric, photos);
  }
}

}  // namespace imgsim::app
