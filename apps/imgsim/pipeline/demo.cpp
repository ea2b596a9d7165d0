#include "pipeline/demo.hpp"

#include <algorithm>
#include <chrono>
#include <set>

#include "cli/text.hpp"
#include "pipeline/choose_k_files.hpp"
#include "pipeline/evaluation.hpp"
#include "pipeline/group_report.hpp"
#include "pipeline/grouping.hpp"
#include "pipeline/open_model.hpp"
#include "pipeline/passed_over.hpp"
#include "pipeline/query_pictures.hpp"
#include "pipeline/train_model.hpp"
#include "pipeline/update_index.hpp"

#include <imgsim/core/file.hpp>
#include <imgsim/core/random.hpp>
#include <imgsim/image/encode.hpp>
#include <imgsim/metric/cosine.hpp>
#include <imgsim/model/presets.hpp>
#include <imgsim/report/contact_sheet.hpp>
#include <imgsim/report/html_sections.hpp>
#include <imgsim/report/number.hpp>
#include <imgsim/report/svg_plot.hpp>

namespace imgsim::app {

namespace {

constexpr std::size_t kQueries = 6;
constexpr std::size_t kMatches = 10;
constexpr std::size_t kSample = 24;
constexpr std::size_t kSide = 64;            // photos are small here: nobody waits long for a demo
constexpr std::size_t kPhotoVisits = 9'000;  // photos times epochs that training may take

std::size_t epochs_for(std::size_t photos) {
  return std::clamp<std::size_t>(kPhotoVisits / std::max<std::size_t>(photos, 1), 2, 20);
}

/// Different photos, spread over the rows.
std::vector<std::size_t> spread_rows(std::size_t photos, std::size_t count, std::uint64_t seed) {
  std::vector<std::size_t> rows;
  const std::size_t wanted = std::min(photos, count);
  random_stream random(seed);
  for (std::size_t i = 0; i < wanted; ++i) {
    const std::size_t first = photos * i / wanted;
    rows.push_back(first + random.below(photos * (i + 1) / wanted - first));
  }
  return rows;
}

bool has_labels(const photo_index& index) {
  std::set<std::string> labels;
  for (const indexed_photo& photo : index.photos()) labels.insert(label_of(photo.path));
  labels.erase("");
  return labels.size() > 1;
}

}  // namespace

void plan_demo_files(session& session, const std::filesystem::path& out, std::size_t photos) {
  for (const char* name : {"similar.png", "k_groups.json", "groups.png", "index.html"}) session.plan(out / name);
  if (photos > 3)
    for (const char* name : {"choose_k.csv", "choose_k.json", "choose_k.svg"}) session.plan(out / name);
  for (const char* name :
       {index_file::kManifest, index_file::kEmbeddings, index_file::kPhotos, index_file::kModel, index_file::kGroups})
    session.plan(out / "index" / name);
  plan_index_lock(session, out / "index");
  plan_training_files(session, out / "model.safetensors");
}

std::size_t plan_demo(session& session, const demo_request& request) {
  const train_summary trained = train_model(session, {.images = request.photos,
                                                      .model = request.out / "model.safetensors",
                                                      .description = preset("default", {.size = kSide, .latent = {}})});
  const std::size_t photos = trained.training_photos + trained.validation_photos;
  plan_demo_files(session, request.out, photos);
  return photos;
}

namespace {

/// `doing` is what it is at.
demo_summary make_demo(session& session, const demo_request& request, std::string& doing) {
  const auto begin = std::chrono::steady_clock::now();
  const std::filesystem::path model = request.out / "model.safetensors";
  const std::filesystem::path index_folder = request.out / "index";
  const std::uint64_t seed = session.options().seed;
  const auto step = [&](const std::string& text) {
    doing = text;
    session.note(text);
  };

  step("training a model on " + request.photos.string());
  const std::size_t epochs = request.epochs.value_or(epochs_for(scan_photos(request.photos).photos.size()));
  const train_summary trained = train_model(session, {.images = request.photos,
                                                      .model = model,
                                                      .description = preset("default", {.size = kSide, .latent = {}}),
                                                      .epochs = epochs});
  if (trained.stopped) throw cancelled("stopped");

  step("indexing the photos");
  update_index(session, {.images = request.photos, .model = model, .index = index_folder, .replace = true});
  const photo_index index = open_index(index_folder, 2);

  const photo_provider photos = photos_of(session, index);
  step("looking for similar photos");
  const std::string metric(cosine::name);
  std::vector<answered_query> answers;
  for (const std::size_t row : spread_rows(index.size(), kQueries, seed)) {
    std::vector<match> matches = neighbours_of_row(index, row, metric, kMatches, exact_search(session, index, metric));
    answers.push_back({.photo = read_indexed_photo(session, index, row),
                       .lists = {{index.photos()[row].path, metric, std::move(matches)}}});
  }
  write_grids(photos, std::span(answers).first(1), request.out / "similar.png");

  step("choosing the number of groups");
  std::optional<sweep_result> curve;
  if (index.size() > 3) {
    curve = sweep_groups(session, index, {.metric = metric, .explains = true});
    write_choose_k(request.out, *curve, choose_k_json(*curve, metric, seed));
  }
  const std::size_t k = curve ? curve->choice.recommended_k : 1;
  step("grouping the photos around " + count_text(k, "medoid"));
  index_writer writer = edit_index(index_folder);
  const grouping_result grouped = make_groups(session, index, {.k = k});
  store_groups(writer, grouped);
  const std::vector<group_summary> groups = summarise(grouped);
  write_file(request.out / "k_groups.json", groups_document(grouped).dump() + "\n");

  const rgb_image sheet = draw_contact_sheet(groups, photos.read);
  write_file(request.out / "groups.png", encode_png(sheet.view()));

  std::optional<evaluation> evaluated;
  if (has_labels(index)) {
    step("comparing with the folders that the photos lie in");
    evaluated = evaluate_index(session, index, read_labels(session, index, "folder"), metric, kMatches,
                               baseline_choice::simple);
  }

  demo_summary summary{
      .page = request.out / "index.html", .photos = index.size(), .groups = k, .precision = {}, .best_baseline = {}};
  html_page page("imgsim demo", count_text(index.size(), "photo") + " of " + request.photos.string() + ", " +
                                    count_text(epochs, "epoch") + " of training, seed " + std::to_string(seed));
  page.section("A sample of the photos");
  add_sample(page, spread_rows(index.size(), kSample, seed + 1), photos);
  add_answers(page, photos, answers);
  page.section("How many groups?");
  if (curve) {
    add_sweep(page, *curve);
  }
  page.section("Groups");
  add_groups(page, groups, photos, {.members = 12});
  if (evaluated) {
    add_evaluation(page, *evaluated);
    summary.precision = evaluated->model.report.all.precision;
    for (const judged_method& baseline : evaluated->baselines)
      summary.best_baseline = std::max(summary.best_baseline.value_or(0), baseline.report.all.precision);
  }
  page.section("Training");
  add_training(page, trained.history);
  write_file(summary.page, page.html());
  summary.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return summary;
}

}  // namespace

demo_summary run_demo(session& session, const demo_request& request) {
  std::string doing;
  try {
    return make_demo(session, request, doing);
  } catch (const cancelled&) {
    throw cancelled("stopped while " + doing + "; what was made so far is in " + request.out.string());
  }
}

}  // namespace imgsim::app
