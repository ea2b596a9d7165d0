// Matches of one query, as text and JSON.
#pragma once

#include <cstddef>
#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include "cli/session.hpp"

#include <imgsim/embedding/photo_index.hpp>
#include <imgsim/search/top_n.hpp>

namespace imgsim::app {

struct match_list {
  std::string query;   // as typed, or the path of a row
  std::string metric;  // a name of metric/registry.hpp
  std::vector<match> matches;
  std::vector<double> probabilities = {};  // of the matches, where they are asked for
};

/// Matches of query `q` of a search.
[[nodiscard]] std::vector<match> matches_of(const top_n_result& found, std::size_t q);

/// The photos of one index nearest to queries [Q, D], by one metric.
using nearest_search = std::function<top_n_result(matrix_view<const float> queries, const top_n_options& options)>;

/// Compares each query with each photo, on the device. Session and index have to outlive it.
[[nodiscard]] nearest_search exact_search(session& session, const photo_index& index, const std::string& metric);

/// The nearest photos of row `row`, itself left out: the stored ones where they suffice, those that `search` (by the
/// same metric) finds otherwise. Throws io_error where the stored ones are damaged.
[[nodiscard]] std::vector<match> neighbours_of_row(const photo_index& index, std::size_t row, const std::string& metric,
                                                   std::size_t n, const nearest_search& search);

/// {"query", "metric", "matches": [{"rank", "row", "path", "similarity", and, where known, "probability"}...]}
[[nodiscard]] json to_json(const match_list& list, const photo_index& index);
/// A heading and a table.
void print(const session& session, std::ostream& out, const match_list& list, const photo_index& index);

/// `--metric cosine,euclidean` into names that exist, each once; throws usage_error.
[[nodiscard]] std::vector<std::string> parse_metrics(const std::string& text);
/// One metric; throws usage_error.
[[nodiscard]] std::string parse_metric(const std::string& text);
/// "cosine or euclidean"
[[nodiscard]] std::string metric_choices();
/// What a similarity is by each, for commands that print it.
inline constexpr const char* kSimilarityMeaning =
    "A similarity by cosine is from -1 to 1, by euclidean it is minus the distance: 0 at most. ";
/// Their names.
[[nodiscard]] std::vector<std::string> known_metrics();

}  // namespace imgsim::app
