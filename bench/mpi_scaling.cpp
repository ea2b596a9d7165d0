// Time, messages and memory of the MPI backend on as many ranks as mpirun starts, one thread a rank, beside the model
// of docs/scaling.md:
//
//   mpirun -n P mpi_scaling [--rows M] [--columns D] [--groups K] [--photos B]
//
// M rows and B photos a step in all (strong scaling); mpi_scaling.sh varies P, and M and B with it (weak scaling).
// Rank 0 prints a line of tab-separated values for each kind of work: the longest time of a rank, the most bytes that a
// rank sent, the most memory that a rank took beyond what it had, and what the model says of both. Rows are normal
// around 50 centres.
#include <mpi.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <imgsim/cluster/k_medoids.hpp>
#include <imgsim/core/random.hpp>
#include <imgsim/core/tensor.hpp>
#include <imgsim/cpu/network.hpp>
#include <imgsim/metric/cosine.hpp>
#include <imgsim/model/autoencoder.hpp>
#include <imgsim/model/presets.hpp>
#include <imgsim/mpi.hpp>
#include <imgsim/mpi/training.hpp>

#include "growth.hpp"
#include "random_rows.hpp"

namespace {

using namespace imgsim;

constexpr std::size_t kCentres = 50, kWanted = 10, kQueries = 100, kSteps = 5, kSide = 64;

struct sizes {
  std::size_t rows = 8000, columns = 256, groups = 50, photos = 32;
};

/// The most kilobytes of memory since it was asked to begin anew (getrusage knows but the most of all time).
std::size_t peak_kilobytes() {
  constexpr std::string_view kField = "VmHWM:";
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(kField)) return std::strtoull(line.c_str() + kField.size(), nullptr, 10);
  return 0;
}

/// What the model says, in bytes; negative where it says nothing.
struct expected {
  double sent = 0, memory = -1;
};

class bench {
 public:
  bench(const mpi_context& context, const sizes& all) : context_(context), all_(all) {}

  /// work() returns what the model says of it.
  void measure(const char* name, const std::function<expected()>& work) {
    const mpi::communicator& ranks = context_.ranks();
    MPI_Barrier(ranks.handle());
    std::ofstream("/proc/self/clear_refs") << "5";  // the peak begins anew
    const std::size_t before = peak_kilobytes();
    const mpi::message_volume volume = ranks.volume();
    expected model;
    double most[] = {imgsim_bench::seconds_of([&] { model = work(); }), 0, 0};
    most[1] = static_cast<double>((ranks.volume() - volume).sent);
    most[2] = 1024.0 * static_cast<double>(peak_kilobytes() - before);
    ranks.reduce(std::span<double>(most), MPI_MAX);
    if (ranks.rank() != 0) return;
    const double mib = 1 << 20;
    std::printf("%s\t%zu\t%zu\t%.3f\t%.3f\t%.3f\t%.1f\t%s\n", name, ranks.size(), all_.rows, most[0], most[1] / mib,
                model.sent / mib, most[2] / mib, model.memory < 0 ? "" : std::to_string(model.memory / mib).c_str());
    std::fflush(stdout);
  }

 private:
  const mpi_context& context_;
  const sizes& all_;
};

/// Rows [first, first + count) of all: those of one rank.
tensor<float, 2> rows_of(std::size_t first, std::size_t count, std::size_t columns) {
  const tensor<float, 2> centres = imgsim_bench::random_rows(kCentres, columns, 2);
  tensor<float, 2> rows({count, columns});
  for (std::size_t row = 0; row < count; ++row) {
    random_stream random(3, first + row);
    for (std::size_t i = 0; i < columns; ++i)
      rows(row, i) = centres((first + row) % kCentres, i) + static_cast<float>(random.normal());
  }
  return rows;
}

