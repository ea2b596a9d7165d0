#include "commands/choose_k.hpp"

#include <algorithm>

#include "pipeline/choose_k_files.hpp"
#include "pipeline/match_list.hpp"
#include "pipeline/open_model.hpp"
#include "pipeline/output_path.hpp"
#include "pipeline/photo_sample.hpp"

#include <imgsim/report/number.hpp>
#include <imgsim/report/table.hpp>

namespace imgsim::app {

command_help choose_k_command::help() const {
  return {.usage = "--index IDX [--k-min A] [--k-max B] [options]",
          .about =
              "Groups the photos around K medoids for every K from A to B and prints for each the within-cluster error "
              "(the sum of the distances to the medoids, and of their squares), the medoid silhouette and the indices "
              "of Calinski-Harabasz and Davies-Bouldin (which are Euclidean, of the embeddings as they are, whatever "
              "the metric; not defined for one group), and beside them the medoid silhouette of medoids that are "
              "chosen for it (DynMSC, as in imgsim cluster --method silhouette; up to half of the photos, and of more "
              "than 4,900 not up to K = 100, but to 20 at the least); then the K that each criterion finds best and "
              "how strongly, and how well the groups of that K come back in parts of the photos (adjusted Rand index: "
              "1 always, 0 as by chance). The gap statistic compares the photos with points spread evenly: where they "
              "do not differ, the verdict is that there is no cluster structure. The verdict may also be that there is "
              "no clear elbow. Where all photos are the same, or fewer than 3, K is 1. Of more than " +
              count_text(kComparedPhotos) +
              " photos, a sample of that many is compared. imgsim cluster -k K looks for medoids anew, with other "
              "starts, and may find others of about the same cost; -k auto begins with these. With --out, writes "
              "choose_k.csv, choose_k.json and choose_k.svg.",
          .examples = {"imgsim choose-k --index photos.idx --k-max 60 --out curve"},
          .exit_codes = {}};
}

void choose_k_command::describe(option_set& options) {
  options.path("index", "IDX", index_, "folder made by imgsim index").required();
  options.whole("k-min", "A", request_.k_min, {1}, "smallest K").defaults_to("2");
  options.whole("k-max", "B", request_.k_max, {1}, "largest K; the number of photos where that is less")
      .defaults_to("100, or half the photos and one where that is less, as for imgsim cluster -k auto");
  options
      .custom(
          "metric", "NAME", [this](const std::string& text) { request_.metric = parse_metric(text); }, metric_choices())
      .offers(known_metrics())
      .defaults_to(request_.metric);
  options.real("sensitivity", "S", request_.sensitivity, {0, 1000}, "of Kneedle: larger finds only sharper elbows");
  options.path("out", "DIR", out_, "folder for choose_k.csv, choose_k.json and choose_k.svg");
}

void choose_k_command::validate(const option_set&) {
  request_.explains = true;
  check_range(request_.k_min, request_.k_max);
}

exit_code choose_k_command::run(session& session) {
  const photo_index index = open_index(index_);
  if (out_)
    prepare_result_folder(session, *out_, index.photos_root(),
                          {{"choose_k.csv", output_kind::choices},
                           {"choose_k.json", output_kind::choice},
                           {"choose_k.svg", output_kind::plot}});
  const sweep_result swept =
      session.stoppable("nothing was written", [&] { return sweep_groups(session, index, request_); });
  if (session.is_dry_run()) return session.finish_dry_run(index.size());
  const json document = choose_k_json(swept, request_.metric, session.options().seed);
  if (out_) {
    write_choose_k(*out_, swept, document);
    session.note("wrote choose_k.csv, choose_k.json and choose_k.svg in " + out_->string());
  }
  if (session.wants_json()) {
    session.print(document);
  } else {
    const choose_k_result& choice = swept.choice;
    std::cout << session.text_of(choose_k_screen_table(swept)) << '\n';
    if (choice.recommended_k > 1) std::cout << session.text_of(criteria_table(swept)) << '\n';
    std::cout << choice.verdict << ": " << choice.reason << '\n'
              << (swept.groups_without_structure() ? "if the photos are to be grouped all the same, take K = "
                                                   : "take K = ")
              << choice.recommended_k << '\n';
  }
  return session.finish();
}

}  // namespace imgsim::app
