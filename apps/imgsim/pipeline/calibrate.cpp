#include "pipeline/calibrate.hpp"

#include <array>
#include <cmath>
#include <utility>

#include "cli/progress.hpp"
#include "pipeline/encode.hpp"
#include "pipeline/model_files.hpp"
#include "pipeline/open_model.hpp"
#include "pipeline/photo_sample.hpp"

#include <imgsim/core/random.hpp>
#include <imgsim/core/thread_pool.hpp>
#include <imgsim/image/decode.hpp>
#include <imgsim/metric/cosine.hpp>

namespace imgsim::app {

namespace {

constexpr std::size_t kViews = 4;  // of each photo
constexpr std::uint64_t kVariantStreams = std::uint64_t{0xca1} << 48;

}  // namespace

sampled_photos read_sample(session& session, const std::filesystem::path& root, std::span<const std::string> paths,
                           std::size_t count) {
  const std::vector<std::size_t> chosen = draw_rows(paths.size(), count, session.options().seed);
  std::vector<rgb_image> read(chosen.size());
  session.device().host_pool().for_each(chosen.size(), [&](std::size_t i) {
    try {
      const rgb_image photo = read_image(root / paths[chosen[i]], session.limits());
      read[i] = shrunk_to(photo.view(), kVariedSide);
    } catch (const io_error&) {
      read[i] = {};  // whoever needs every photo says so; a sample does without
    }
  });
  sampled_photos sample;
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    if (read[i].pixels.empty()) continue;
    sample.positions.push_back(chosen[i]);
    sample.photos.push_back(std::move(read[i]));
  }
  return sample;
}

std::vector<rgb_image> make_variants(session& session, const sampled_photos& sample,
                                     std::span<const photo_variant> kinds) {
  std::vector<rgb_image> variants(sample.photos.size() * kinds.size());
  session.device().host_pool().for_each(variants.size(), [&](std::size_t v) {
    random_stream random(session.options().seed, kVariantStreams + v);
    const rgb_image& photo = sample.photos[v / kinds.size()];
    variants[v] = make_variant(photo.view(), kinds[v % kinds.size()], random);
  });
  return variants;
}

std::optional<score_calibration> calibrate_scores(session& session, encoder& encoder, const std::filesystem::path& root,
                                                  std::span<const std::string> paths, const std::string& consequence) {
  const sampled_photos sample = read_sample(session, root, paths, kCalibrationPhotos);
  session.check_stop(consequence);
  const std::size_t photos = sample.photos.size();
  if (photos < 2) return std::nullopt;
  std::array<photo_variant, kViews> kinds;
  kinds.fill(photo_variant::view);
  const std::vector<rgb_image> views = make_variants(session, sample, kinds);
  session.check_stop(consequence);
  const tensor<float, 2> photo_rows = encode_images(encoder, sample.photos);
  const tensor<float, 2> view_rows = encode_images(encoder, views);
  tensor<float, 2> similarity({photos, views.size()});
  session.device().similarity_matrix(photo_rows.view(), view_rows.view(), cosine::name, similarity.view());
  std::vector<double> positives, negatives;
  for (std::size_t i = 0; i < photos; ++i) {
    for (std::size_t v = 0; v < views.size(); ++v) {
      if (std::isfinite(similarity(i, v))) (v / kViews == i ? positives : negatives).push_back(similarity(i, v));
    }
  }
  if (positives.empty() || negatives.empty()) return std::nullopt;
  return fit_score_calibration(positives, negatives);
}

std::optional<score_calibration> stored_calibration(const model_file& model, const std::filesystem::path& path) {
  const auto found = model.metadata.find(kCalibrationKey);
  if (found == model.metadata.end()) return std::nullopt;
  try {
    return parse_score_calibration(found->second);
  } catch (const invalid_argument& reason) {
    throw io_error(path, reason.what());
  }
}

score_calibration calibration_of(session& session, const photo_index& index) {
  const std::filesystem::path path = index.model_path();
  const model_file model = load_model(path);
  if (std::optional<score_calibration> stored = stored_calibration(model, path)) return *std::move(stored);
  expect_photo_folder(index);
  session.note("the model holds no calibration of its scores; calibrating with photos of the index");
  const std::unique_ptr<encoder> encoder = session.device().open_encoder(model);
  std::optional<score_calibration> made =
      calibrate_scores(session, *encoder, index.photos_root(), paths_of(index), "there is no result");
  if (!made)
    throw io_error(index.photos_root(),
                   "fewer than two photos of the index can be read there to calibrate the scores with");
  return *std::move(made);
}

}  // namespace imgsim::app
