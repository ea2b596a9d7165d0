// Whether the photos of an index are of the kind that its model was trained on.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>

#include "cli/session.hpp"
#include "device/compute.hpp"

#include <imgsim/embedding/drift.hpp>
#include <imgsim/embedding/photo_index.hpp>
#include <imgsim/model/model_file.hpp>

namespace imgsim::app {

/// What the metadata of a model calls the embeddings that drift is told by.
inline constexpr const char* kDriftKey = "drift";

/// Embeddings of some of `paths`, encoded as an index encodes them; nullopt where too few can be read. Throws
/// cancelled, whose message ends with `consequence`.
[[nodiscard]] std::optional<drift_reference> sample_for_drift(session& session, encoder& encoder,
                                                              const std::filesystem::path& root,
                                                              std::span<const std::string> paths,
                                                              const std::string& consequence);

/// What a model keeps of the photos that it was trained on, as text; nullopt for those of before.
[[nodiscard]] std::optional<std::string> kept_for_drift(const model_file& model);

/// The drift of an index from the photos of its model, by what that has `kept`; nullopt where that is nothing or there
/// are too few photos. Throws io_error where the model or the embeddings are damaged.
[[nodiscard]] std::optional<drift_report> drift_of(const photo_index& index, const std::optional<std::string>& kept);
/// The same, which reads the model.
[[nodiscard]] std::optional<drift_report> drift_of(const photo_index& index);

/// {"told_apart", "chance", "photos", "drifted"}, or null.
[[nodiscard]] json to_json(const std::optional<drift_report>& report);

/// "a photo here is told from one that the model was trained on in 97.3 % of cases (50 %: by chance)".
[[nodiscard]] std::string drift_text(const drift_report& report);

}  // namespace imgsim::app
