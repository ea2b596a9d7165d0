// Models and indexes opened with the device of the session.
#pragma once

#include <filesystem>
#include <memory>

#include "cli/session.hpp"
#include "device/compute.hpp"

#include <imgsim/embedding/index_writer.hpp>
#include <imgsim/embedding/photo_index.hpp>

namespace imgsim::app {

/// Throws io_error.
[[nodiscard]] std::unique_ptr<encoder> open_model(session& session, const std::filesystem::path& model);

/// The encoder of the model that the index holds. Throws io_error.
[[nodiscard]] std::unique_ptr<encoder> open_model_of(session& session, const photo_index& index);

/// Throws io_error where the index holds fewer than `least` photos.
[[nodiscard]] photo_index open_index(const std::filesystem::path& folder, std::size_t least = 1);

/// A writer for an index that is there: its previous() is not null. Throws io_error.
[[nodiscard]] index_writer edit_index(const std::filesystem::path& folder);

}  // namespace imgsim::app
