// Whether results can be written where they are wanted, asked before the work that makes them.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "cli/session.hpp"

namespace imgsim::app {

/// What a command writes. A file that is there is replaced where it is, by its content, of the same kind.
enum class output_kind {
  picture,     // PNG
  page,        // made by report/html.hpp
  matrix,      // .npy
  neighbours,  // the sorted lists of imgsim neighbors --export
  model        // .safetensors
};

/// Makes the folders that are missing above `path`. Throws io_error where no file could be written there, where a file
/// of another kind, which is not empty, would be lost, or where the folder is an index. In a dry run nothing is made,
/// and the file is planned.
void prepare_output_file(session& session, const std::filesystem::path& path, output_kind kind);

/// Makes `folder` where it is missing. Throws io_error where no file could be written into it. In a dry run nothing is
/// made, and the files of those `names` in it are planned.
void prepare_output_folder(session& session, const std::filesystem::path& folder,
                           const std::vector<std::string>& names);

/// Throws io_error where `out` is `folder` or lies within it: among photos, the next scan would find what was written;
/// in an index, its own files would be overwritten. `what` names the folder in the message.
void refuse_output_within(const std::filesystem::path& out, const std::filesystem::path& folder, const char* what);

}  // namespace imgsim::app
