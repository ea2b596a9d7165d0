#include "pipeline/drift.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "cli/text.hpp"
#include "pipeline/encode.hpp"
#include "pipeline/model_files.hpp"
#include "pipeline/photo_sample.hpp"

#include <imgsim/core/error.hpp>
#include <imgsim/report/number.hpp>

namespace imgsim::app {

std::optional<drift_reference> sample_for_drift(session& session, encoder& encoder, const std::filesystem::path& root,
                                                std::span<const std::string> paths, const std::string& consequence) {
  std::vector<std::string> drawn;
  const std::size_t wanted = drift_reference_photos(encoder.dimension());
  for (const std::size_t row : draw_rows(paths.size(), wanted, session.options().seed)) drawn.push_back(paths[row]);
  tensor<float, 2> rows({drawn.size(), encoder.dimension()});
  std::size_t read = 0;
  encode_files(
      session, encoder, root, drawn,
      {.store = [&](std::size_t,
                    std::span<const float> embedding) { std::ranges::copy(embedding, rows.view().row(read++)); },
       .skip = [](const skipped_file&) {},  // listed when it was trained on
       .consequence = consequence});
  if (read < kFewestDriftPhotos) return std::nullopt;
  return make_drift_reference(std::as_const(rows).view().slice(0, read));
}

std::optional<std::string> kept_for_drift(const model_file& model) {
  const auto found = model.metadata.find(kDriftKey);
  return found == model.metadata.end() ? std::nullopt : std::optional(found->second);
}

std::optional<drift_report> drift_of(const photo_index& index, const std::optional<std::string>& kept) {
  if (!kept || index.size() < kFewestDriftPhotos) return std::nullopt;
  try {
    return measure_drift(parse_drift_reference(*kept), index.embeddings());
  } catch (const invalid_argument& reason) {
    throw io_error(index.model_path(), reason.what());
  }
}

std::optional<drift_report> drift_of(const photo_index& index) {
  if (!index.manifest().files.contains(index_file::kModel) || index.size() < kFewestDriftPhotos) return std::nullopt;
  return drift_of(index, kept_for_drift(load_model(index.model_path())));
}

json to_json(const std::optional<drift_report>& report) {
  if (!report) return nullptr;
  return {{"told_apart", report->told_apart},
          {"chance", report->chance},
          {"photos", report->photos},
          {"drifted", report->drifted()}};
}

std::string drift_text(const drift_report& report) {
  return "a photo here is told from one that the model was trained on in " + fixed_text(100 * report.told_apart, 1) +
         " % of cases (50 %: by chance alone)";
}

}  // namespace imgsim::app
