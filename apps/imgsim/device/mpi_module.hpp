// The MPI backend's module (module.hpp).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "device/module.hpp"
#include "device/rank_team.hpp"

namespace imgsim::app {

/// What the module offers.
struct mpi_module {
  module_identity identity;
  /// The MPI library in one line, with its version. MPI need not run.
  std::string (*library)();
  /// Begins MPI on this process, which is one of those that `launched` tells of; collective. Throws error, on all of
  /// them, where MPI knows of other ranks or where these were not started with the same arguments.
  std::unique_ptr<rank_team> (*join)(const launched_rank& launched, const std::vector<std::string>& arguments);
};

inline constexpr module_name kMpiModule{
    .backend = "MPI", .file = "imgsim_mpi.so", .variable = "IMGSIM_MPI_MODULE", .entry = "imgsim_mpi_module"};

/// Loads the module, which then stays. Throws error with the reason in one line.
[[nodiscard]] const mpi_module& load_mpi_module();

}  // namespace imgsim::app
