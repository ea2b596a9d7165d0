#include "pipeline/evaluation.hpp"

#include <algorithm>

#include "cli/progress.hpp"
#include "device/compute.hpp"
#include "pipeline/gather_rows.hpp"

#include <imgsim/core/path_text.hpp>
#include <imgsim/image/photo_loader.hpp>
#include <imgsim/metric/cosine.hpp>
#include <imgsim/report/number.hpp>
#include <imgsim/report/table.hpp>

namespace imgsim::app {

namespace {

constexpr std::size_t kDecodedSide = 128;   // photos are brought to this before features are taken from them
constexpr std::size_t kThumbnailSide = 16;  // of the thumbnail baseline
constexpr std::size_t kPixelBytes = std::size_t{1} << 30;

/// The largest side at which the pixels of all photos fit.
std::size_t raw_pixel_side(std::size_t photos) {
  for (std::size_t side = 64; side > kThumbnailSide; side /= 2) {
    if (photos * side * side * 3 * sizeof(float) <= kPixelBytes) return side;
  }
  return kThumbnailSide;
}

void append(std::vector<float>& features, const tensor<float, 2>& more) {
  features.insert(features.end(), more.begin(), more.end());
}

matrix_view<const float> as_matrix(const std::vector<float>& features, std::size_t rows) {
  return {features.data(), {rows, rows > 0 ? features.size() / rows : 0}};
}

/// What is read from the photos themselves.
struct baseline_features {
  std::vector<float> pixels, thumbnails, histograms;
};

baseline_features read_baselines(session& session, const photo_index& index, labelled_rows& labels, std::size_t side) {
  std::vector<std::string> paths;
  for (const std::size_t row : labels.rows) paths.push_back(index.photos()[row].path);
  photo_loader loader(index.photos_root(), paths,
                      {.height = kDecodedSide,
                       .width = kDecodedSide,
                       .threads = session.options().threads,
                       .limits = session.limits()});
  baseline_features features;
  features.pixels.reserve(paths.size() * side * side * 3);
  features.thumbnails.reserve(paths.size() * kThumbnailSide * kThumbnailSide * 3);
  labelled_rows kept;
  progress bar(session.options(), "baselines", "photos", paths.size());
  std::size_t done = 0;
  while (std::optional<photo_batch> batch = loader.next()) {
    session.check_stop("there is no result");
    const view<const std::uint8_t, 4> pixels = std::as_const(batch->pixels).view();
    append(features.pixels, session.device().pixel_features(pixels, side, side));
    append(features.thumbnails, session.device().pixel_features(pixels, kThumbnailSide, kThumbnailSide));
    append(features.histograms, session.device().histogram_features(pixels));
    for (const std::size_t i : batch->rows) {
      kept.rows.push_back(labels.rows[i]);
      kept.labels.push_back(labels.labels[i]);
    }
    for (const skipped_file& file : batch->skipped) session.skip(file.path, file.reason);
    done += batch->rows.size() + batch->skipped.size();
    bar.update(done);
    loader.recycle(std::move(*batch));
  }
  bar.finish();
  if (kept.rows.size() < 2)
    throw io_error(index.photos_root(), "fewer than two of the labelled photos can still be read there");
  labels = std::move(kept);
  return features;
}

json quality_json(const retrieval_quality& quality) {
  return {{"precision_at_n", quality.precision}, {"map", quality.average_precision}, {"recall_at_n", quality.recall}};
}

}  // namespace

evaluation evaluate_index(session& session, const photo_index& index, const labelled_rows& labels,
                          const std::string& metric, std::size_t n, bool with_baselines) {
  labelled_rows used = labels;
  evaluation result{.metric = metric, .labels = {}, .model = {}, .baselines = {}};
  baseline_features features;
  if (with_baselines) {
    result.pixel_side = raw_pixel_side(used.rows.size());
    features = read_baselines(session, index, used, result.pixel_side);
  }
  result.labels = number_labels(used.labels);
  const std::size_t photos = used.rows.size();
  for (const std::size_t members : result.labels.members())
    result.chance += static_cast<double>(members) * static_cast<double>(members - 1);
  result.chance /= static_cast<double>(photos) * static_cast<double>(photos - 1);

  const tensor<float, 2> embeddings = gather_rows(index.embeddings(), used.rows);
  compute& device = session.device();
  result.model = device.evaluate_retrieval(embeddings.view(), metric, result.labels, n);
  if (!with_baselines) return result;

  const auto add = [&](const std::string& name, matrix_view<const float> rows) {
    session.check_stop("there is no result");
    result.baselines.emplace_back(name, device.evaluate_retrieval(rows, cosine::name, result.labels, n));
  };
  add("raw_pixels", as_matrix(features.pixels, photos));
  add("thumbnail_16x16", as_matrix(features.thumbnails, photos));
  add("colour_histogram", as_matrix(features.histograms, photos));
  const tensor<float, 2> components = device.principal_component_features(as_matrix(features.pixels, photos));
  add("pca", components.view());
  return result;
}

json to_json(const evaluation& result) {
  const retrieval_quality& all = result.model.all;
  json document{{"n", result.model.n}};
  document.update(quality_json(all));
  document["metric"] = result.metric;
  document["photos"] = all.queries;
  document["chance"] = result.chance;
  document["baselines"] = json::object();
  for (const auto& [name, report] : result.baselines) document["baselines"][name] = quality_json(report.all);
  if (result.pixel_side > 0) document["raw_pixel_side"] = result.pixel_side;
  document["by_label"] = json::object();
  for (std::size_t i = 0; i < result.labels.names.size(); ++i) {
    json entry = quality_json(result.model.by_label[i]);
    entry["photos"] = result.model.by_label[i].queries;
    document["by_label"][path_to_text(result.labels.names[i])] = std::move(entry);
  }
  return document;
}

namespace {

std::vector<table_column> quality_columns(const evaluation& result, const std::string& first) {
  const std::string n = std::to_string(result.model.n);
  return {{first},
          {"photos", alignment::right},
          {"precision@" + n, alignment::right},
          {"mAP", alignment::right},
          {"recall@" + n, alignment::right}};
}

std::vector<std::string> quality_cells(const std::string& name, const retrieval_quality& quality) {
  return {name, std::to_string(quality.queries), fixed_text(quality.precision, 4),
          fixed_text(quality.average_precision, 4), fixed_text(quality.recall, 4)};
}

}  // namespace

text_table evaluation_table(const evaluation& result) {
  text_table methods{quality_columns(result, "method"), {}};
  methods.add_row(quality_cells("imgsim (" + result.metric + ")", result.model.all));
  for (const auto& [name, report] : result.baselines) {
    std::string title = name;
    std::ranges::replace(title, '_', ' ');
    methods.add_row(quality_cells(title, report.all));
  }
  methods.add_row({"chance", std::to_string(result.model.all.queries), fixed_text(result.chance, 4), "", ""});
  return methods;
}

std::string to_text(const evaluation& result) {
  text_table labels{quality_columns(result, "label"), {}};
  for (std::size_t i = 0; i < result.labels.names.size(); ++i)
    labels.add_row(quality_cells(result.labels.names[i], result.model.by_label[i]));
  return imgsim::to_text(evaluation_table(result)) + "\n" + imgsim::to_text(labels);
}

}  // namespace imgsim::app
