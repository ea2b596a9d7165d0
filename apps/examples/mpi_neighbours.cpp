// An MPI code that hands imgsim its communicator: the neighbours of all its rows, whichever rank holds them, and
// groups.
//
//   mpirun -n 4 example_mpi_neighbours
//
// The communicator holds some of the processes only, while another does something else: imgsim exchanges on a duplicate
// of it, and never on MPI_COMM_WORLD.
#include <mpi.h>

#include <cmath>
#include <cstddef>
#include <cstdio>
#include <exception>
#include <vector>

#include <imgsim/cluster/k_medoids.hpp>
#include <imgsim/metric/euclidean.hpp>
#include <imgsim/mpi.hpp>

namespace {

constexpr std::size_t kWidth = 3;
constexpr std::size_t kClouds = 5;

/// Point `i` of the job, in cloud i % kClouds.
void place(std::size_t i, float* point) {
  for (std::size_t d = 0; d < kWidth; ++d)
    point[d] = static_cast<float>(std::cos(static_cast<double>((i % kClouds) * (d + 1) * 2)) * 10 +
                                  std::sin(static_cast<double>(i * (d + 3))) / 2);
}

[[nodiscard]] bool work(MPI_Comm communicator) {
  // Collective, like everything below: all ranks of the communicator do the same.
  const imgsim::mpi_context context(communicator, imgsim::cpu_context(1));

  // The rows that this rank happens to have, as many as it likes, where they are.
  const std::size_t rank = context.ranks().rank();
  const std::size_t count = 40 + 10 * rank;
  const std::size_t first = 40 * rank + 5 * rank * (rank - (rank > 0 ? 1 : 0));
  std::vector<float> points(count * kWidth);
  for (std::size_t i = 0; i < count; ++i) place(first + i, points.data() + i * kWidth);
  const imgsim::mpi::sharded_rows rows(context, imgsim::matrix_view<const float>(points.data(), {count, kWidth}));

  // Neighbours of this rank's rows among those of all ranks; rows are counted over the ranks.
  const auto found = imgsim::mpi::neighbors(rows, imgsim::euclidean{}, {.n = 5, .exclude_self = true});
  bool right = rows.first_row() == first;
  for (std::size_t i = 0; i < count; ++i)
    for (std::size_t c = 0; c < found.columns(); ++c)
      right &= static_cast<std::size_t>(found.rows(i, c)) % kClouds == (first + i) % kClouds;

  // Groups of all rows. Each rank holds the distances from all rows to its own; the answer is on every rank.
  const imgsim::mpi::sharded_distances distances(rows, imgsim::euclidean{});
  const auto groups = imgsim::k_medoids(context, distances, {.k = kClouds, .seed = 1});
  for (std::size_t i = kClouds; i < rows.size(); ++i) right &= groups.labels[i] == groups.labels[i - kClouds];

  if (rank == 0)
    std::printf("%zu rows on %zu ranks; row 0 is nearest to row %ld; %zu groups at a cost of %.2f\n", rows.size(),
                context.ranks().size(), static_cast<long>(found.rows(0, 0)), groups.medoids.size(), groups.cost);
  return right;
}

}  // namespace

int main(int argc, char** argv) {
  int level = MPI_THREAD_SINGLE;
  MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &level);
  int rank = 0, size = 1;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);

  // The last of several processes does something else.
  const bool works = size == 1 || rank + 1 < size;
  MPI_Comm workers = MPI_COMM_NULL;
  MPI_Comm_split(MPI_COMM_WORLD, works ? 0 : MPI_UNDEFINED, rank, &workers);

  int right = 1;
  if (works) {
    try {
      right = work(workers) ? 1 : 0;
    } catch (const std::exception& failure) {  // on every rank of the communicator, where one of them fails
      std::fprintf(stderr, "rank %d: %s\n", rank, failure.what());
      right = 0;
    }
    MPI_Comm_free(&workers);
  }
  MPI_Allreduce(MPI_IN_PLACE, &right, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD);
  MPI_Finalize();
  return right == 1 ? 0 : 1;
}
