#include "commands/cluster.hpp"

#include <initializer_list>
#include <iostream>
#include <limits>
#include <memory>

#include "cli/progress.hpp"
#include "cli/text.hpp"
#include "pipeline/group_report.hpp"
#include "pipeline/match_list.hpp"
#include "pipeline/open_model.hpp"
#include "pipeline/output_path.hpp"
#include "pipeline/photo_sample.hpp"

#include <imgsim/report/number.hpp>
#include <imgsim/report/table.hpp>

namespace imgsim::app {

namespace {

std::size_t parse_sample(const std::string& text) {
  try {
    return parse_whole(text, {.low = 1});
  } catch (const usage_error& reason) {
    throw usage_error(std::string(reason.what()) + " (or auto, or off)");
  }
}

}  // namespace

command_help cluster_command::help() const {
  return {
      .usage = "--index IDX -k K|auto|--max-distance T [--out DIR] [options]",
      .about =
          "Splits the photos of an index into K groups, each around a medoid: the photo that stands for it. Or, with "
          "--max-distance, into as few groups as it finds in which every photo lies within T of its medoid. It prints "
          "the sum of the distances to the medoids (k-means: of the squared distances to the centroids, for cosine 2 "
          "(1 - cos)), for K-medoids also how far at most that is above the best possible (of up to " +
          count_text(kComparedPhotos) +
          " photos, where a quarter of the memory holds their distances), for --max-distance how many groups it needs "
          "at the least, the member that lies farthest from its medoid, and the two groups that are hardest to tell "
          "apart (of up to " +
          count_text(kComparedGroups, "group") + "): their overlap is the mean distance to the " +
          "medoid in the one and in the other, together, over the distance between the two medoids. Distances by "
          "cosine are 1 - cos, from 0 to 2. More photos than that are not all compared: the medoids come from samples "
          "and are improved over all photos; their mean distance is printed beside that in the sample, and the least "
          "that any medoids can have there. -k auto takes the K that imgsim choose-k recommends, and, where K-medoids "
          "compares all photos, begins with its medoids. --method silhouette takes the medoids of the largest mean "
          "medoid silhouette (DynMSC: 1 - d1 / d2 of the distances to the nearest two) and, with -k auto, the K where "
          "it is largest (up to 100 or half of the photos; of more than 4,900 photos not up to 100, but to 20 at the "
          "least), and says so where that is the largest K that was tried: photos without clear groups; of more photos "
          "than can be compared, those of a sample. With --out, writes k_groups.json, contact_sheet.png and "
          "report.html there; with --partition also one folder a group, DIR/groups/group_00, group_01, ..., and "
          "DIR/groups/outliers for photos that --outliers leaves out; photos that changed since they were indexed are "
          "listed and left out of it (pictures elsewhere show what is there now). Of photos with one name the later "
          "ones are numbered (~2), and symbolic links are absolute. The groups are kept in the index for imgsim "
          "predict, unless it cannot be written into. A partition never overwrites or removes a file; one that was "
          "interrupted is continued by the same command, and a DIR that holds the partition of other groups is refused "
          "before anything is written.",
      .examples = {"imgsim cluster --index photos.idx -k 20 --out groups",
                   "imgsim cluster --index photos.idx -k auto --out groups --partition symlink",
                   "imgsim cluster --index photos.idx -k 20 --outliers 0.6 --restarts 5",
                   "imgsim cluster --index photos.idx --max-distance 0.4 --out groups",
                   "imgsim cluster --index photos.idx -k 20 --method k-means --json",
                   "imgsim cluster --index photos.idx -k auto --method silhouette"},
      .exit_codes = {}};
}

void cluster_command::describe(option_set& options) {
  options.path("index", "IDX", index_, "folder made by imgsim index").required();
  options
      .custom(
          "groups", "K",
          [this](const std::string& text) {
            if (text == "auto") {
              request_.k.reset();
              return;
            }
            try {
              request_.k = parse_whole(text, {.low = 1});
            } catch (const usage_error& reason) {
              throw usage_error(std::string(reason.what()) + " (or auto)");
            }
          },
          "number of groups, or auto")
      .offers({"auto"})
      .instead_of("max-distance")
      .short_name('k');
  options.whole("k-min", "A", request_.k_min, {1}, "of -k auto: the smallest K that is tried").defaults_to("2");
  options.whole("k-max", "B", request_.k_max, {1}, "of -k auto: the largest K that is tried")
      .defaults_to("100, or half the photos and one where that is less; --method silhouette: see above");
  constexpr real_range kDistance{0, std::numeric_limits<double>::infinity()};
  options
      .real("max-distance", "T", request_.max_distance, kDistance,
            "in place of -k: as few groups as it finds, every photo within T of its medoid")
      .instead_of("groups");
  options.real("outliers", "T", request_.outlier_distance, kDistance,
               "photos farther than T from their medoid (k-means: centroid) are left out of the groups and listed, but "
               "for the medoids themselves; the cost still counts them");
  options.choice(
      "method", "NAME", method_, {"k-medoids", "k-means", "silhouette"},
      "k-medoids, k-means (for cosine: spherical k-means) or silhouette (medoids that part the groups best)");
  options
      .custom(
          "metric", "NAME", [this](const std::string& text) { request_.metric = parse_metric(text); }, metric_choices())
      .offers(known_metrics())
      .defaults_to(request_.metric);
  options.choice("init", "NAME", initialisation_, {"build", "lab", "k-means++", "random"},
                 "first medoids: build (no chance in it, slow), lab, k-means++ or random");
  options
      .whole("restarts", "R", request_.restarts, {1, 10'000},
             "starts from other seeds; the best is kept (of --init build all would be the same). Of samples: how "
             "many, at least 5")
      .defaults_to(std::to_string(kManyStarts) + " of up to " + count_text(kManyStartsPhotos, "photo") +
                   ", one of more");
  options
      .whole("max-swaps", "S", max_swaps_, {0},
             "K-medoids stops after S swaps in each start, of samples: in each of them, before those over all photos")
      .defaults_to("when no swap lowers the cost");
  options
      .custom(
          "sample", "N",
          [this](const std::string& text) {
            if (text == "auto") {
              request_.sample.reset();
            } else {
              request_.sample = text == "off" ? 0 : parse_sample(text);
            }
          },
          "K-medoids of samples of N photos, k-means of batches of N; off: all photos are taken")
      .offers({"auto", "off"})
      .defaults_to("auto: off up to " + count_text(kComparedPhotos) +
                   " photos, then samples of 4,096 or more; k-means: off up to " + count_text(kBatchedPhotos) +
                   " photos, then batches of 10,240 or more");
  options.path("out", "DIR", out_,
               "folder for k_groups.json, contact_sheet.png (in whose names characters beyond ASCII are boxes) and "
               "report.html");
  options
      .custom(
          "partition", "KIND",
          [this](const std::string& text) {
            if (text.find(',') != std::string::npos)
              throw usage_error("takes one of " + any_of_text(partition_kind_names()) + ", got " + in_quotes(text));
            expect_choice(text, partition_kind_names());
            partition_ = parse_partition_kind(text);
          },
          "also make one folder a group in DIR/groups, by one of " + any_of_text(partition_kind_names()))
      .offers(partition_kind_names());
}

void cluster_command::validate(const option_set& options) {
  request_.initialisation = parse_medoid_initialisation(initialisation_);
  if (max_swaps_) request_.max_swaps = *max_swaps_;
  const auto refuse_with = [&](const char* other, std::initializer_list<const char*> useless) {
    for (const char* name : useless)
      if (options.was_typed(name)) throw usage_error("--" + std::string(name) + " has no meaning with " + other);
  };
  if (request_.max_distance) {
    if (options.was_given("groups")) throw usage_error("--max-distance takes the place of -k: give one of them");
    refuse_with("--max-distance", {"method", "init", "restarts", "max-swaps", "sample"});
    method_ = "k-medoids";  // a configured one is for -k
  } else if (!options.was_given("groups")) {
    throw usage_error("--groups K is missing (or --max-distance T)");
  }
  if (request_.k || request_.max_distance) {
    refuse_with("-k K or --max-distance", {"k-min", "k-max"});
  } else {
    check_range(request_.k_min, request_.k_max);
    request_.explains = out_.has_value();
  }
  if (method_ == "k-means") request_.method = grouping_method::k_means;
  if (method_ == "silhouette") request_.method = grouping_method::silhouette;
  if (request_.method == grouping_method::k_means) refuse_with("--method k-means", {"init", "max-swaps"});
  if (request_.method == grouping_method::silhouette) {
    refuse_with("--method silhouette", {"init", "restarts", "max-swaps", "sample"});
    if (request_.k == std::size_t{1}) throw usage_error("--method silhouette makes 2 groups or more");
  }
  if (options.was_typed("partition") && !out_) throw usage_error("--partition needs --out DIR");
  if (!out_) partition_.reset();
}

void cluster_command::partition(session& session, const photo_index& index, const grouping_result& result) const {
  progress bar(session.options(), "partition", "photos", index.size());
  const partition_result made = partition_photos(
      result.groups, index.photos(), index.photos_root(), *out_ / "groups",
      {.kind = *partition_,
       .on_progress = [&](std::size_t done) { bar.update(done); },
       .on_skip = [&](const std::string& path, const std::string& reason) { session.skip(path, reason); },
       .stop = session.stop()});
  if (made.stopped) throw cancelled("stopped; the same command continues the partition");
  bar.finish();
  if (made.taken > 0) session.skip(count_text(made.taken, "photo"), taken_text(*out_ / "groups" / made.first_taken));
  session.note(count_text(made.made, "photo") + " placed in " + (*out_ / "groups").string() +
               (made.already_there > 0 ? ", " + std::to_string(made.already_there) + " were there already" : ""));
}

exit_code cluster_command::run(session& session) {
  constexpr const char* kNotKept = "the groups are not kept in it, and imgsim predict will not know them";
  const std::unique_ptr<index_writer> writer =
      session.is_dry_run() ? nullptr : edit_index_if_writable(session, index_, kNotKept);
  const photo_index index = open_index(index_);
  if (out_) expect_photo_folder(index, "without --out the groups are made and printed all the same");
  if (out_)
    prepare_result_folder(session, *out_, index.photos_root(),
                          {{"k_groups.json", output_kind::groups},
                           {"contact_sheet.png", output_kind::picture},
                           {"report.html", output_kind::page}});
  const grouping_result result =
      session.stoppable("nothing was written", [&] { return make_groups(session, index, request_); });
  if (partition_ && session.is_dry_run())
    plan_partition(session, result.groups, index.photos(), *partition_, index.photos_root(), *out_ / "groups");
  else if (partition_)
    check_partition_folder(result.groups, *partition_, index.photos_root(), *out_ / "groups");
  if (out_ && !partition_) refuse_other_partition(result.groups, *out_ / "groups");
  note_choice(session, result);
  if (request_.k && result.groups.k() < *request_.k)
    session.note(count_text(result.groups.k(), "group") + " in place of " + std::to_string(*request_.k) +
                 ": there are no more different photos than that");
  if (result.twice > 0)
    session.note(
        count_text(result.twice, "group") + " of " + std::to_string(result.groups.k()) +
        " stand for a photo that another group stands for, too: there may be fewer different photos than groups");
  if (session.is_dry_run()) {
    std::vector<std::string> kept{index_file::kGroups};
    if (!result.centroids.empty()) kept.emplace_back(index_file::kCentroids);
    if (plan_index_files(session, index, kept, kNotKept) && result.centroids.empty())
      session.plan_removal(index.folder() / index_file::kCentroids);
    return session.finish_dry_run(index.size());
  }
  std::optional<staged_group_files> files;
  if (out_) files.emplace(session, index, result, *out_);
  if (writer) store_groups(*writer, result);
  if (files) {
    files->commit();
    session.note("wrote k_groups.json, contact_sheet.png and report.html in " + out_->string());
  }
  if (partition_) partition(session, index, result);
  if (session.wants_json()) {
    json document = groups_document(result);
    if (result.chosen) document["verdict"] = result.chosen->choice.verdict;
    if (!session.skipped().empty()) document["skipped"] = session.skipped();
    session.print(document);
  } else {
    print(session, result);
  }
  return session.finish();
}

/// How K came about, where it was not given.
void cluster_command::note_choice(const session& session, const grouping_result& result) const {
  if (request_.k || request_.max_distance) return;
  const std::string k = std::to_string(result.groups.k());
  if (result.chosen) {
    session.note(result.chosen->choice.verdict + (result.chosen->groups_without_structure()
                                                      ? "; taking K = " + k + " all the same"
                                                      : ": taking K = " + k));
  } else if (!result.silhouette) {
    if (result.labels.size() > 1) session.note("the photos cannot be told apart: taking K = 1");
  } else if (result.silhouette->is_limit) {
    session.note("the medoid silhouette is largest at K = " + k +
                 ", the most that was tried: no number of groups stands out; imgsim choose-k says more, -k K decides");
  } else {
    session.note("the medoid silhouette is largest at K = " + k);
  }
}

void cluster_command::print(const session& session, const grouping_result& result) const {
  const groups& made = result.groups;
  text_table table{
      {{"group", alignment::right}, {"size", alignment::right}, {"mean distance", alignment::right}, {"medoid"}}, {}};
  for (const group_summary& group : summarise(result))
    table.add_row({std::to_string(group.group), std::to_string(group.size()), fixed_text(group.mean_distance, 4),
                   made.paths[group.medoid()]});
  std::cout << session.text_of(table) << '\n';
  if (!result.outliers.empty()) {
    text_table left_out{{{"distance", alignment::right}, {"nearest group", alignment::right}, {"outlier"}}, {}};
    for (const outlier& one : result.outliers)
      left_out.add_row({fixed_text(one.distance, 4), std::to_string(one.group), made.paths[one.row]});
    std::cout << session.text_of(left_out) << '\n';
  }
  std::cout << "K = " << made.k() << ", " << made.method << ", " << cost_text(result) << ", " << seed_text(result)
            << '\n';
  for (const std::string& line : judgement_lines(result)) std::cout << line << '\n';
}

}  // namespace imgsim::app
