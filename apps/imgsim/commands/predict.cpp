#include "commands/predict.hpp"

#include <limits>

#include "cli/text.hpp"
#include "pipeline/encode.hpp"
#include "pipeline/open_model.hpp"
#include "pipeline/photo_input.hpp"
#include "pipeline/predict_groups.hpp"

#include <imgsim/core/path_text.hpp>
#include <imgsim/report/number.hpp>
#include <imgsim/report/table.hpp>

namespace imgsim::app {

command_help predict_command::help() const {
  return {
      .usage = "--index IDX PHOTO... [options]",
      .about =
          "Tells which group of the index's last clustering (imgsim cluster) each PHOTO belongs to: the group of "
          "the nearest medoid, or of the nearest centroid where the groups were made by k-means; with the distance "
          "to it by the metric of the groups, as imgsim cluster prints it (by cosine 1 - cos, from 0 to 2). PHOTO is a "
          "file, - for standard input, or an http(s) URL. Where the clustering had a limit (--outliers or "
          "--max-distance), it also tells whether PHOTO lies farther than that from its group: an outlier.",
      .examples = {"imgsim predict --index photos.idx new/*.jpg"},
      .exit_codes = {}};
}

void predict_command::describe(option_set& options) {
  options.path("index", "IDX", index_, "folder made by imgsim index, with groups").required();
  app::describe(options, limits_);
  options.positional(
      {.metavar = "PHOTO", .target = &photos_, .least = 1, .most = kAnyNumber, .kind = value_kind::file});
}

void predict_command::validate(const option_set&) {
  check_photo_arguments(photos_);
}

exit_code predict_command::run(session& session) {
  const photo_index index = open_index(index_);
  const std::vector<named_photo> photos = read_photo_arguments(session, photos_, limits_);
  std::vector<const rgb_image*> images;
  for (const named_photo& photo : photos) images.push_back(&photo.image);
  const tensor<float, 2> embeddings = encode_images(*open_model_of(session, index), images);
  const stored_grouping stored = predict_groups(session, index, embeddings.view());

  json results = json::array();
  text_table table{
      {{"group", alignment::right}, {"size", alignment::right}, {"distance", alignment::right}, {"photo"}, {"medoid"}},
      {}};
  const bool tells_outliers = stored.reach().has_value();
  if (tells_outliers) table.columns.push_back({"outlier"});
  for (std::size_t q = 0; q < photos.size(); ++q) {
    const group_choice& choice = stored.choices[q];
    const std::size_t medoid = stored.groups.medoids[choice.group];
    const std::size_t size = stored.groups.clusters[choice.group].size();
    const std::string& medoid_path = stored.groups.paths[medoid];
    std::vector<std::string> cells{std::to_string(choice.group), std::to_string(size), fixed_text(choice.distance, 4),
                                   photos[q].name, medoid_path};
    if (tells_outliers) cells.emplace_back(choice.is_outlier ? "yes" : "no");
    table.add_row(std::move(cells));
    results.push_back({{"query", path_to_text(photos[q].name)},
                       {"group", choice.group},
                       {"size", size},
                       {"medoid", medoid},
                       {"medoid_path", path_to_text(medoid_path)},
                       {"distance", choice.distance},
                       {"similarity", choice.similarity},
                       {"outlier", choice.is_outlier}});
  }
  if (session.wants_json()) {
    session.print({{"index", path_to_text(index_.string())},
                   {"method", stored.groups.method},
                   {"metric", stored.groups.metric},
                   {"k", stored.groups.k()},
                   {"results", std::move(results)},
                   {"skipped", session.skipped()}});
  } else {
    std::cout << session.text_of(table);
  }
  return session.finish();
}

}  // namespace imgsim::app
