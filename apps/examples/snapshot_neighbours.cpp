// Nearest neighbours of simulation snapshots, in the simulation's own array and on its own threads.
//
// A wave runs around a ring of cells. The code keeps its snapshots as codes do: one array, a row a snapshot, with ghost
// cells at both ends. imgsim reads that array where it is, works on the threads that the code has anyway, and writes
// its answer into memory of the code's.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include <imgsim/cpu/context.hpp>
#include <imgsim/cpu/search.hpp>
#include <imgsim/metric/euclidean.hpp>
#include <imgsim/search/gallery.hpp>
#include <imgsim/search/top_n.hpp>

namespace {

constexpr std::size_t kCells = 256;
constexpr std::size_t kGhosts = 4;  // on either side
constexpr std::size_t kRow = kCells + 2 * kGhosts;
constexpr std::size_t kSnapshots = 600;
constexpr std::size_t kPeriod = 150;  // snapshots until the wave is back

/// Where a code has threads already, a thread_source lends them to imgsim: here a team that is made for each loop, as
/// std::execution::par, OpenMP or TBB would give.
class team final : public imgsim::thread_source {
 public:
  [[nodiscard]] std::size_t size() const noexcept override { return 2; }
  void run(const std::function<void()>& work) override {
    std::thread other(work);
    work();
    other.join();
  }
};

[[nodiscard]] std::vector<float> simulate() {
  std::vector<float> snapshots(kSnapshots * kRow, std::nanf("ghost"));  // a reader of ghosts would be found out
  for (std::size_t t = 0; t < kSnapshots; ++t) {
    for (std::size_t i = 0; i < kCells; ++i) {
      const double turns = static_cast<double>(i) / kCells - static_cast<double>(t) / kPeriod;
      const double drift = 1e-3 * static_cast<double>(t);  // no two snapshots are the same
      snapshots[t * kRow + kGhosts + i] = static_cast<float>(std::exp(4 * std::cos(2 * M_PI * turns)) + drift);
    }
  }
  return snapshots;
}

}  // namespace

int main() try {
  const std::vector<float> snapshots = simulate();

  // The inner cells of every row: [snapshots, cells] at the row's stride. Nothing is copied.
  const imgsim::matrix_view<const float> gallery(snapshots.data() + kGhosts, {kSnapshots, kCells}, {kRow, 1});
  const imgsim::cpu_context context(std::make_shared<imgsim::thread_pool>(std::make_shared<team>()));

  // What searches need of the gallery is computed once; the answer goes to arrays that are there already.
  const imgsim::prepared_gallery prepared(context, gallery);
  constexpr std::size_t kWanted = 4;
  std::vector<std::int64_t> rows(kSnapshots * kWanted);
  std::vector<float> similarity(kSnapshots * kWanted);
  imgsim::top_n(context, prepared, gallery, imgsim::euclidean{}, {.n = kWanted, .exclude_self = true},
                {{rows.data(), {kSnapshots, kWanted}}, {similarity.data(), {kSnapshots, kWanted}}});

  // Each snapshot is nearest to one that is a whole number of periods away.
  std::size_t wrong = 0;
  for (std::size_t t = 0; t < kSnapshots; ++t) {
    const auto apart = static_cast<std::size_t>(std::abs(rows[t * kWanted] - static_cast<std::int64_t>(t)));
    wrong += apart % kPeriod == 0 ? 0 : 1;
  }
  std::printf("snapshot 300 is nearest to %ld, %ld and %ld; %zu of %zu missed the period of %zu\n",
              static_cast<long>(rows[300 * kWanted]), static_cast<long>(rows[300 * kWanted + 1]),
              static_cast<long>(rows[300 * kWanted + 2]), wrong, kSnapshots, kPeriod);
  return wrong == 0 ? 0 : 1;
} catch (const std::exception& failure) {  // everything that imgsim throws is one, and says what to do
  std::fprintf(stderr, "%s\n", failure.what());
  return 1;
}
