// Retrieval quality of an index beside that of simple baselines on the same photos.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "cli/session.hpp"
#include "pipeline/baselines.hpp"
#include "pipeline/labels.hpp"

#include <imgsim/evaluate/bootstrap.hpp>
#include <imgsim/evaluate/retrieval.hpp>
#include <imgsim/report/html.hpp>

namespace imgsim::app {

/// A method with 95 % intervals of its means (evaluate/bootstrap.hpp), over queries that are the same for all methods.
struct judged_method {
  std::string name;
  retrieval_report report;
  interval precision, average_precision, recall;
};

struct evaluation {
  std::string metric;
  std::uint64_t seed = 0;  // of the intervals, and of the untrained network
  photo_labels labels;
  std::size_t pixel_side = 0;  // of the raw-pixel baseline; 0 without baselines
  double chance = 0;           // precision of a random answer
  judged_method model;
  std::vector<judged_method> baselines;  // cosine similarity throughout
};

/// Photos that can no longer be read are listed, skipped, and left out of every number. Throws io_error, cancelled.
[[nodiscard]] evaluation evaluate_index(session& session, const photo_index& index, const labelled_rows& labels,
                                        const std::string& metric, std::size_t n, baseline_choice baselines);

/// {"n", "precision_at_n", "map", "recall_at_n", and [low, high] as "precision_at_n_interval" and so on, ...,
/// "baselines": {name: {the same six}}, "by_label": {...}}
[[nodiscard]] json to_json(const evaluation& result);
/// Two tables: a row for the index, each baseline and chance; a row for each label.
[[nodiscard]] std::string to_text(const session& session, const evaluation& result);
/// A section with the first of them.
void add_evaluation(html_page& page, const evaluation& result);
/// A page with both.
[[nodiscard]] std::string to_page(const evaluation& result, const photo_index& index);

}  // namespace imgsim::app
