// K-medoids and the choice of K. Axes: n points, K, D, threads. FasterPAM does a fixed number of operations for each
// pair of points and pass, so "time/n^2" should not grow with n. Costs stand beside their bound: "gap" is the part of
// the cost that is not proved necessary. compare_clustering.py holds the same searches against other libraries.
#include <cstddef>

#include <benchmark/benchmark.h>

#include <imgsim/cluster/choose_k.hpp>
#include <imgsim/cluster/cost_bound.hpp>
#include <imgsim/cluster/gap_statistic.hpp>
#include <imgsim/cluster/k_means.hpp>
#include <imgsim/cluster/k_medoids.hpp>
#include <imgsim/cpu/cluster.hpp>
#include <imgsim/cpu/context.hpp>
#include <imgsim/cpu/search.hpp>
#include <imgsim/metric/cosine.hpp>
#include <imgsim/search/similarity.hpp>

#include "random_rows.hpp"

namespace {

constexpr std::size_t kColumns = 64;

imgsim::tensor<float, 2> distances_of(const imgsim::cpu_context& context, std::size_t size) {
  const auto points = imgsim_bench::random_rows(size, kColumns);
  imgsim::tensor<float, 2> distances({size, size});
  imgsim::distance_matrix(context, points.view(), imgsim::cosine{}, distances.view());
  return distances;
}

void per_pair(benchmark::State& state, std::size_t size) {
  state.counters["time/n^2"] = benchmark::Counter(
      static_cast<double>(size * size), benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

void k_medoids(benchmark::State& state) {
  const auto size = static_cast<std::size_t>(state.range(0));
  const imgsim::cpu_context context(static_cast<std::size_t>(state.range(2)));
  const auto distances = distances_of(context, size);
  imgsim::k_medoids_options options{.k = static_cast<std::size_t>(state.range(1))};
  double cost = 0;
  for (auto _ : state) {
    ++options.seed;
    cost = imgsim::k_medoids(context, distances.view(), options).cost;
  }
  state.counters["cost"] = cost;
  per_pair(state, size);
}
BENCHMARK(k_medoids)
    ->ArgNames({"n", "K", "threads"})
    ->ArgsProduct({{1000, 2000, 4738, 10000}, {5, 19, 100}, {1, 2}})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

/// From embeddings to groups: the table of distances, the search and the bound of its cost.
void k_medoids_of_embeddings(benchmark::State& state) {
  const auto size = static_cast<std::size_t>(state.range(0));
  const auto columns = static_cast<std::size_t>(state.range(2));
  const imgsim::cpu_context context(2);
  const auto points = imgsim_bench::random_rows(size, columns);
  imgsim::tensor<float, 2> distances({size, size});
  imgsim::k_medoids_result found;
  for (auto _ : state) {
    imgsim::distance_matrix(context, points.view(), imgsim::cosine{}, distances.view());
    found = imgsim::k_medoids(context, distances.view(), {.k = static_cast<std::size_t>(state.range(1))});
  }
  state.counters["cost"] = found.cost;
  state.counters["gap"] =
      imgsim::bound_cost(context, imgsim::resident_distances(distances.view()), found.medoids).gap();
  per_pair(state, size);
}
BENCHMARK(k_medoids_of_embeddings)
    ->ArgNames({"n", "K", "D"})
    ->ArgsProduct({{1000, 4738}, {5, 19, 100}, {16, 64, 1024}})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

void bound_cost(benchmark::State& state) {
  const auto size = static_cast<std::size_t>(state.range(0));
  const imgsim::cpu_context context(2);
  const auto distances = distances_of(context, size);
  const imgsim::resident_distances source(distances.view());
  const auto found = imgsim::k_medoids(context, source, {.k = static_cast<std::size_t>(state.range(1))});
  imgsim::cost_bound bound;
  for (auto _ : state) bound = imgsim::bound_cost(context, source, found.medoids, {.iterations = 100});
  state.counters["gap"] = bound.gap();
  per_pair(state, size);
}
BENCHMARK(bound_cost)
    ->ArgNames({"n", "K"})
    ->ArgsProduct({{1000, 4738}, {19, 100}})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

void gap_statistic(benchmark::State& state) {
  const auto size = static_cast<std::size_t>(state.range(0));
  const imgsim::cpu_context context(2);
  const auto points = imgsim_bench::random_rows(size, kColumns);
  for (auto _ : state) {
    auto found = imgsim::gap_statistic(context, points.view());
    benchmark::DoNotOptimize(found.p_value);
  }
  per_pair(state, size);
}
BENCHMARK(gap_statistic)->ArgNames({"n"})->Arg(256)->Arg(512)->Unit(benchmark::kMillisecond)->UseRealTime();

void choose_k(benchmark::State& state) {
  const auto size = static_cast<std::size_t>(state.range(0));
  const imgsim::cpu_context context(static_cast<std::size_t>(state.range(1)));
  const auto distances = distances_of(context, size);
  for (auto _ : state) {
    auto chosen = imgsim::choose_k(context, distances.view(), {.k_min = 2, .k_max = 100});
    benchmark::DoNotOptimize(chosen.recommended_k);
  }
  per_pair(state, size);
}
BENCHMARK(choose_k)
    ->ArgNames({"n", "threads"})
    ->ArgsProduct({{1000, 2000, 4738}, {2}})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

void k_means(benchmark::State& state) {
  const auto size = static_cast<std::size_t>(state.range(0));
  const imgsim::cpu_context context(2);
  const auto points = imgsim_bench::random_rows(size, kColumns);
  for (auto _ : state) {
    auto groups = imgsim::k_means(context, points.view(), {.k = static_cast<std::size_t>(state.range(1))});
    benchmark::DoNotOptimize(groups.inertia);
  }
}
BENCHMARK(k_means)
    ->ArgNames({"n", "K"})
    ->ArgsProduct({{4738, 100000}, {19, 100}})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

}  // namespace
