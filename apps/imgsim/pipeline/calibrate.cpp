#include "pipeline/calibrate.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "cli/progress.hpp"
#include "pipeline/encode.hpp"
#include "pipeline/model_files.hpp"
#include "pipeline/open_model.hpp"
#include "pipeline/sampled_pictures.hpp"

#include <imgsim/metric/cosine.hpp>

namespace imgsim::app {

namespace {

constexpr std::size_t kViews = 4;  // of each photo

}  // namespace

std::optional<score_calibration> calibrate_scores(session& session, encoder& encoder, const std::filesystem::path& root,
                                                  std::span<const std::string> paths, const std::string& consequence) {
  const sampled_photos sample = read_sample(session, root, paths, kCalibrationPhotos, consequence);
  const std::size_t photos = sample.photos.size();
  if (photos < 2) return std::nullopt;
  std::array<photo_variant, kViews> kinds;
  kinds.fill(photo_variant::view);
  tensor<float, 2> photo_rows({photos, encoder.dimension()}), view_rows({photos * kViews, encoder.dimension()});
  progress bar(session.options(), "calibrate", "photos", photos);
  for (std::size_t begin = 0; begin < photos; begin += kEncodeBatch) {
    const std::span part = std::span(sample.photos).subspan(begin, std::min(kEncodeBatch, photos - begin));
    const std::vector<rgb_image> views = make_variants(session, part, kinds, consequence, begin);
    session.check_stop(consequence);
    std::ranges::copy(encode_images(encoder, part), photo_rows.view().row(begin));
    std::ranges::copy(encode_images(encoder, views), view_rows.view().row(begin * kViews));
    bar.update(begin + part.size());
  }
  bar.finish();
  tensor<float, 2> similarity({photos, photos * kViews});
  session.device().similarity_matrix(std::as_const(photo_rows).view(), std::as_const(view_rows).view(), cosine::name,
                                     similarity.view());
  std::vector<double> positives, negatives;
  for (std::size_t i = 0; i < photos; ++i) {
    for (std::size_t v = 0; v < photos * kViews; ++v) {
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
