// Whether results can be written where they are wanted, asked before the work that makes them.
#pragma once

#include <filesystem>

namespace imgsim::app {

enum class output_kind { png, other };

/// Makes the folders that are missing above `path`. Throws io_error where no file could be written there, where the
/// file that is there is a photo (a PNG goes where a PNG is written), or where the folder is an index.
void prepare_output_file(const std::filesystem::path& path, output_kind kind = output_kind::other);

/// Makes `folder` where it is missing. Throws io_error where no file could be written into it.
void prepare_output_folder(const std::filesystem::path& folder);

/// Throws io_error where `out` is `folder` or lies within it: among photos, the next scan would find what was written;
/// in an index, its own files would be overwritten. `what` names the folder in the message.
void refuse_output_within(const std::filesystem::path& out, const std::filesystem::path& folder, const char* what);

}  // namespace imgsim::app
