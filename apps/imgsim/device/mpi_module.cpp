#include "device/mpi_module.hpp"

#include <charconv>
#include <cstdlib>
#include <string_view>

namespace imgsim::app {

namespace {

std::optional<std::size_t> number_in_environment(const char* variable) {
  const char* const value = std::getenv(variable);
  if (value == nullptr) return std::nullopt;
  const std::string_view text = value;
  std::size_t number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

std::optional<launched_rank> find_launched_rank() {
  struct launcher {
    const char* size;
    const char* rank;
  };
  constexpr launcher kLaunchers[] = {
      {"OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"},  // Open MPI
      {"MV2_COMM_WORLD_SIZE", "MV2_COMM_WORLD_RANK"},    // MVAPICH
      {"PMI_SIZE", "PMI_RANK"},                          // MPICH, Intel MPI, srun --mpi=pmi2
      {"SLURM_STEP_NUM_TASKS", "PMIX_RANK"},             // srun --mpi=pmix
  };
  const char* const wanted = std::getenv("IMGSIM_MPI");
  if (wanted != nullptr && std::string_view(wanted) == "off") return std::nullopt;
  for (const launcher& each : kLaunchers) {
    const std::optional<std::size_t> size = number_in_environment(each.size), rank = number_in_environment(each.rank);
    if (size && rank) return *size > 1 ? std::optional(launched_rank{.rank = *rank, .size = *size}) : std::nullopt;
  }
  return std::nullopt;
}

const mpi_module& load_mpi_module() {
  return *static_cast<const mpi_module*>(load_module(kMpiModule));
}

}  // namespace imgsim::app
