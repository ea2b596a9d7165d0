// Models and indexes opened with the device of the session.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "cli/session.hpp"
#include "device/compute.hpp"

#include <imgsim/embedding/index_writer.hpp>
#include <imgsim/embedding/photo_index.hpp>
#include <imgsim/model/model_file.hpp>

namespace imgsim::app {

/// load_model() that tells how to make one where there is none. Throws io_error.
[[nodiscard]] model_file read_model(const std::filesystem::path& model);

/// Throws io_error.
[[nodiscard]] std::unique_ptr<encoder> open_model(session& session, const std::filesystem::path& model);

/// The encoder of the model that the index holds. Throws io_error.
[[nodiscard]] std::unique_ptr<encoder> open_model_of(session& session, const photo_index& index);

/// Throws io_error where the index holds fewer than `least` photos.
[[nodiscard]] photo_index open_index(const std::filesystem::path& folder, std::size_t least = 1);

/// The paths of its photos, by row; of `rows` alone.
[[nodiscard]] std::vector<std::string> paths_of(const photo_index& index);
[[nodiscard]] std::vector<std::string> paths_of(const photo_index& index, std::span<const std::size_t> rows);

/// Throws io_error where nothing is there.
void expect_index_or_model(const std::filesystem::path& path);

/// Throws io_error where the folder that the photos of an index lie in is not there, or none of them. `without` ends
/// the sentence: what can be done without them.
void expect_photo_folder(const photo_index& index, const std::string& without = {});

/// A writer for an index that is there: its previous() is not null. Throws io_error.
[[nodiscard]] index_writer edit_index(const std::filesystem::path& folder);

/// The same, or null where the folder may not be written into (a read-only medium, a folder of someone else); `session`
/// then warns of it, with `consequence`. Throws io_error.
[[nodiscard]] std::unique_ptr<index_writer> edit_index_if_writable(const session& session,
                                                                   const std::filesystem::path& folder,
                                                                   const std::string& consequence);

/// In a dry run: plans the lock of the index, which its first writer makes and leaves there.
void plan_index_lock(session& session, const std::filesystem::path& folder);

/// In a dry run: plans the files of `index` of those `names` and its manifest. Where the index may not be written into,
/// warns of it with `consequence` instead and returns false; where that is null, throws io_error.
bool plan_index_files(session& session, const photo_index& index, const std::vector<std::string>& names,
                      const char* consequence);

}  // namespace imgsim::app
