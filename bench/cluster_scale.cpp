// Points that cannot be compared with one another: K-medoids from samples and mini-batch k-means over embeddings, with
// the time and the memory that they take. The points are normal around 1000 centres.
//
//   cluster_scale [--points 1000000] [--dimension 256] [--groups 100] [--threads 2] [--method k-medoids|k-means]
//
// Without --method, both. Prints what the process held at the most (peak resident memory), the points included.
#include <sys/resource.h>

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>

#include <imgsim/cluster/embedding_distances.hpp>
#include <imgsim/cluster/k_means.hpp>
#include <imgsim/cluster/sampled_k_medoids.hpp>
#include <imgsim/core/random.hpp>
#include <imgsim/core/tensor.hpp>
#include <imgsim/cpu/cluster.hpp>
#include <imgsim/cpu/context.hpp>
#include <imgsim/metric/cosine.hpp>

namespace {

using imgsim::cpu_context;

struct task {
  std::size_t points = 1'000'000, dimension = 256, groups = 100, threads = 2;
  std::string method = {};
};

imgsim::tensor<float, 2> make_points(const cpu_context& context, const task& wanted) {
  constexpr std::size_t kCentres = 1000;
  imgsim::tensor<float, 2> points({wanted.points, wanted.dimension}), centres({kCentres, wanted.dimension});
  imgsim::random_stream random(1);
  for (float& value : centres) value = static_cast<float>(random.normal());
  context.parallel_for(wanted.points, [&](std::size_t row) {
    imgsim::random_stream own(2, row);
    const float* centre = centres.view().row(own.below(kCentres));
    float* point = points.view().row(row);
    for (std::size_t i = 0; i < wanted.dimension; ++i) point[i] = centre[i] + static_cast<float>(own.normal());
  });
  return points;
}

double peak_gib() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / (1 << 20);
}

template <class Work>
void measure(const char* name, Work&& work) {
  const auto begin = std::chrono::steady_clock::now();
  const double cost = work();
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  std::printf("%s: cost %.8g, %.1f s, peak %.2f GiB\n", name, cost, seconds.count(), peak_gib());
  std::fflush(stdout);
}

void group_around_medoids(const cpu_context& context, imgsim::matrix_view<const float> points, std::size_t k) {
  imgsim::sampled_k_medoids_result found;
  measure("k-medoids of samples", [&] {
    found = imgsim::sampled_k_medoids(context, imgsim::embedding_distances(points, imgsim::cosine{}), {.k = k});
    return found.groups.cost;
  });
  std::printf("  before the swaps over all points %.8g, %zu swaps; mean in the sample %.6g, bound there %.6g\n",
              found.sampled_cost, found.groups.swaps, found.sample_mean, found.sample_bound);
}

void group_by_k_means(const cpu_context& context, imgsim::matrix_view<const float> points, std::size_t k) {
  measure("k-means, mini-batches", [&] {
    return imgsim::k_means(context, points,
                           {.k = k, .max_iterations = 10, .batch = 10 * 1024, .batches = 200, .spherical = true})
        .inertia;
  });
}

task parse(int argc, char** argv) {
  task wanted;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    if (name == "--method") {
      wanted.method = argv[i + 1];
    } else {
      std::size_t& value = name == "--points"      ? wanted.points
                           : name == "--dimension" ? wanted.dimension
                           : name == "--groups"    ? wanted.groups
                           : name == "--threads"   ? wanted.threads
                                                   : throw std::invalid_argument(name + ": no such option");
      value = std::stoul(argv[i + 1]);
    }
  }
  return wanted;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const task wanted = parse(argc, argv);
    const cpu_context context(wanted.threads);
    const imgsim::tensor<float, 2> points = make_points(context, wanted);
    std::printf("%zu points of %zu numbers, K = %zu, %zu threads: %.2f GiB\n", wanted.points, wanted.dimension,
                wanted.groups, wanted.threads, peak_gib());
    std::fflush(stdout);
    if (wanted.method != "k-means") group_around_medoids(context, points.view(), wanted.groups);
    if (wanted.method != "k-medoids") group_by_k_means(context, points.view(), wanted.groups);
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "%s\n", failure.what());
    return 1;
  }
  return 0;
}
