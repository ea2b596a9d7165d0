#include "pipeline/baselines.hpp"

#include <algorithm>
#include <memory>
#include <numeric>
#include <utility>

#include "cli/progress.hpp"
#include "device/compute.hpp"
#include "device/machine_memory.hpp"
#include "pipeline/encode.hpp"
#include "pipeline/model_files.hpp"
#include "pipeline/open_model.hpp"

#include <imgsim/evaluate/baselines.hpp>
#include <imgsim/image/photo_loader.hpp>
#include <imgsim/model/network_plan.hpp>
#include <imgsim/model/photo_source.hpp>

namespace imgsim::app {

namespace {

constexpr std::size_t kBaselineSide = 128;  // photos are brought to this before features are taken from them
constexpr std::size_t kFeatureBytes = std::size_t{1} << 30;

/// The largest side at which the pixels of all photos fit.
std::size_t raw_pixel_side(std::size_t photos) {
  for (std::size_t side = 64; side > kThumbnailSide; side /= 2) {
    if (photos * side * side * 3 * sizeof(float) <= kFeatureBytes) return side;
  }
  return kThumbnailSide;
}

/// Rows that are appended a batch at a time.
struct growing_rows {
  std::vector<float> values;
  std::size_t rows = 0;

  void append(const tensor<float, 2>& more) {
    values.insert(values.end(), more.begin(), more.end());
    rows += more.extent(0);
  }
  [[nodiscard]] matrix_view<const float> view() const {
    return {values.data(), {rows, rows > 0 ? values.size() / rows : 0}};
  }
};

tensor<float, 2> part_of(matrix_view<const float> rows, std::size_t first, std::size_t count) {
  tensor<float, 2> part({count, rows.extent(1)});
  for (std::size_t i = 0; i < count; ++i) std::copy_n(rows.row(first + i), rows.extent(1), part.view().row(i));
  return part;
}

/// The features that need no network, photos first, then queries.
class simple_features {
 public:
  simple_features(compute& device, std::size_t side) : device_(device), side_(side) {}

  void add(view<const std::uint8_t, 4> photos) {
    pixels_.append(device_.pixel_features(photos, side_, side_));
    thumbnails_.append(device_.pixel_features(photos, kThumbnailSide, kThumbnailSide));
    histograms_.append(device_.histogram_features(photos));
  }

  /// The first `gallery` rows apart from the others.
  [[nodiscard]] std::vector<method_rows> methods(std::size_t gallery) const {
    std::vector<method_rows> found;
    const auto split = [&](std::string name, matrix_view<const float> rows) {
      found.push_back({.name = std::move(name),
                       .gallery = part_of(rows, 0, gallery),
                       .queries = part_of(rows, gallery, rows.extent(0) - gallery)});
    };
    split("raw_pixels", pixels_.view());
    split("thumbnail_16x16", thumbnails_.view());
    split("colour_histogram", histograms_.view());
    const tensor<float, 2> components = device_.principal_component_features(pixels_.view());
    split("pca", components.view());
    return found;
  }

