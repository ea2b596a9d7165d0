// What the scores of a model say, from photos that are changed on purpose.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cli/session.hpp"
#include "device/compute.hpp"

#include <imgsim/core/tensor.hpp>
#include <imgsim/embedding/photo_index.hpp>
#include <imgsim/evaluate/score_calibration.hpp>
#include <imgsim/image/image.hpp>
#include <imgsim/image/photo_variants.hpp>
#include <imgsim/model/model_file.hpp>

namespace imgsim::app {

/// Photos that are changed, of a folder that has more.
inline constexpr std::size_t kCalibrationPhotos = 256;

/// What the metadata of a model calls its calibration.
inline constexpr const char* kCalibrationKey = "calibration";

/// Cosine similarities of photos and views of them (photo_variant::view) against those of photos and views of other
/// photos, all pairs of a sample. nullopt where fewer than two photos can be read. Throws cancelled, whose message ends
/// with `consequence`.
[[nodiscard]] std::optional<score_calibration> calibrate_scores(session& session, encoder& encoder,
                                                                const std::filesystem::path& root,
                                                                std::span<const std::string> paths,
                                                                const std::string& consequence);

/// The calibration that a model, read from `path`, was stored with; nullopt where it has none. Throws io_error where it
/// is damaged.
[[nodiscard]] std::optional<score_calibration> stored_calibration(const model_file& model,
                                                                  const std::filesystem::path& path);

/// That of the index's model, or, where it has none, one made from the photos of the index, which is noted. Throws
/// io_error where there are no photos to make one from.
[[nodiscard]] score_calibration calibration_of(session& session, const photo_index& index);

}  // namespace imgsim::app
