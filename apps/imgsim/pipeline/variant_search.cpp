#include "pipeline/variant_search.hpp"

#include <algorithm>
#include <memory>
#include <numeric>
#include <span>
#include <utility>

#include "device/compute.hpp"
#include "pipeline/calibrate.hpp"
#include "pipeline/encode.hpp"
#include "pipeline/gather_rows.hpp"
#include "pipeline/open_model.hpp"
#include "pipeline/sampled_pictures.hpp"

#include <imgsim/image/photo_variants.hpp>
#include <imgsim/metric/cosine.hpp>
#include <imgsim/report/html.hpp>
#include <imgsim/report/number.hpp>
#include <imgsim/report/table.hpp>

namespace imgsim::app {

namespace {

/// What is asked, and how an answer is judged.
struct asked_variants {
  std::vector<std::size_t> originals;  // of the sampled photos: rows of the index
  std::vector<std::size_t> gallery;    // rows of the index
};

found_first judge(session& session, const photo_index& index, const asked_variants& asked, const std::string& name,
                  const std::string& metric, matrix_view<const float> gallery, matrix_view<const float> queries) {
  session.check_stop("there is no result");
  const top_n_result found = session.device().top_n(gallery, queries, metric,
                                                    {.n = 1, .exclude_self = false, .first_row = 0, .on_progress = {}});
  constexpr std::size_t kinds = kDuplicateVariants.size();
  found_first result{.name = name, .all = 0, .sure = {}, .by_kind = std::vector<double>(kinds)};
  std::vector<double> by_photo(asked.originals.size());
  const auto hash_of = [&](std::size_t row) -> const std::string& { return index.photos()[row].content_hash; };
  for (std::size_t q = 0; q < found.queries(); ++q) {
    const std::size_t nearest = asked.gallery[static_cast<std::size_t>(found.rows(q, 0))];
    if (hash_of(nearest) != hash_of(asked.originals[q / kinds])) continue;
    by_photo[q / kinds] += 1;
    result.by_kind[q % kinds] += 1;
  }
  for (double& count : by_photo) count /= static_cast<double>(kinds);
  for (double& count : result.by_kind) count /= static_cast<double>(by_photo.size());
  result.all = std::accumulate(by_photo.begin(), by_photo.end(), 0.0) / static_cast<double>(by_photo.size());
  result.sure = bootstrap_mean(by_photo, {.seed = session.options().seed});
  return result;
}

json method_json(const found_first& method) {
  json kinds = json::object();
  for (std::size_t k = 0; k < method.by_kind.size(); ++k)
    kinds[std::string(name_of(kDuplicateVariants[k]))] = method.by_kind[k];
  return {{"found_first", method.all},
          {"found_first_interval", {method.sure.low, method.sure.high}},
          {"by_variant", std::move(kinds)}};
}

std::vector<std::string> method_cells(std::string name, const found_first& method) {
  std::ranges::replace(name, '_', ' ');
  std::vector<std::string> cells{std::move(name), fixed_text(method.all, 3),
                                 fixed_text(method.sure.low, 3) + " - " + fixed_text(method.sure.high, 3)};
  for (const double share : method.by_kind) cells.push_back(fixed_text(share, 3));
  return cells;
}

}  // namespace

variant_search search_variants(session& session, const photo_index& index, const std::string& metric,
                               baseline_choice choice) {
  const sampled_photos sample =
      read_sample(session, index.photos_root(), paths_of(index), kCalibrationPhotos, "there is no result");
  if (sample.photos.empty())
    throw io_error(index.photos_root(), "none of the photos of the index that variants would be made of can be read");
  // Baselines read every photo, and say which cannot be read.
  if (choice == baseline_choice::none)
    for (const skipped_file& file : sample.unread) session.skip(file.path, file.reason);
  const std::vector<rgb_image> variants =
      make_variants(session, sample.photos, kDuplicateVariants, "there is no result");
  asked_variants asked{.originals = sample.positions, .gallery = std::vector<std::size_t>(index.size())};
  std::iota(asked.gallery.begin(), asked.gallery.end(), std::size_t{0});
  baseline_rows beside;
  if (choice != baseline_choice::none) {
    beside = make_baselines(session, index, asked.gallery, variants, choice);
    asked.gallery = beside.kept;
  }
  const std::unique_ptr<encoder> encoder = open_model_of(session, index);
  const tensor<float, 2> gallery = gather_rows(index.embeddings(), asked.gallery);
  const tensor<float, 2> queries = encode_images(*encoder, variants);
  variant_search result{.metric = metric,
                        .seed = session.options().seed,
                        .photos = sample.photos.size(),
                        .gallery = asked.gallery.size(),
                        .model = judge(session, index, asked, "imgsim", metric, gallery.view(), queries.view()),
                        .baselines = {}};
  for (const method_rows& method : beside.methods)
    result.baselines.push_back(judge(session, index, asked, method.name, std::string(cosine::name),
                                     method.gallery.view(), method.queries.view()));
  return result;
}

json to_json(const variant_search& result) {
  json document = method_json(result.model);
  document["metric"] = result.metric;
  document["photos"] = result.photos;
  document["gallery"] = result.gallery;
  document["seed"] = result.seed;
  document["baselines"] = json::object();
  for (const found_first& method : result.baselines) document["baselines"][method.name] = method_json(method);
  return document;
}

namespace {

text_table method_table(const variant_search& result) {
  text_table table{{{"method"}, {"found first", alignment::right}, {"95 %", alignment::right}}, {}};
  for (const photo_variant kind : kDuplicateVariants) {
    std::string title(name_of(kind));
    std::ranges::replace(title, '_', ' ');
    table.columns.push_back({title, alignment::right});
  }
  table.add_row(method_cells("imgsim (" + result.metric + ")", result.model));
  for (const found_first& method : result.baselines) table.add_row(method_cells(method.name, method));
  return table;
}

std::string summary(const variant_search& result) {
  return "variants of " + count_text(result.photos, "photo") + ", each sought among " +
         count_text(result.gallery, "photo");
}

}  // namespace

std::string to_text(const session& session, const variant_search& result) {
  return summary(result) + "\n" + session.text_of(method_table(result));
}

std::string to_page(const variant_search& result, const photo_index& index) {
  html_page page("Photos found from variants of them", summary(result) + " in " + index.folder().string());
  page.section("How often is the nearest photo the one that the variant was made of?");
  page.paragraph("Shares of the variants, of all and of each kind, beside simpler methods. No labels are needed.");
  page.table(method_table(result));
  page.remark("95 %: the interval that as many resamples of the photos fall into (bootstrap, seed " +
              std::to_string(result.seed) + ").");
  return page.html();
}

}  // namespace imgsim::app
