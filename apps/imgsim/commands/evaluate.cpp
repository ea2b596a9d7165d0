#include "commands/evaluate.hpp"

#include "pipeline/evaluation.hpp"
#include "pipeline/match_list.hpp"
#include "pipeline/open_model.hpp"

namespace imgsim::app {

command_help evaluate_command::help() const {
  return {.usage = "--index IDX [--labels folder|FILE.csv] [options]",
          .about =
              "Takes every labelled photo of the index as a query and tells how many of its nearest photos carry the "
              "same label: precision and recall among the first N, and mean average precision (mAP) over the whole "
              "ranking. Beside it stands what raw pixels, a 16x16 thumbnail, a colour histogram and principal "
              "components of the pixels reach on the same photos: an encoder has to beat these.",
          .examples = {"imgsim evaluate --index photos.idx --labels folder",
                       "imgsim evaluate --index photos.idx --labels labels.csv -n 5 --json"},
          .exit_codes = {}};
}

void evaluate_command::describe(option_set& options) {
  options.path("index", "IDX", index_, "folder made by imgsim index").required();
  options
      .custom(
          "labels", "SOURCE", [this](const std::string& text) { labels_ = text; },
          "folder: the folder that holds a photo is its label; or a CSV file of lines path,label, the first of which "
          "may be "
          "that header")
      .defaults_to(labels_);
  options.whole("number", "N", n_, {1}, "nearest photos that count").short_name('n');
  options.custom(
             "metric", "NAME", [this](const std::string& text) { metric_ = parse_metric(text); }, metric_choices())
      .defaults_to(metric_);
  options.flag("no-baselines", no_baselines_, "leave out the baselines, which read every photo");
}

exit_code evaluate_command::run(session& session) {
  const photo_index index = open_index(index_, 2);
  if (!no_baselines_) expect_photo_folder(index);
  const evaluation result =
      evaluate_index(session, index, read_labels(session, index, labels_), metric_, n_, !no_baselines_);
  if (session.wants_json()) {
    session.print(to_json(result));
  } else {
    std::cout << to_text(result);
  }
  return session.finish();
}

}  // namespace imgsim::app
