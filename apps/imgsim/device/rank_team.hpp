// The processes that mpirun started this command on. Rank 0 runs the command: it alone reads options, prints, locks and
// writes; what it asks of its device, the others take part in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

namespace imgsim::app {

class compute;

struct launched_rank {
  std::size_t rank = 0;
  std::size_t size = 1;  // of all
};

/// What the environment says of this process where it is one of several that mpirun (or srun) started (mpi_module.cpp);
/// nothing where IMGSIM_MPI is "off", for scripts that mpirun starts and that call imgsim each for itself.
[[nodiscard]] std::optional<launched_rank> find_launched_rank();

/// What this rank has exchanged with the others, as mpi::message_volume has it.
struct exchanged_bytes {
  std::uint64_t sent = 0, received = 0;
};

/// This process among them.
class rank_team {
 public:
  rank_team() = default;
  rank_team(const rank_team&) = delete;
  rank_team& operator=(const rank_team&) = delete;
  /// Rank 0 lets the others go. MPI ends.
  virtual ~rank_team() = default;

  [[nodiscard]] virtual std::size_t rank() const = 0;
  /// Of all.
  [[nodiscard]] virtual std::size_t size() const = 0;
  /// The hardware threads that this rank has for itself, its part of those that several may use; at least 1.
  [[nodiscard]] virtual std::size_t threads() const = 0;

  /// Rank 0: `local` as a device whose work the other ranks share, on `threads` threads each, 0 for threads(). The
  /// device is used as any other, also from several threads, which then wait for each other.
  [[nodiscard]] virtual std::unique_ptr<compute> lead(std::unique_ptr<compute> local, std::size_t threads) = 0;

  /// By the devices of lead().
  [[nodiscard]] virtual exchanged_bytes exchanged() const = 0;

  /// The other ranks: takes part in the work of rank 0 until that has destroyed its team. `open_local` opens the device
  /// of one process.
  virtual void serve(std::unique_ptr<compute> (*open_local)(std::size_t threads)) = 0;
};

}  // namespace imgsim::app
