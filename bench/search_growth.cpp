// How the time of search grows with M rows of the gallery, D numbers a row, N matches and Q queries, against what the
// theory says. Rows are standard normal around 100 centres as far apart as the rows are from them; times are the least
// of several runs; a gallery is prepared once, outside of them.
//
//   search_growth --out DIR [--threads 2] [--largest 1000000] [--pairs 64000]
//
// Writes search_m.svg, search_d.svg, search_n.svg, search_q.svg and search.csv into DIR. Theory: a query is M D, all
// pairs M^2 D; N costs little beside either, and Q queries cost Q times the products, but one pass over the gallery.
// --largest bounds M of a single query, --pairs M of all pairs.
#include <cstddef>
#include <cstdio>
#include <exception>
#include <string>
#include <utility>
#include <vector>

#include <imgsim/core/tensor.hpp>
#include <imgsim/cpu/context.hpp>
#include <imgsim/cpu/search.hpp>
#include <imgsim/metric/cosine.hpp>
#include <imgsim/search/gallery.hpp>
#include <imgsim/search/top_n.hpp>

#include "growth.hpp"
#include "random_rows.hpp"

namespace {

using imgsim::cpu_context;
using imgsim_bench::axis;
using imgsim_bench::doubled;
using imgsim_bench::seconds_of;

constexpr std::size_t kRuns = 3;

struct size_of_task {
  std::size_t m = 16000, d = 256, n = 10, q = 1;
};

imgsim::tensor<float, 2> clustered_rows(const size_of_task& size) {
  constexpr std::size_t kCentres = 100;
  imgsim::tensor<float, 2> rows = imgsim_bench::random_rows(size.m, size.d);
  const imgsim::tensor<float, 2> centres = imgsim_bench::random_rows(kCentres, size.d, 2);
  for (std::size_t r = 0; r < size.m; ++r)
    for (std::size_t i = 0; i < size.d; ++i) rows(r, i) += centres(r % kCentres, i);
  return rows;
}

/// Q queries that are rows of the gallery.
double queries(const cpu_context& context, const size_of_task& size) {
  const auto rows = clustered_rows(size);
  const imgsim::prepared_gallery gallery(context, rows.view());
  const auto asked = rows.view().slice(0, size.q);
  const auto work = [&] { (void)imgsim::top_n(context, gallery, asked, imgsim::cosine{}, {.n = size.n}); };
  work();
  return seconds_of(work);
}

double prepare(const cpu_context& context, const size_of_task& size) {
  const auto rows = clustered_rows(size);
  return seconds_of([&] { const imgsim::prepared_gallery gallery(context, rows.view()); });
}

double all_pairs(const cpu_context& context, const size_of_task& size) {
  const auto rows = clustered_rows(size);
  return seconds_of([&] {
    (void)imgsim::top_n(context, rows.view(), rows.view(), imgsim::cosine{}, {.n = size.n, .exclude_self = true});
  });
}

}  // namespace

int main(int argc, char** argv) {
  std::string out;
  std::size_t threads = 2, largest = 1000000, pairs = 64000;
  try {
    for (int i = 1; i + 1 < argc; i += 2) {
      const std::string name = argv[i];
      if (name == "--out") out = argv[i + 1];
      if (name == "--threads") threads = std::stoul(argv[i + 1]);
      if (name == "--largest") largest = std::stoul(argv[i + 1]);
      if (name == "--pairs") pairs = std::stoul(argv[i + 1]);
    }
    if (out.empty()) {
      std::fputs("usage: search_growth --out DIR [--threads 2] [--largest 1000000] [--pairs 64000]\n", stderr);
      return 2;
    }
    std::vector<std::size_t> m = doubled(1000, largest);
    if (m.back() < largest) m.push_back(largest);
    std::vector<axis<size_of_task>> axes{
        {"m",
         "rows of the gallery",
         &size_of_task::m,
         {{"one query", queries, 1, m},
          {"preparing the gallery", prepare, 1, m},
          {"all pairs", all_pairs, 2, doubled(1000, pairs)}}},
        {"d",
         "numbers of a row",
         &size_of_task::d,
         {{"one query", queries, 1, doubled(32, 2048)}, {"all pairs", all_pairs, 1, doubled(32, 1024)}}},
        {"n",
         "matches",
         &size_of_task::n,
         {{"one query", queries, 0, doubled(1, 1024)}, {"all pairs", all_pairs, 0, doubled(1, 256)}}},
        {"q", "queries", &size_of_task::q, {{"queries", queries, 1, doubled(1, 1024)}}}};
    imgsim_bench::measure_growth(cpu_context(threads), out, "search", std::move(axes), kRuns);
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "%s\n", failure.what());
    return 1;
  }
  return 0;
}
