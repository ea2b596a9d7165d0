#include "pipeline/match_list.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>

#include "cli/text.hpp"
#include "device/compute.hpp"

#include <imgsim/core/path_text.hpp>
#include <imgsim/metric/registry.hpp>
#include <imgsim/report/escape.hpp>
#include <imgsim/report/number.hpp>
#include <imgsim/report/table.hpp>

namespace imgsim::app {

std::vector<match> matches_of(const top_n_result& found, std::size_t q) {
  std::vector<match> matches;
  for (std::size_t rank = 0; rank < found.columns(); ++rank) matches.push_back(found.at(q, rank));
  return matches;
}

nearest_search exact_search(session& session, const photo_index& index, const std::string& metric) {
  return [&session, &index, metric](matrix_view<const float> queries, const top_n_options& options) {
    return session.device().top_n(index.embeddings(), queries, metric, options);
  };
}

std::vector<match> neighbours_of_row(const photo_index& index, std::size_t row, const std::string& metric,
                                     std::size_t n, const nearest_search& search) {
  const std::size_t wanted = std::min(n, index.size() - 1);
  const auto& note = index.manifest().neighbours;
  // Stored ones that would not do need not be sound.
  if (note && note->metric == metric && note->n >= wanted) {
    const stored_neighbours stored = index.neighbours().value();
    const std::span<const std::int64_t> rows = stored.rows_of(row);
    std::vector<match> matches;
    for (std::size_t rank = 0; rank < wanted; ++rank) matches.push_back({rows[rank], stored.similarity(row, rank)});
    return matches;
  }
  return matches_of(search(index.stored_embeddings().slice(row, 1),
                           {.n = n, .exclude_self = true, .first_row = row, .on_progress = {}}),
                    0);
}

namespace {

/// JSON has no NaN: the similarity to an embedding that is not finite, and what follows from it, is null.
json number_or_null(double value) {
  return std::isfinite(value) ? json(value) : json(nullptr);
}

}  // namespace

json to_json(const match_list& list, const photo_index& index) {
  json matches = json::array();
  for (std::size_t i = 0; i < list.matches.size(); ++i) {
    const match& m = list.matches[i];
    matches.push_back({{"rank", i + 1},
                       {"row", m.row},
                       {"path", path_to_text(index.photos()[static_cast<std::size_t>(m.row)].path)},
                       {"similarity", number_or_null(m.similarity)}});
    if (!list.probabilities.empty()) matches.back()["probability"] = number_or_null(list.probabilities[i]);
  }
  return {{"query", path_to_text(list.query)}, {"metric", list.metric}, {"matches", std::move(matches)}};
}

void print(const session& session, std::ostream& out, const match_list& list, const photo_index& index) {
  out << printable_utf8(list.query) << " (" << list.metric << ")\n";
  if (list.matches.empty()) {
    out << "no matches: the index holds no other photo\n";
    return;
  }
  text_table table{{{"rank", alignment::right}, {"similarity", alignment::right}}, {}};
  if (!list.probabilities.empty()) table.columns.push_back({"probability", alignment::right});
  table.columns.push_back({"row", alignment::right});
  table.columns.push_back({"path"});
  for (std::size_t i = 0; i < list.matches.size(); ++i) {
    const match& m = list.matches[i];
    std::vector<std::string> cells{std::to_string(i + 1), fixed_text(m.similarity, 4)};
    if (!list.probabilities.empty()) cells.push_back(probability_text(list.probabilities[i], 4));
    cells.push_back(std::to_string(m.row));
    cells.push_back(index.photos()[static_cast<std::size_t>(m.row)].path);
    table.add_row(std::move(cells));
  }
  out << session.text_of(table);
}

std::vector<std::string> known_metrics() {
  return {metric_names.begin(), metric_names.end()};
}

std::vector<std::string> parse_metrics(const std::string& text) {
  std::vector<std::string> metrics;
  for (const std::string& name : split_list(text)) {
    expect_choice(name, known_metrics());
    if (std::ranges::find(metrics, name) != metrics.end()) throw usage_error("names " + name + " twice");
    metrics.push_back(name);
  }
  return metrics;
}

std::string parse_metric(const std::string& text) {
  expect_choice(text, known_metrics());
  return text;
}

std::string metric_choices() {
  return any_of_text(known_metrics());
}

}  // namespace imgsim::app
