#include "pipeline/group_report.hpp"

#include <algorithm>
#include <cmath>

#include "pipeline/choose_k_files.hpp"
#include "pipeline/query_pictures.hpp"

#include <imgsim/core/file.hpp>
#include <imgsim/image/encode.hpp>
#include <imgsim/report/contact_sheet.hpp>
#include <imgsim/report/escape.hpp>
#include <imgsim/report/html_sections.hpp>
#include <imgsim/report/number.hpp>

namespace imgsim::app {

namespace {

/// ", at most 0.28 % above the best possible": rounded up, so that it stays true.
std::string above_best_text(double cost, double lower_bound) {
  constexpr double kEqual = 1e-9;  // what rounding can hide
  if (cost <= lower_bound * (1 + kEqual)) return ", the best possible";
  if (!(lower_bound > 0)) return {};
  const double percent = std::ceil((cost / lower_bound - 1) * 1e4) / 100;
  return ", at most " + fixed_text(percent, 2) + " % above the best possible";
}

/// What is known of the fewest groups that keep the guarantee.
std::string least_k_text(const grouping_result& result) {
  if (!result.least_k) return {};
  if (*result.least_k == result.groups.k()) return ", and no fewer groups can do";
  if (*result.least_k == 1) return {};
  return ", for which at least " + count_text(*result.least_k, "group") + " are needed";
}

/// Of weak_places::overlap.
constexpr const char* kOverlapScale = " (0: far apart, 1: as wide as they are apart, 2 or more: within one another)";

}  // namespace

json groups_document(const grouping_result& result) {
  json document = to_json(result.groups);
  if (result.least_k) document["least_k"] = *result.least_k;
  if (result.starts) document["starts"] = *result.starts;
  if (result.lower_bound) document["lower_bound"] = *result.lower_bound;
  if (result.sample)
    document["sample"] = {{"photos", result.sample->photos},
                          {"mean_distance", result.sample->cost},
                          {"lower_bound", result.sample->lower_bound}};
  if (result.silhouette) document["medoid_silhouette"] = result.silhouette->mean;
  if (result.weak) {
    const weak_places& weak = *result.weak;
    document["weakest_member"] = {{"row", weak.weakest_member},
                                  {"group", result.labels[weak.weakest_member]},
                                  {"distance", weak.weakest_distance}};
    if (weak.first_group != weak.second_group)
      document["hardest_pair"] = {{"groups", {weak.first_group, weak.second_group}}, {"overlap", weak.overlap}};
  }
  return document;
}

std::string cost_text(const grouping_result& result) {
  const double cost = result.groups.cost;
  std::string text = "cost " + general_text(cost, 8);
  if (result.lower_bound) text += above_best_text(cost, *result.lower_bound);
  if (result.sample)
    text += ", a mean distance of " + fixed_text(cost / static_cast<double>(result.labels.size()), 4) + " (" +
            fixed_text(result.sample->cost, 4) + " in a sample of " + count_text(result.sample->photos, "photo") +
            ", no medoids of which have less than " + fixed_text(result.sample->lower_bound, 4) + ")";
  return text;
}

std::string seed_text(const grouping_result& result) {
  const std::string seed = "seed " + std::to_string(result.groups.seed);
  return result.starts.value_or(1) > 1 ? seed + ", the best of " + count_text(*result.starts, "start") : seed;
}

std::vector<std::string> judgement_lines(const grouping_result& result) {
  std::vector<std::string> lines;
  const groups& made = result.groups;
  const std::string middle = result.centroids.empty() ? "medoid" : "centroid";
  if (made.max_distance)
    lines.push_back("every photo lies within " + general_text(*made.max_distance) + " of its medoid" +
                    least_k_text(result));
  if (result.silhouette)
    lines.push_back("medoid silhouette: " + fixed_text(result.silhouette->mean, 4) +
                    " (1: every photo at its medoid and far from the others; 0: as near to another)");
  // Of groups of one photo each there is nothing to tell.
  if (result.weak && made.k() < result.labels.size()) {
    const weak_places& weak = *result.weak;
    if (weak.weakest_distance > 0)
      lines.push_back("weakest member: " + printable_utf8(made.paths[weak.weakest_member]) + " in group " +
                      std::to_string(result.labels[weak.weakest_member]) + ", " + fixed_text(weak.weakest_distance, 4) +
                      " from its " + middle);
    if (weak.first_group != weak.second_group && weak.overlap > 0)
      lines.push_back("hardest to tell apart: groups " + std::to_string(weak.first_group) + " and " +
                      std::to_string(weak.second_group) +
                      (std::isinf(weak.overlap) ? ", whose " + middle + "s are the same"
                                                : ", overlap " + fixed_text(weak.overlap, 2) + kOverlapScale));
  }
  if (made.outlier_distance)
    lines.push_back("outliers: " + count_text(result.outliers.size(), "photo") + " farther than " +
                    general_text(*made.outlier_distance) + " from the nearest " + middle);
  return lines;
}

staged_group_files::staged_group_files(const session& session, const photo_index& index, const grouping_result& result,
                                       const std::filesystem::path& folder)
    : groups_(folder / "k_groups.json"), sheet_(folder / "contact_sheet.png"), page_(folder / "report.html") {
  groups_.write(groups_document(result).dump() + "\n");
  const std::vector<group_summary> summaries = summarise(result);
  const shown_photos photos = photos_of(session, index);
  std::vector<grouped_photo> outliers;
  for (const outlier& one : result.outliers) outliers.push_back({one.row, one.distance});
  const std::string photos_in_groups =
      count_text(index.size(), "photo") + " in " + count_text(result.groups.k(), "group");
  const std::string by = result.groups.method + " (" + result.groups.metric;
  const rgb_image sheet =
      draw_contact_sheet(summaries, photos.read, {.title = photos_in_groups + " by " + by + ")", .outliers = outliers});
  sheet_.write(encode_png(sheet.view()));

  html_page page("Groups of photos",
                 photos_in_groups + " by " + by + ", " + cost_text(result) + ", " + seed_text(result) + ")");
  if (result.chosen) {
    page.section("How many groups?");
    add_sweep(page, *result.chosen);
  }
  if (result.chosen || !result.outliers.empty()) page.section("Groups");
  for (const std::string& line : judgement_lines(result)) page.remark(line);
  add_groups(page, summaries, photos);
  if (!result.outliers.empty()) {
    page.section("Outliers");
    add_outliers(page, outliers, photos, {.members = 60});
  }
  remark_missing(page, photos);
  page_.write(page.html());
  for (atomic_file* const file : {&groups_, &sheet_, &page_}) file->flush();
}

void staged_group_files::commit() {
  sheet_.commit();
  page_.commit();
  groups_.commit();
}

}  // namespace imgsim::app
