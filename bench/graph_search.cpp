// Search by a graph of neighbours beside exact search, on rows around 1000 centres: recall and time, as lines of a
// table in Markdown. usage: graph_search [ROWS [COLUMNS [THREADS]]]
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include <imgsim/core/random.hpp>
#include <imgsim/core/tensor.hpp>
#include <imgsim/cpu/graph_search.hpp>
#include <imgsim/cpu/hnsw.hpp>
#include <imgsim/metric/cosine.hpp>
#include <imgsim/search/gallery.hpp>

#include "growth.hpp"
#include "random_rows.hpp"

namespace {

using namespace imgsim;

constexpr std::size_t kQueries = 1000;
constexpr std::size_t kWanted = 10;

/// Around centres: evenly spread rows have no near neighbours in many dimensions, photos have.
tensor<float, 2> clustered_rows(std::size_t count, std::size_t columns) {
  constexpr std::size_t kCentres = 1000;
  const tensor<float, 2> centres = imgsim_bench::random_rows(kCentres, columns, 1);
  tensor<float, 2> rows = imgsim_bench::random_rows(count, columns, 2);
  random_stream random(3);
  for (std::size_t row = 0; row < count; ++row) {
    const float* centre = centres.view().row(random.below(kCentres));
    for (std::size_t i = 0; i < columns; ++i) rows(row, i) = 0.6f * rows(row, i) + centre[i];
  }
  return rows;
}

template <class Search>
double milliseconds_each(std::size_t queries, Search&& search) {
  return 1000 * imgsim_bench::seconds_of(search) / static_cast<double>(queries);
}

}  // namespace

int main(int count, char** arguments) {
  const auto argument = [&](int at, std::size_t otherwise) {
    return count > at ? std::strtoull(arguments[at], nullptr, 10) : otherwise;
  };
  const cpu_context context(argument(3, 0));
  const tensor<float, 2> all = clustered_rows(argument(1, 100'000) + kQueries, argument(2, 128));
  const std::size_t size = all.extent(0) - kQueries;
  const matrix_view<const float> rows = all.view().slice(0, size), queries = all.view().slice(size, kQueries);
  neighbour_graph graph;
  const double built = imgsim_bench::seconds_of([&] { graph = build_hnsw_graph(context, rows, cosine{}); });
  std::printf("%zu x %zu, %zu threads; the graph is built in %.1f s and takes %.1f MB\n\n", size, rows.extent(1),
              context.threads(), built, 4e-6 * static_cast<double>(graph.links.size() + graph.layers.size()));

  const prepared_gallery gallery(context, rows);
  top_n_result exact;
  const double together =
      milliseconds_each(kQueries, [&] { exact = top_n(context, gallery, queries, cosine{}, {.n = kWanted}); });
  const auto one_by_one = [&](auto&& search) {
    return milliseconds_each(kQueries, [&] {
      for (std::size_t q = 0; q < kQueries; ++q) search(queries.slice(q, 1));
    });
  };
  const double alone = one_by_one(
      [&](const auto& query) { static_cast<void>(top_n(context, gallery, query, cosine{}, {.n = kWanted})); });
  std::printf("| search | recall of 10 | rows compared | ms a query, 1000 at once | one at a time |\n");
  std::printf("| --- | ---: | ---: | ---: | ---: |\n| exact | 1 | %zu | %.3f | %.3f |\n", size, together, alone);
  for (const std::size_t breadth : {16, 32, 64, 128, 256}) {
    const auto walk = [&](const auto& some) {
      return approximate_top_n(context, rows, graph.view(), some, cosine{}, {.n = kWanted}, breadth);
    };
    approximate_top_n_result walked;
    const double walks = milliseconds_each(kQueries, [&] { walked = walk(queries); });
    const double walk_alone = one_by_one([&](const auto& query) { static_cast<void>(walk(query)); });
    std::printf("| breadth %zu | %.4f | %.0f | %.3f | %.3f |\n", breadth, recall_of(walked.found, exact),
                static_cast<double>(walked.compared) / kQueries, walks, walk_alone);
  }
}
