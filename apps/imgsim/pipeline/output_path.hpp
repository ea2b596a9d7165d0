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
  plot,        // SVG made by report/svg_plot.hpp
  matrix,      // .npy
  neighbours,  // the sorted lists of imgsim neighbors --export
  groups,      // k_groups.json
  choice,      // of K: choose_k.json
  choices,     // choose_k.csv
  history,     // of a training: history.csv
  model        // .safetensors
};

struct output_file {
  const char* name;
  output_kind kind;
};

/// Makes the folders that are missing above `path`; a run that leaves them empty removes them. Throws io_error where no
/// file could be written there, where a file of another kind, which is not empty, would be lost, or where it lies
/// within an index. In a dry run nothing is made, and the file is planned.
void prepare_output_file(session& session, const std::filesystem::path& path, output_kind kind);

/// Makes `folder` where it is missing. Throws io_error where no file could be written into it. In a dry run nothing is
/// made, and the files of those `names` in it are planned. A file named `aside` does not keep a new folder, see
/// new_folders::make().
void prepare_output_folder(session& session, const std::filesystem::path& folder, const std::vector<std::string>& names,
                           const std::string& aside = {});

/// The same for a folder of results. Throws io_error, too, where a file of another kind would be lost, where the folder
/// is an index or lies within one, or among the photos, or where another process writes into it; the session keeps
/// others out from now on.
void prepare_result_folder(session& session, const std::filesystem::path& folder,
                           const std::filesystem::path& photos_root, const std::vector<output_file>& files);

/// Throws io_error where `path` is an index or lies within one: its own files would be overwritten.
void refuse_within_index(const std::filesystem::path& path);

/// Throws io_error where `out` is the folder of the photos or lies within it: the next scan would find what was
/// written.
void refuse_output_among_photos(const std::filesystem::path& out, const std::filesystem::path& photos_root);

}  // namespace imgsim::app
