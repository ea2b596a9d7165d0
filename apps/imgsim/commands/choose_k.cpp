#include "commands/choose_k.hpp"

#include <algorithm>

#include "pipeline/choose_k_files.hpp"
#include "pipeline/match_list.hpp"
#include "pipeline/open_model.hpp"
#include "pipeline/output_path.hpp"

#include <imgsim/report/table.hpp>

namespace imgsim::app {

command_help choose_k_command::help() const {
  return {.usage = "--index IDX [--k-min A] [--k-max B] [options]",
          .about =
              "Groups the photos around K medoids for every K from A to B and prints the within-cluster error (the "
              "sum of the distances to the medoids), its elbow, the medoid silhouette and a verdict, which may be "
              "that there is no clear answer. With --out, writes choose_k.csv, choose_k.json and choose_k.svg.",
          .examples = {"imgsim choose-k --index photos.idx --k-max 60 --out curve"},
          .exit_codes = {}};
}

void choose_k_command::describe(option_set& options) {
  options.path("index", "IDX", index_, "folder made by imgsim index").required();
  options.whole("k-min", "A", request_.k_min, {1}, "smallest K");
  options.whole("k-max", "B", request_.k_max, {1}, "largest K; the number of photos where that is less")
      .defaults_to("100, or half the photos and one where that is less, as for imgsim cluster -k auto");
  options
      .custom(
          "metric", "NAME", [this](const std::string& text) { request_.metric = parse_metric(text); }, metric_choices())
      .defaults_to(request_.metric);
  options.real("sensitivity", "S", request_.sensitivity, {0, 1000}, "of Kneedle: larger finds only sharper elbows");
  options.path("out", "DIR", out_, "folder for choose_k.csv, choose_k.json and choose_k.svg");
}

void choose_k_command::validate(const option_set&) {
  if (request_.k_max && request_.k_min > *request_.k_max)
    throw usage_error("--k-min " + std::to_string(request_.k_min) + " is more than --k-max " +
                      std::to_string(*request_.k_max));
}

exit_code choose_k_command::run(session& session) {
  const photo_index index = open_index(index_);
  if (out_) prepare_output_folder(*out_);
  const choose_k_result result = sweep_groups(session, index, request_);
  const json document = choose_k_json(result, request_.metric, session.options().seed);
  if (out_) {
    write_choose_k(*out_, result, document);
    session.note("wrote choose_k.csv, choose_k.json and choose_k.svg in " + out_->string());
  }
  if (session.wants_json()) {
    session.print(document);
  } else {
    std::cout << to_text(choose_k_table(result)) << '\n'
              << result.verdict << ": " << result.reason << "\ntake K = " << result.recommended_k << '\n';
  }
  return session.finish();
}

}  // namespace imgsim::app
