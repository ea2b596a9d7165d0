// Top-N search. Axes: M gallery rows, D columns, threads. "ceiling" is what one pass must do at the least: reading the
// gallery once for a single query (bytes), the products of all pairs (operations).
#include <cstddef>

#include <benchmark/benchmark.h>

#include <imgsim/cpu/context.hpp>
#include <imgsim/cpu/search.hpp>
#include <imgsim/metric/cosine.hpp>
#include <imgsim/search/similarity.hpp>
#include <imgsim/search/top_n.hpp>

#include "random_rows.hpp"

namespace {

using imgsim_bench::random_rows;

std::size_t range(const benchmark::State& state, std::size_t axis) {
  return static_cast<std::size_t>(state.range(axis));
}

void one_query(benchmark::State& state) {
  const std::size_t rows = range(state, 0), columns = range(state, 1);
  const imgsim::cpu_context context(range(state, 2));
  const auto gallery = random_rows(rows, columns);
  const auto query = random_rows(1, columns, 2);
  for (auto _ : state) {
    auto found = imgsim::top_n(context, gallery.view(), query.view(), imgsim::cosine{}, {.n = 10});
    benchmark::DoNotOptimize(found.rows.data());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(gallery.size() * sizeof(float)));
}
BENCHMARK(one_query)
    ->ArgNames({"M", "D", "threads"})
    ->ArgsProduct({{4738, 100000}, {256, 4096}, {1, 2}})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

void all_pairs(benchmark::State& state) {
  const std::size_t rows = range(state, 0), columns = range(state, 1);
  const imgsim::cpu_context context(range(state, 2));
  const auto gallery = random_rows(rows, columns);
  for (auto _ : state) {
    auto found =
        imgsim::top_n(context, gallery.view(), gallery.view(), imgsim::cosine{}, {.n = 100, .exclude_self = true});
    benchmark::DoNotOptimize(found.rows.data());
  }
  state.counters["flop/s"] = benchmark::Counter(2.0 * static_cast<double>(rows * rows * columns),
                                                benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(all_pairs)
    ->ArgNames({"M", "D", "threads"})
    ->ArgsProduct({{1000, 4738, 10000}, {64, 256, 4096}, {2}})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

void distances(benchmark::State& state) {
  const std::size_t rows = range(state, 0), columns = range(state, 1);
  const imgsim::cpu_context context(range(state, 2));
  const auto points = random_rows(rows, columns);
  imgsim::tensor<float, 2> out({rows, rows});
  for (auto _ : state) imgsim::distance_matrix(context, points.view(), imgsim::cosine{}, out.view());
  state.counters["flop/s"] =
      benchmark::Counter(static_cast<double>(rows * rows * columns), benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(distances)
    ->ArgNames({"M", "D", "threads"})
    ->ArgsProduct({{4738}, {256, 4096}, {2}})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

}  // namespace
