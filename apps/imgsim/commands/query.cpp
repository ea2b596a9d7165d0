#include "commands/query.hpp"

#include <iostream>

#include "cli/text.hpp"
#include "device/compute.hpp"
#include "pipeline/calibrate.hpp"
#include "pipeline/encode.hpp"
#include "pipeline/match_list.hpp"
#include "pipeline/neighbour_graph.hpp"
#include "pipeline/open_model.hpp"
#include "pipeline/output_path.hpp"
#include "pipeline/photo_input.hpp"
#include "pipeline/query_pictures.hpp"

#include <imgsim/core/ascii.hpp>
#include <imgsim/core/file.hpp>
#include <imgsim/core/path_text.hpp>

namespace imgsim::app {

command_help query_command::help() const {
  return {.usage = "--index IDX PHOTO... [options]",
          .about =
              "Finds the N photos of an index most like each PHOTO: a file, - for standard input, or an http(s) URL. "
              "With --id the question is about a photo of the index itself, which is left out of its own answer; "
              "stored neighbours (imgsim neighbors) answer it at once. With --approximate it looks at few photos, and "
              "may miss some of the nearest. " +
              std::string(kSimilarityMeaning) + kProbabilityMeaning +
              " Models of an older imgsim and imported ones hold no calibration: the index's photos make one.",
          .examples = {"imgsim query --index photos.idx cat.jpg -n 20 --grid similar.png",
                       "imgsim query --index photos.idx --id holiday/12.jpg --metric cosine,euclidean",
                       "imgsim query --index photos.idx cat.jpg --probability --prior 0.01",
                       "curl -s https://example.org/cat.jpg | imgsim query --index photos.idx - --json"},
          .exit_codes = {}};
}

void query_command::describe(option_set& options) {
  options.path("index", "IDX", index_, "folder made by imgsim index").required();
  options.whole("number", "N", n_, {1}, "matches of each photo").short_name('n');
  options
      .custom(
          "id", "NAME", [this](const std::string& text) { ids_.push_back(text); },
          "a photo of the index, by its path or its row; may be given several times")
      .repeatable();
  options
      .custom(
          "metric", "NAMES", [this](const std::string& text) { metrics_ = parse_metrics(text); },
          metric_choices() + ", or several with commas between")
      .offers(known_metrics())
      .defaults_to("cosine");
  options.flag("approximate", approximate_,
               "walk the graph that imgsim graph keeps in the index: some of the nearest may be missed");
  options
      .whole("breadth", "B", breadth_, {1, 1'000'000},
             "photos that an approximate query keeps in mind; more find more and take longer")
      .defaults_to("that which imgsim graph found good");
  app::describe(options, probability_);
  options.path(
      "grid", "FILE.png", grid_,
      "also draw each query above its matches; several: FILE-1.png, FILE-2.png, ... Characters of names beyond "
      "ASCII are boxes in it; --report has them all");
  options.path("report", "FILE.html", report_, "also write a page with each query and its matches");
  describe_thumbnails(options, thumbnails_);
  app::describe(options, limits_);
  options.positional(
      {.metavar = "PHOTO", .target = &photos_, .least = 0, .most = kAnyNumber, .kind = value_kind::file});
}

void query_command::validate(const option_set& options) {
  if (photos_.empty() && ids_.empty()) throw usage_error("no PHOTO and no --id is given");
  check_photo_arguments(photos_);
  check(probability_, options, metrics_);
  if (options.was_typed("breadth") && !approximate_) throw usage_error("--breadth is for --approximate");
  if (grid_ && lower_case(grid_->extension().string()) != ".png")
    throw usage_error("--grid: expected the name of a .png file, got " + in_quotes(grid_->string()));
}

std::vector<answered_query> query_command::answer_photos(session& session, const photo_index& index,
                                                         std::span<const nearest_search> searches) const {
  std::vector<named_photo> photos = read_photo_arguments(session, photos_, limits_);
  std::vector<const rgb_image*> images;
  images.reserve(photos.size());
  for (const named_photo& photo : photos) images.push_back(&photo.image);
  const tensor<float, 2> embeddings = encode_images(*open_model_of(session, index), images);

  std::vector<answered_query> answers(photos.size());
  for (std::size_t m = 0; m < metrics_.size(); ++m) {
    const top_n_result found =
        searches[m](embeddings.view(), {.n = n_, .exclude_self = false, .first_row = 0, .on_progress = {}});
    for (std::size_t q = 0; q < photos.size(); ++q)
      answers[q].lists.push_back({photos[q].name, metrics_[m], matches_of(found, q)});
  }
  for (std::size_t q = 0; q < photos.size(); ++q) answers[q].photo = std::move(photos[q].image);
  return answers;
}

std::vector<answered_query> query_command::answer_ids(session& session, const photo_index& index,
                                                      std::span<const nearest_search> searches) const {
  std::vector<answered_query> answers;
  for (const std::string& id : ids_) {
    const std::size_t row = index.find(id);
    answered_query answer;
    for (std::size_t m = 0; m < metrics_.size(); ++m)
      answer.lists.push_back(
          {index.photos()[row].path, metrics_[m], neighbours_of_row(index, row, metrics_[m], n_, searches[m])});
    if (grid_ || report_ || thumbnails_) answer.photo = read_indexed_photo(session, index, row);
    answers.push_back(std::move(answer));
  }
  return answers;
}

void query_command::prepare_grids(session& session, std::size_t queries) const {
  for (const std::filesystem::path& file : grid_files(*grid_, queries * metrics_.size()))
    prepare_output_file(session, file, output_kind::picture);
}

exit_code query_command::run(session& session) {
  const photo_index index = open_index(index_);
  if (grid_ || report_ || thumbnails_)
    expect_photo_folder(index, "without --grid, --report and --thumbnails the query is answered all the same");
  for (const auto& file : {grid_, report_}) {
    if (file) refuse_output_among_photos(*file, index.photos_root());
  }
  if (grid_) {
    for (const std::string& photo : photos_) {
      std::error_code unlike;  // also where one of them is no file
      if (std::filesystem::equivalent(photo, *grid_, unlike))
        throw io_error(*grid_, "is the photo that is asked about; name another file");
    }
    if (!session.is_dry_run()) prepare_grids(session, photos_.size() + ids_.size());
  }
  if (report_) prepare_output_file(session, *report_, output_kind::page);
  std::vector<nearest_search> searches;
  for (const std::string& metric : metrics_)
    searches.push_back(approximate_ ? approximate_search(session, index, metric, breadth_)
                                    : exact_search(session, index, metric));
  std::vector<answered_query> answers = answer_ids(session, index, searches);
  if (!photos_.empty()) {
    for (answered_query& answer : answer_photos(session, index, searches)) answers.push_back(std::move(answer));
  }
  if (probability_.wanted) {
    const score_calibration calibration = calibration_of(session, index);
    for (answered_query& answer : answers)
      for (match_list& list : answer.lists) add_probabilities(list, calibration, probability_.prior);
  }

  if (session.is_dry_run()) {
    if (grid_) prepare_grids(session, answers.size());
    return session.finish_dry_run(answers.size());
  }
  std::optional<shown_photos> shown;
  if (thumbnails_ && !session.wants_json()) shown = photos_of(session, index);
  json results = json::array();
  bool first = true;
  for (const answered_query& answer : answers) {
    for (const match_list& list : answer.lists) {
      if (session.wants_json()) {
        results.push_back(to_json(list, index));
      } else {
        if (!first) std::cout << '\n';
        first = false;
        print(session, std::cout, list, index);
        if (thumbnails_)
          std::cout << picture_text(*thumbnails_, draw_answer(*shown, answer, list, kTerminalGrid).view());
      }
    }
  }
  if (grid_ || report_) draw(session, index, answers);
  if (session.wants_json()) {
    json document{{"index", path_to_text(index_.string())}, {"n", n_}};
    if (approximate_) document["approximate"] = true;
    if (probability_.wanted) document["prior"] = probability_.prior;
    document["results"] = std::move(results);
    document["skipped"] = session.skipped();
    session.print(document);
  }
  return session.finish();
}

void query_command::draw(const session& session, const photo_index& index,
                         std::span<const answered_query> answers) const {
  const shown_photos photos = photos_of(session, index);
  if (grid_) {
    for (const std::filesystem::path& file : write_grids(photos, answers, *grid_))
      session.note("wrote " + file.string());
  }
  if (report_) {
    html_page page("Similar photos", "the " + count_text(n_) + " nearest to each query");
    add_answers(page, photos, answers);
    remark_missing(page, photos);
    write_file(*report_, page.html());
    session.note("wrote " + report_->string());
  }
}

}  // namespace imgsim::app
