// The journey of `imgsim demo`: train, index, query, choose K, group, evaluate, page.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>

#include "cli/session.hpp"

namespace imgsim::app {

struct demo_request {
  std::filesystem::path photos;
  std::filesystem::path out;  // receives model, index, groups and page
  std::optional<std::size_t> epochs;
};

struct demo_summary {
  std::filesystem::path page;
  std::size_t photos = 0;
  std::size_t groups = 0;
  double seconds = 0;
  std::optional<double> precision;      // @10, where the photos lie in folders that label them
  std::optional<double> best_baseline;  // its precision@10
};

/// In a dry run: plans the files of the demo on so many photos, those of the training included.
void plan_demo_files(session& session, const std::filesystem::path& out, std::size_t photos);
/// The same for photos that are there, which are read. Returns their number. Throws io_error.
[[nodiscard]] std::size_t plan_demo(session& session, const demo_request& request);

/// Throws io_error, error; cancelled on a stop, which keeps what was finished.
demo_summary run_demo(session& session, const demo_request& request);

}  // namespace imgsim::app
