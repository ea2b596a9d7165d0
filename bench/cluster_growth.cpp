// How the time of clustering grows with n points, K groups and D numbers a point, against what the theory says. Points
// are standard normal, without groups that would help; a time is the least of several runs.
//
//   cluster_growth --out DIR [--threads 2] [--largest 8000]
//
// Writes growth_n.svg, growth_k.svg, growth_d.svg and growth.csv into DIR, and prints the exponents of the lines fitted
// to the logarithms. Theory: a pass of K-medoids is n^2, at most, whatever K is; choose-k is n^2; the distances are
// n^2 D; an iteration of k-means is n K D at most, less where bounds on the distances spare some.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <imgsim/cluster/choose_k.hpp>
#include <imgsim/cluster/k_means.hpp>
#include <imgsim/cluster/k_medoids.hpp>
#include <imgsim/core/file.hpp>
#include <imgsim/cpu/cluster.hpp>
#include <imgsim/cpu/context.hpp>
#include <imgsim/cpu/search.hpp>
#include <imgsim/metric/euclidean.hpp>
#include <imgsim/report/number.hpp>
#include <imgsim/report/svg_plot.hpp>
#include <imgsim/report/table.hpp>
#include <imgsim/search/similarity.hpp>

#include "random_rows.hpp"

namespace {

using imgsim::cpu_context;

constexpr std::size_t kRuns = 5;

struct size_of_task {
  std::size_t n = 4000, k = 20, d = 64;
};

/// Seconds of one unit of work: a pass, an iteration, a whole sweep.
using work_type = std::function<double(const cpu_context&, const size_of_task&)>;

template <class Work>
double seconds_of(Work&& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

imgsim::tensor<float, 2> distances_of(const cpu_context& context, const size_of_task& size) {
  const auto points = imgsim_bench::random_rows(size.n, size.d);
  imgsim::tensor<float, 2> distances({size.n, size.n});
  imgsim::distance_matrix(context, points.view(), imgsim::euclidean{}, distances.view());
  return distances;
}

double distances(const cpu_context& context, const size_of_task& size) {
  const auto points = imgsim_bench::random_rows(size.n, size.d);
  imgsim::tensor<float, 2> out({size.n, size.n});
  return seconds_of([&] { imgsim::distance_matrix(context, points.view(), imgsim::euclidean{}, out.view()); });
}

double k_medoids_pass(const cpu_context& context, const size_of_task& size) {
  const auto table = distances_of(context, size);
  imgsim::k_medoids_result found;
  const double seconds = seconds_of([&] { found = imgsim::k_medoids(context, table.view(), {.k = size.k}); });
  return seconds / static_cast<double>(found.passes);
}

double choose_k(const cpu_context& context, const size_of_task& size) {
  const auto table = distances_of(context, size);
  return seconds_of([&] { (void)imgsim::choose_k(context, table.view(), {.k_max = size.k}); });
}

double k_means_iteration(const cpu_context& context, const size_of_task& size) {
  const auto points = imgsim_bench::random_rows(size.n, size.d);
  imgsim::tensor<float, 2> start({size.k, size.d});
  std::copy_n(points.data(), start.size(), start.data());
  imgsim::centroid_searcher_for<cpu_context> search(context, points.view());
  imgsim::k_means_result found;
  const double seconds = seconds_of([&] {
    found = imgsim::detail::improve_centroids(search, points.view(), std::move(start),
                                              {.k = size.k, .max_iterations = 5}, 0);
  });
  return seconds / static_cast<double>(found.iterations);
}

struct measured {
  std::string name;
  work_type work;
  double theory = 0;  // the exponent
  std::vector<std::size_t> values;
  std::vector<double> x = {}, seconds = {};

  /// The slope of the straight line fitted to the logarithms of the last four sizes: theory is for large ones.
  [[nodiscard]] double exponent() const {
    double mean_x = 0, mean_y = 0, both = 0, square = 0;
    const std::size_t first = x.size() - std::min<std::size_t>(4, x.size());
    const auto count = static_cast<double>(x.size() - first);
    for (std::size_t i = first; i < x.size(); ++i) {
      mean_x += std::log(x[i]) / count;
      mean_y += std::log(seconds[i]) / count;
    }
    for (std::size_t i = first; i < x.size(); ++i) {
      both += (std::log(x[i]) - mean_x) * (std::log(seconds[i]) - mean_y);
      square += (std::log(x[i]) - mean_x) * (std::log(x[i]) - mean_x);
    }
    return both / square;
  }
};

struct axis {
  const char* letter;
  std::string label;
  std::size_t size_of_task::* member;
  std::vector<measured> lines;
};

void measure(const cpu_context& context, axis& along) {
  for (measured& line : along.lines) {
    for (const std::size_t value : line.values) {
      size_of_task size;
      size.*along.member = value;
      double least = std::numeric_limits<double>::infinity();
      for (std::size_t run = 0; run < kRuns; ++run) least = std::min(least, line.work(context, size));
      line.x.push_back(static_cast<double>(value));
      line.seconds.push_back(least);
    }
    std::printf("%s: time grows as %s^%.2f, theory %s^%g\n", line.name.c_str(), along.letter, line.exponent(),
                along.letter, line.theory);
    std::fflush(stdout);
  }
}

void write(const std::filesystem::path& folder, const axis& along, imgsim::text_table& table) {
  imgsim::line_plot plot{.title = "Time against " + along.label,
                         .x_label = along.label,
                         .y_label = "seconds",
                         .log_x = true,
                         .log_y = true};
  for (const measured& line : along.lines) {
    const std::string fitted = std::string(along.letter) + "^" + imgsim::fixed_text(line.exponent(), 2);
    plot.series.push_back({.name = line.name + ": " + fitted, .x = line.x, .y = line.seconds, .dots = true});
    for (std::size_t i = 0; i < line.x.size(); ++i)
      table.add_row({line.name, along.letter, imgsim::general_text(line.x[i], 8),
                     imgsim::general_text(line.seconds[i], 4), imgsim::fixed_text(line.exponent(), 2),
                     imgsim::general_text(line.theory, 3)});
  }
  imgsim::write_file(folder / ("growth_" + std::string(along.letter) + ".svg"), imgsim::render_svg(plot));
}

std::vector<std::size_t> doubled(std::size_t first, std::size_t last) {
  std::vector<std::size_t> values;
  for (; first <= last; first *= 2) values.push_back(first);
  return values;
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
    std::filesystem::create_directories(out);
    const cpu_context context(threads);
    const std::vector<std::size_t> n = doubled(500, largest), d = doubled(32, 2048);
    std::vector<axis> axes{
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
    imgsim::text_table table{{{"work"}, {"axis"}, {"value"}, {"seconds"}, {"exponent"}, {"theory"}}, {}};
    for (axis& along : axes) {
      measure(context, along);
      write(out, along, table);
    }
    imgsim::write_file(std::filesystem::path(out) / "growth.csv", imgsim::to_csv(table));
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "%s\n", failure.what());
    return 1;
  }
  return 0;
}
