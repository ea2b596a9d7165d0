// Retrieval quality of an index beside that of simple baselines on the same photos.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/session.hpp"
#include "pipeline/labels.hpp"

#include <imgsim/evaluate/retrieval.hpp>
#include <imgsim/report/table.hpp>

namespace imgsim::app {

struct evaluation {
  std::string metric;
  photo_labels labels;
  std::size_t pixel_side = 0;  // of the raw-pixel baseline; 0 without baselines
  double chance = 0;           // precision of a random answer
  retrieval_report model;
  std::vector<std::pair<std::string, retrieval_report>> baselines;  // cosine similarity throughout
};

/// Photos that can no longer be read are listed, skipped, and left out of every number. Throws io_error, cancelled.
[[nodiscard]] evaluation evaluate_index(session& session, const photo_index& index, const labelled_rows& labels,
                                        const std::string& metric, std::size_t n, bool with_baselines);

/// {"n", "precision_at_n", "map", "recall_at_n", ..., "baselines": {name: {"precision_at_n", "map", "recall_at_n"}},
/// "by_label": {...}}
[[nodiscard]] json to_json(const evaluation& result);
/// A row for the index, each baseline and chance.
[[nodiscard]] text_table evaluation_table(const evaluation& result);
/// That table and one by label.
[[nodiscard]] std::string to_text(const evaluation& result);

}  // namespace imgsim::app
