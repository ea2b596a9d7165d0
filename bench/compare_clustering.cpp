// Groups from given starts, for compare_clustering.py, which holds them against other libraries:
//
//   compare_clustering k-medoids DISTANCES.npy STARTS.npy THREADS      float32 [M, M], int64 [R, K] rows
//   compare_clustering build DISTANCES.npy K THREADS                   BUILD, then swaps
//   compare_clustering k-means POINTS.npy CENTROIDS.npy THREADS K      float32 [M, D], float32 [R * K, D]
//   compare_clustering seeds EMBEDDINGS.npy K THREADS COUNT            float32 [M, D], cosine; seeds 0 to COUNT - 1
//   compare_clustering choose-k EMBEDDINGS.npy KMAX THREADS            K from 2, cosine, the distances included
//   compare_clustering silhouettes EMBEDDINGS.npy KMAX THREADS         DynMSC, K from 2, cosine, the distances included
//
// Prints a line for each start: cost, seconds; for choose-k the recommended K and for silhouettes the best in place of
// the cost.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <imgsim/cluster/choose_k.hpp>
#include <imgsim/cluster/embedding_distances.hpp>
#include <imgsim/cluster/k_means.hpp>
#include <imgsim/cluster/k_medoids.hpp>
#include <imgsim/cluster/silhouette_medoids.hpp>
#include <imgsim/cpu/cluster.hpp>
#include <imgsim/cpu/context.hpp>
#include <imgsim/cpu/search.hpp>
#include <imgsim/embedding/npy.hpp>
#include <imgsim/metric/cosine.hpp>
#include <imgsim/search/similarity.hpp>

namespace {

using imgsim::cpu_context;

template <class Work>
void time_and_print(Work&& work) {
  const auto begin = std::chrono::steady_clock::now();
  const double cost = work();
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  std::printf("%.17g %.6f\n", cost, seconds.count());
}

/// Like the peers, the clock includes the look at the distances that a search begins with.
void swap_from_starts(const cpu_context& context, const char* distance_file, const char* start_file) {
  const imgsim::mapped_npy<float> distances(distance_file);
  const imgsim::mapped_npy<std::int64_t> starts(start_file);
  for (std::size_t start = 0; start < starts.view().extent(0); ++start)
    time_and_print([&] {
      const std::int64_t* rows = starts.view().row(start);
      const std::size_t k = starts.view().extent(1);
      return imgsim::k_medoids(context, distances.view(),
                               {.k = k,
                                .restarts = 0,
                                .known_medoids = {rows, rows + k},
                                .max_passes = std::numeric_limits<std::size_t>::max()})
          .cost;
    });
}

void swap_from_build(const cpu_context& context, const char* distance_file, std::size_t k) {
  const imgsim::mapped_npy<float> distances(distance_file);
  time_and_print([&] {
    return imgsim::k_medoids(context, distances.view(),
                             {.k = k, .initialisation = imgsim::medoid_initialisation::build})
        .cost;
  });
}

void lloyd_from_starts(const cpu_context& context, const char* point_file, const char* start_file, std::size_t k) {
  const imgsim::mapped_npy<float> points(point_file);
  const imgsim::mapped_npy<float> starts(start_file);
  for (std::size_t first = 0; first < starts.view().extent(0); first += k)
    time_and_print([&] {
      imgsim::centroid_searcher_for<cpu_context> search(context, points.view());
      imgsim::tensor<float, 2> centroids({k, points.view().extent(1)});
      for (std::size_t c = 0; c < k; ++c)
        std::copy_n(starts.view().row(first + c), centroids.extent(1), centroids.view().row(c));
      return imgsim::detail::improve_centroids(search, points.view(), std::move(centroids),
                                               {.k = k, .max_iterations = 1000}, 0)
          .inertia;
    });
}

imgsim::tensor<float, 2> cosine_distances(const cpu_context& context, const imgsim::mapped_npy<float>& points) {
  const std::size_t size = points.view().extent(0);
  imgsim::tensor<float, 2> distances({size, size});
  imgsim::distance_matrix(context, points.view(), imgsim::cosine{}, distances.view());
  return distances;
}

void group_from_seeds(const cpu_context& context, const char* point_file, std::size_t k, std::uint64_t count) {
  const imgsim::mapped_npy<float> points(point_file);
  const imgsim::tensor<float, 2> distances = cosine_distances(context, points);
  for (std::uint64_t seed = 0; seed < count; ++seed)
    time_and_print([&] { return imgsim::k_medoids(context, distances.view(), {.k = k, .seed = seed}).cost; });
}

void sweep(const cpu_context& context, const char* point_file, std::size_t k_max, bool by_silhouette) {
  const imgsim::mapped_npy<float> points(point_file);
  time_and_print([&] {
    const imgsim::tensor<float, 2> distances = cosine_distances(context, points);
    const imgsim::resident_distances source(distances.view(), imgsim::distance_bound(points.view(), imgsim::cosine{}));
    if (!by_silhouette)
      return static_cast<double>(imgsim::choose_k(context, source, points.view(), {.k_max = k_max}).recommended_k);
    const auto curve = imgsim::silhouette_medoids(context, source, {.k_max = k_max});
    return static_cast<double>(std::ranges::max_element(curve, {}, &imgsim::silhouette_choice::medoid_silhouette)->k);
  });
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv, argv + argc);
  try {
    if (words.size() == 5 && words[1] == "k-medoids") {
      swap_from_starts(cpu_context(std::stoul(words[4])), argv[2], argv[3]);
    } else if (words.size() == 5 && words[1] == "build") {
      swap_from_build(cpu_context(std::stoul(words[4])), argv[2], std::stoul(words[3]));
    } else if (words.size() == 6 && words[1] == "k-means") {
      lloyd_from_starts(cpu_context(std::stoul(words[4])), argv[2], argv[3], std::stoul(words[5]));
    } else if (words.size() == 6 && words[1] == "seeds") {
      group_from_seeds(cpu_context(std::stoul(words[4])), argv[2], std::stoul(words[3]), std::stoul(words[5]));
    } else if (words.size() == 5 && (words[1] == "choose-k" || words[1] == "silhouettes")) {
      sweep(cpu_context(std::stoul(words[4])), argv[2], std::stoul(words[3]), words[1] == "silhouettes");
    } else {
      std::fputs("usage: see compare_clustering.py\n", stderr);
      return 2;
    }
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "%s\n", failure.what());
    return 1;
  }
  return 0;
}
