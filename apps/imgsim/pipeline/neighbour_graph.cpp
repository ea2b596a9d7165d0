#include "pipeline/neighbour_graph.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

#include "cli/progress.hpp"
#include "cli/text.hpp"
#include "device/compute.hpp"
#include "pipeline/gather_rows.hpp"
#include "pipeline/photo_sample.hpp"

#include <imgsim/cpu/graph_search.hpp>
#include <imgsim/metric/registry.hpp>
#include <imgsim/report/number.hpp>

#ifdef IMGSIM_WITH_HNSW
#include <imgsim/cpu/hnsw.hpp>
#endif

namespace imgsim::app {

namespace {

neighbour_graph build_graph([[maybe_unused]] session& session, [[maybe_unused]] const photo_index& index,
                            [[maybe_unused]] const graph_request& request) {
#ifdef IMGSIM_WITH_HNSW
  const cpu_context context(session.options().deterministic ? 1 : session.threads());
  progress bar(session.options(), "graph", "photos", index.size());
  hnsw_options options{.links = request.links, .candidates = request.candidates, .seed = session.options().seed};
  options.on_progress = [&](std::size_t done, std::size_t) { bar.update(done); };
  options.stop = session.stop();
  neighbour_graph graph = visit_metric(
      request.metric, [&](auto metric) { return build_hnsw_graph(context, index.embeddings(), metric, options); });
  bar.finish();
  return graph;
#else
  throw error("this imgsim was built without hnswlib and makes no graphs (it uses those of others)");
#endif
}

/// Without the row itself, which is in the answer to each query; where it is not, without the last.
top_n_result others_of(const top_n_result& found, std::span<const std::size_t> rows) {
  const std::size_t columns = found.columns() - 1;
  top_n_result others{tensor<std::int64_t, 2>({rows.size(), columns}), tensor<float, 2>({rows.size(), columns})};
  for (std::size_t q = 0; q < rows.size(); ++q)
    for (std::size_t rank = 0, at = 0; at < columns; ++rank) {
      if (found.rows(q, rank) == static_cast<std::int64_t>(rows[q])) continue;
      others.rows(q, at) = found.rows(q, rank);
      others.similarity(q, at++) = found.similarity(q, rank);
    }
  return others;
}

approximate_top_n_result walk(const cpu_context& context, matrix_view<const float> rows,
                              const neighbour_graph_view& graph, matrix_view<const float> queries,
                              const std::string& metric, const top_n_options& options, std::size_t breadth) {
  return visit_metric(metric,
                      [&](auto m) { return approximate_top_n(context, rows, graph, queries, m, options, breadth); });
}

stored_graph expect_graph(const photo_index& index, const std::string& metric) {
  std::optional<stored_graph> graph = index.graph();
  const std::string make = "make one with: imgsim graph --index " + shell_word(index.folder().string()) +
                           (metric == metric_names.front() ? "" : " --metric " + metric);
  if (!graph) throw usage_error("--approximate needs a graph of neighbours, which the index does not hold; " + make);
  if (graph->note.metric != metric)
    throw usage_error("--approximate needs a graph for " + metric + ", and that of the index is for " +
                      graph->note.metric + "; " + make);
  return *std::move(graph);
}

}  // namespace

graph_result make_graph(session& session, const photo_index& index, const graph_request& request) {
  using clock = std::chrono::steady_clock;
  graph_result result{.graph = build_graph(session, index, request), .trials = {}};
  const std::vector<std::size_t> rows = draw_rows(index.size(), kTriedPhotos, session.options().seed);
  result.tried = rows.size();
  const tensor<float, 2> queries = gather_rows(index.embeddings(), rows);
  const auto seconds_each = [&](clock::time_point begin) {
    return std::chrono::duration<double>(clock::now() - begin).count() / static_cast<double>(rows.size());
  };
  const top_n_options options{.n = kRecalledNeighbours + 1, .exclude_self = false, .first_row = 0, .on_progress = {}};
  const clock::time_point begin = clock::now();
  const top_n_result found = session.device().top_n(index.embeddings(), queries.view(), request.metric, options);
  result.exact_seconds = seconds_each(begin);
  const top_n_result exact = others_of(found, rows);
  const cpu_context context(session.threads());
  for (const std::size_t breadth : {16, 32, 64, 128, 256, 512}) {
    session.check_stop("the index is unchanged");
    const clock::time_point start = clock::now();
    const approximate_top_n_result walked =
        walk(context, index.embeddings(), result.graph.view(), queries.view(), request.metric, options, breadth);
    result.trials.push_back({.breadth = breadth,
                             .recall = recall_of(others_of(walked.found, rows), exact),
                             .compared = static_cast<double>(walked.compared) / static_cast<double>(rows.size()),
                             .seconds = seconds_each(start)});
    if (result.trials.back().recall >= request.recall) break;
  }
  return result;
}

nearest_search approximate_search(const session& session, const photo_index& index, const std::string& metric,
                                  std::optional<std::size_t> breadth) {
  struct walker {
    cpu_context context;
    stored_graph graph;
  };
  const auto kept = std::make_shared<const walker>(cpu_context(session.threads()), expect_graph(index, metric));
  return [&index, metric, kept, breadth = breadth.value_or(kept->graph.note.breadth)](matrix_view<const float> queries,
                                                                                      const top_n_options& options) {
    try {
      const neighbour_graph_view graph{kept->graph.links, kept->graph.layers};
      return walk(kept->context, index.stored_embeddings(), graph, queries, metric, options, breadth).found;
    } catch (const invalid_argument& fault) {
      throw io_error(
          index.folder() / index_file::kGraphLinks,
          std::string(fault.what()) + "; " + imgsim::detail::repair_of(index_file::kGraphLinks, index.folder()));
    }
  };
}

}  // namespace imgsim::app
