#include "commands/evaluate.hpp"

#include <iostream>

#include "pipeline/evaluation.hpp"
#include "pipeline/match_list.hpp"
#include "pipeline/open_model.hpp"
#include "pipeline/output_path.hpp"
#include "pipeline/variant_search.hpp"

#include <imgsim/core/file.hpp>

namespace imgsim::app {

command_help evaluate_command::help() const {
  return {
      .usage = "--index IDX [--labels folder|FILE.csv | --variants] [options]",
      .about =
          "Takes every labelled photo of the index as a query and tells how many of its nearest photos carry the "
          "same label: precision and recall among the first N, and mean average precision (mAP) over the whole "
          "ranking, with the interval that 95 % of resamples of the queries fall into (bootstrap): it says how sure "
          "the means are for queries of this kind, not for another training. Beside it stands what raw pixels, a "
          "16x16 thumbnail, a colour histogram and principal components of the pixels reach on the same photos: an "
          "encoder has to beat these; and the same network before training, with the rest of its pipeline, and the "
          "trained encoder's plain code, without it. With --variants no labels are needed: up to 256 photos are "
          "cropped, mirrored, brightened, blurred, compressed and so on, and the share is told of the variants "
          "whose nearest photo is the one that they were made of.",
      .examples = {"imgsim evaluate --index photos.idx --labels folder",
                   "imgsim evaluate --index photos.idx --labels labels.csv -n 5 --json",
                   "imgsim evaluate --index photos.idx --variants --report variants.html"},
      .exit_codes = {}};
}

void evaluate_command::describe(option_set& options) {
  options.path("index", "IDX", index_, "folder made by imgsim index").required();
  options
      .custom(
          "labels", "SOURCE", [this](const std::string& text) { labels_ = text; },
          "where the labels come from: folder, when the folder that holds a photo is its label, or a CSV file of lines "
          "path,label, the first of which may be that header")
      .offers({"folder"})
      .names_a(value_kind::file)
      .defaults_to(labels_);
  options.whole("number", "N", n_, {1}, "nearest photos that count").short_name('n');
  options.custom(
             "metric", "NAME", [this](const std::string& text) { metric_ = parse_metric(text); }, metric_choices())
      .offers(known_metrics())
      .defaults_to(metric_);
  options.flag("variants", variants_, "seek variants of the photos instead of photos of one label");
  options.flag("no-baselines", no_baselines_, "leave out the baselines, which read every photo");
  options.path("report", "FILE.html", report_, "also write a page with the figures");
}

void evaluate_command::validate(const option_set& options) {
  for (const char* name : {"labels", "number"})
    if (variants_ && options.was_typed(name))
      throw usage_error(std::string("--") + name + " is not of --variants, which asks for the nearest photo alone");
}

exit_code evaluate_command::run(session& session) {
  const photo_index index = open_index(index_, 2);
  if (!no_baselines_ || variants_) expect_photo_folder(index);
  if (report_) {
    refuse_output_among_photos(*report_, index.photos_root());
    prepare_output_file(session, *report_, output_kind::page);
  }
  const baseline_choice choice = no_baselines_ ? baseline_choice::none : baseline_choice::all;
  const auto tell = [&](const auto& result) {
    if (session.wants_json()) {
      json document = to_json(result);
      document["skipped"] = session.skipped();
      session.print(document);
    } else {
      std::cout << to_text(session, result);
    }
    if (report_) {
      write_file(*report_, to_page(result, index));
      session.note("wrote " + report_->string());
    }
  };
  if (variants_) {
    if (!session.is_dry_run()) tell(search_variants(session, index, metric_, choice));
  } else {
    const labelled_rows labels = read_labels(session, index, labels_);
    if (!session.is_dry_run()) tell(evaluate_index(session, index, labels, metric_, n_, choice));
  }
  return session.is_dry_run() ? session.finish_dry_run(index.size()) : session.finish();
}

}  // namespace imgsim::app
