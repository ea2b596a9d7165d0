// How the time of clustering grows with n points, K groups and D numbers a point, against what the theory says. Points
// are standard normal, without groups that would help; a time is the least of several runs.
//
//   cluster_growth --out DIR [--threads 2] [--largest 8000]
//
// Writes growth_n.svg, growth_k.svg, growth_d.svg and growth.csv into DIR, and prints the exponents of the lines fitted
// to the logarithms. Theory: a pass of K-medoids is n^2, at most, whatever K is; choose-k is n^2; the distances are
// n^2 D; an iteration of k-means is n K D at most, less where bounds on the distances spare some.
#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <exception>
#include <string>
#include <utility>
#include <vector>

#include <imgsim/cluster/choose_k.hpp>
#include <imgsim/cluster/k_means.hpp>
#include <imgsim/cluster/k_medoids.hpp>
#include <imgsim/cpu/cluster.hpp>
#include <imgsim/cpu/context.hpp>
#include <imgsim/cpu/search.hpp>
#include <imgsim/metric/euclidean.hpp>
#include <imgsim/search/similarity.hpp>

#include "growth.hpp"
#include "random_rows.hpp"

namespace {

using imgsim::cpu_context;
using imgsim_bench::axis;
using imgsim_bench::doubled;
using imgsim_bench::outcome;
using imgsim_bench::seconds_of;

constexpr std::size_t kRuns = 5;

struct size_of_task {
  std::size_t n = 4000, k = 20, d = 64;
};

imgsim::tensor<float, 2> distances_of(const cpu_context& context, const size_of_task& size) {
  const auto points = imgsim_bench::random_rows(size.n, size.d);
  imgsim::tensor<float, 2> distances({size.n, size.n});
  imgsim::distance_matrix(context, points.view(), imgsim::euclidean{}, distances.view());
  return distances;
}

outcome distances(const cpu_context& context, const size_of_task& size) {
  const auto points = imgsim_bench::random_rows(size.n, size.d);
  imgsim::tensor<float, 2> out({size.n, size.n});
  return seconds_of([&] { imgsim::distance_matrix(context, points.view(), imgsim::euclidean{}, out.view()); });
}

outcome k_medoids_pass(const cpu_context& context, const size_of_task& size) {
  const auto table = distances_of(context, size);
  imgsim::k_medoids_result found;
  const double seconds = seconds_of([&] { found = imgsim::k_medoids(context, table.view(), {.k = size.k}); });
  return {seconds / static_cast<double>(found.passes), found.cost};
}

outcome choose_k(const cpu_context& context, const size_of_task& size) {
  const auto table = distances_of(context, size);
  imgsim::choose_k_result found;
  const double seconds = seconds_of([&] { found = imgsim::choose_k(context, table.view(), {.k_max = size.k}); });
  return {seconds, found.curve.back().cost};
}

outcome k_means_iteration(const cpu_context& context, const size_of_task& size) {
  const auto points = imgsim_bench::random_rows(size.n, size.d);
  imgsim::tensor<float, 2> start({size.k, size.d});
  std::copy_n(points.data(), start.size(), start.data());
  imgsim::centroid_searcher_for<cpu_context> search(context, points.view());
  imgsim::k_means_result found;
  const double seconds = seconds_of([&] {
    found = imgsim::detail::improve_centroids(search, points.view(), std::move(start),
                                              {.k = size.k, .max_iterations = 5}, 0);
  });
  return {seconds / static_cast<double>(found.iterations), found.inertia};
}

}  // namespace

int main(int argc, char** argv) {
  std::string out;
  std::size_t threads = 2, largest = 8000;
  try {
    for (int i = 1; i + 1 < argc; i += 2) {
      const std::string name = argv[i];
      if (name == "--out") out = argv[i + 1];
      if (name == "--threads") threads = std::stoul(argv[i + 1]);
      if (name == "--largest") largest = std::stoul(argv[i + 1]);
    }
    if (out.empty()) {
      std::fputs("usage: cluster_growth --out DIR [--threads 2] [--largest 8000]\n", stderr);
      return 2;
    }
    const cpu_context context(threads);
    const std::vector<std::size_t> n = doubled(500, largest), d = doubled(32, 2048);
    std::vector<axis<size_of_task>> axes{
        {"n",
         "points",
         &size_of_task::n,
         {{"distances", distances, 2, n},
          {"K-medoids, a pass", k_medoids_pass, 2, n},
          {"choose K, 2 to 20", choose_k, 2, n},
          {"k-means, an iteration", k_means_iteration, 1, n}}},
        // With many groups of few points, a pass of K-medoids has more swaps to make than to look for.
        {"k",
         "groups",
         &size_of_task::k,
         {{"K-medoids, a pass", k_medoids_pass, 0, doubled(4, 64)},
          {"k-means, an iteration", k_means_iteration, 1, doubled(64, 2048)}}},
        {"d",
         "numbers of a point",
         &size_of_task::d,
         {{"distances", distances, 1, d}, {"k-means, an iteration", k_means_iteration, 1, d}}}};
    imgsim_bench::measure_growth(context, out, "growth", std::move(axes), kRuns);
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "%s\n", failure.what());
    return 1;
  }
  return 0;
}
