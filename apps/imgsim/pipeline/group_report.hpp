// A grouping in words, as JSON and as files.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "cli/session.hpp"
#include "pipeline/grouping.hpp"

#include <imgsim/core/file.hpp>
#include <imgsim/embedding/photo_index.hpp>

namespace imgsim::app {

/// k_groups.json: the grouping, and beside it "starts" (the best of which was kept), "lower_bound" (no K medoids cost
/// less), "least_k" (fewer groups cannot keep the distance) or "sample" ({"photos", "mean_distance", "lower_bound"}
/// within the sample that was compared), "weakest_member"
/// ({"row", "group", "distance"}) and "hardest_pair" ({"groups", "overlap"}), and "medoid_silhouette", as far as they
/// are known.
[[nodiscard]] json groups_document(const grouping_result& result);

/// "cost 300.63, at most 0.28 % above the best possible", or of samples "cost 801416, a mean distance of 0.8014 (0.7558
/// in a sample of 4,096 photos, no medoids of which have less than 0.7522)".
[[nodiscard]] std::string cost_text(const grouping_result& result);

/// "seed 0", or "seed 0, the best of 5 starts".
[[nodiscard]] std::string seed_text(const grouping_result& result);

/// What a person should know before trusting the groups: sentences without their full stop.
[[nodiscard]] std::vector<std::string> judgement_lines(const grouping_result& result);

/// k_groups.json, contact_sheet.png and report.html of a folder: written, and under their names after commit() alone,
/// so that a full disk does not leave one of these groups beside those of others.
class staged_group_files {
 public:
  /// Throws io_error.
  staged_group_files(const session& session, const photo_index& index, const grouping_result& result,
                     const std::filesystem::path& folder);
  /// Throws io_error.
  void commit();

 private:
  atomic_file groups_, sheet_, page_;
};

}  // namespace imgsim::app