void search(bench& bench, const mpi_context& context, const sizes& all, const mpi::sharded_rows<float>& rows) {
  const auto ranks = static_cast<double>(context.ranks().size());
  const auto m = static_cast<double>(all.rows), d = static_cast<double>(all.columns);
  bench.measure("neighbours", [&] {
    (void)mpi::neighbors(rows, cosine{}, {.n = kWanted, .exclude_self = true});
    const double shard = m / ranks * d * sizeof(float);
    return expected{.sent = (m - m / ranks) * d * sizeof(float), .memory = (ranks > 1 ? 8 : 6) * shard};
  });
  const tensor<float, 2> queries = rows_of(0, kQueries, all.columns);
  bench.measure("100 queries", [&] {
    (void)mpi::top_n(rows, queries.view(), cosine{}, {.n = kWanted});
    return expected{.sent = ranks > 1 ? kQueries * kWanted * (sizeof(double) + sizeof(std::int64_t)) : 0.0};
  });
}

void grouping(bench& bench, const mpi_context& context, const sizes& all, const mpi::sharded_rows<float>& rows) {
  const auto ranks = static_cast<double>(context.ranks().size());
  const auto m = static_cast<double>(all.rows), d = static_cast<double>(all.columns),
             k = static_cast<double>(all.groups);
  std::optional<mpi::sharded_distances> distances;
  bench.measure("distances", [&] {
    distances.emplace(rows, cosine{});
    const double shard = m / ranks * d * sizeof(float);
    return expected{.sent = (m - m / ranks) * d * sizeof(float),
                    .memory = m * m / ranks * sizeof(float) + (ranks > 1 ? 2 * shard : 0)};
  });
  bench.measure("K-medoids", [&] {
    const k_medoids_result groups = k_medoids(context, *distances, {.k = all.groups, .seed = 1});
    return expected{.sent = ranks > 1 ? static_cast<double>(groups.passes) * m * k * sizeof(std::int64_t) : 0.0};
  });
}

void training(bench& bench, const mpi_context& context, const sizes& all) {
  const std::size_t ranks = context.ranks().size(), rank = context.ranks().rank();
  const std::size_t mine = (rank + 1) * all.photos / ranks - rank * all.photos / ranks;
  mpi::gradient_average average(context);
  autoencoder network(context.local(), preset("maxpool-16-8-4", {.size = kSide, .latent = {}}), precision::float32, 0,
                      average.policy());
  std::size_t parameters = 0;
  for (const auto& parameter : network.state()) parameters += parameter.values.size();
  const auto photos = imgsim_bench::random_photos(mine, kSide, 4 + rank);
  (void)network.train_step(photos.view(), {});
  bench.measure("5 training steps", [&] {
    for (std::size_t step = 0; step < kSteps; ++step) (void)network.train_step(photos.view(), {});
    return expected{.sent = ranks > 1 ? static_cast<double>(kSteps * parameters * sizeof(float)) : 0.0};
  });
}

sizes sizes_of(std::span<char*> words) {
  sizes all;
  for (std::size_t i = 1; i + 1 < words.size(); i += 2) {
    const std::string name = words[i];
    std::size_t* const target = name == "--rows"      ? &all.rows
                                : name == "--columns" ? &all.columns
                                : name == "--groups"  ? &all.groups
                                : name == "--photos"  ? &all.photos
                                                      : nullptr;
    if (target == nullptr) throw invalid_argument("there is no option " + name);
    *target = std::strtoull(words[i + 1], nullptr, 10);
  }
  return all;
}

}  // namespace

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  try {
    const sizes all = sizes_of(std::span(argv, static_cast<std::size_t>(argc)));
    const mpi_context context(MPI_COMM_WORLD);
    const std::size_t ranks = context.ranks().size(), rank = context.ranks().rank();
    const std::size_t first = rank * all.rows / ranks, last = (rank + 1) * all.rows / ranks;
    const tensor<float, 2> mine = rows_of(first, last - first, all.columns);
    const mpi::sharded_rows rows(context, mine.view());
    bench bench(context, all);
    search(bench, context, all, rows);
    grouping(bench, context, all, rows);
    training(bench, context, all);
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "mpi_scaling: %s\n", failure.what());
    MPI_Abort(MPI_COMM_WORLD, 1);
  }
  MPI_Finalize();
  return 0;
}