 private:
  compute& device_;
  std::size_t side_;
  growing_rows pixels_, thumbnails_, histograms_;
};

tensor<float, 2> encode_set(session& session, const std::string& task, encoder& encoder, photo_set& photos) {
  tensor<float, 2> rows({photos.size(), encoder.dimension()});
  std::vector<std::size_t> order(photos.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  tensor<std::uint8_t, 4> pixels({std::min(kEncodeBatch, order.size()), encoder.height(), encoder.width(), 3});
  photos.plan(order, kEncodeBatch);
  progress bar(session.options(), task, "photos", order.size());
  for (std::size_t first = 0; first < order.size(); first += kEncodeBatch) {
    session.check_stop("there is no result");
    const std::size_t count = std::min(kEncodeBatch, order.size() - first);
    photos.load(std::span(order).subspan(first, count), pixels.view().slice(0, count));
    encoder.encode(std::as_const(pixels).view().slice(0, count), rows.view().slice(first, count));
    bar.update(first + count);
  }
  bar.finish();
  return rows;
}

/// "untrained_network" as a person reads it.
std::string spaced(std::string name) {
  std::ranges::replace(name, '_', ' ');
  return name;
}

/// The model with nothing behind its encoder.
model_file code_alone(const model_file& model) {
  model_file code{.description = model.description, .state = model.state, .embedding = {}, .metadata = {}};
  code.description.embedding = {};
  code.embedding.parts.push_back({.raw = plan_network(code.description).feature_size, .mean = {}, .projection = {}});
  return code;
}

void add_networks(session& session, const photo_index& index, const std::vector<std::string>& paths,
                  std::span<const rgb_image> queries, std::vector<method_rows>& methods) {
  const model_file model = load_model(index.model_path());
  progress bar(session.options(), "decode", "photos", paths.size());
  opened_photos opened = open_photos(index.photos_root(), paths,
                                     {.loader = {.height = model.description.height,
                                                 .width = model.description.width,
                                                 .threads = session.threads(),
                                                 .limits = session.limits()},
                                      .memory_budget = machine_memory_bytes() / 8,
                                      .on_progress = [&](std::size_t done, std::size_t) {
                                        bar.update(done);
                                        session.check_stop("there is no result");
                                      }});
  bar.finish();
  if (opened.paths.size() != paths.size())
    throw io_error(index.photos_root(), "changes while its photos are read: evaluate it again when it is at rest");
  const auto add = [&](const std::string& name, const model_file& of) {
    const std::unique_ptr<encoder> encoder = session.device().open_encoder(of);
    if ((paths.size() + queries.size()) * encoder->dimension() * sizeof(float) > kFeatureBytes) {
      session.note("the baseline " + name + " is left out: its features take more than 1 GiB");
      return;
    }
    tensor<float, 2> gallery = encode_set(session, spaced(name), *encoder, opened.photos);
    methods.push_back({.name = name, .gallery = std::move(gallery), .queries = encode_images(*encoder, queries)});
  };
  add("untrained_network", session.device().untrained_model(model, opened.photos, session.options().seed));
  add("autoencoder_code", code_alone(model));
}

}  // namespace

baseline_rows make_baselines(session& session, const photo_index& index, std::span<const std::size_t> rows,
                             std::span<const rgb_image> queries, baseline_choice choice) {
  baseline_rows result;
  const std::vector<std::string> paths = paths_of(index, rows);
  result.pixel_side = raw_pixel_side(paths.size() + queries.size());
  simple_features features(session.device(), result.pixel_side);
  photo_loader loader(
      index.photos_root(), paths,
      {.height = kBaselineSide, .width = kBaselineSide, .threads = session.threads(), .limits = session.limits()});
  progress bar(session.options(), "baselines", "photos", paths.size());
  std::size_t done = 0;
  while (std::optional<photo_batch> batch = loader.next()) {
    session.check_stop("there is no result");
    features.add(std::as_const(batch->pixels).view());
    result.kept.insert(result.kept.end(), batch->rows.begin(), batch->rows.end());
    for (const skipped_file& file : batch->skipped) session.skip(file.path, file.reason);
    done += batch->rows.size() + batch->skipped.size();
    bar.update(done);
    loader.recycle(std::move(*batch));
  }
  bar.finish();
  if (result.kept.size() < 2)
    throw io_error(index.photos_root(), "fewer than two of the photos asked about can still be read there");
  for (const rgb_image& query : queries) {
    tensor<std::uint8_t, 4> pixels({1, kBaselineSide, kBaselineSide, 3});
    resize_bilinear(query.view(), {pixels.data(), {kBaselineSide, kBaselineSide, 3}});
    features.add(std::as_const(pixels).view());
  }
  result.methods = features.methods(result.kept.size());
  if (choice == baseline_choice::all) {
    std::vector<std::string> read;
    for (const std::size_t position : result.kept) read.push_back(paths[position]);
    add_networks(session, index, read, queries, result.methods);
  }
  return result;
}

}  // namespace imgsim::app
