// The MPI backend's module: the ranks that mpirun started as a team.
#include <mpi.h>

#include <memory>
#include <string>

#include "device/mpi/team.hpp"
#include "device/mpi_module.hpp"

namespace imgsim::app {
namespace {

std::string library() {
  char text[MPI_MAX_LIBRARY_VERSION_STRING] = "";
  int length = 0;
  mpi::check(MPI_Get_library_version(text, &length), "MPI_Get_library_version");
  const std::string all(text, static_cast<std::size_t>(length));
  return all.substr(0, all.find_first_of(",\n"));
}

std::unique_ptr<rank_team> join(const launched_rank& launched, const std::vector<std::string>& arguments) {
  return std::make_unique<mpi_team>(launched, arguments);
}

}  // namespace
}  // namespace imgsim::app

extern "C" __attribute__((visibility("default"))) const imgsim::app::mpi_module* imgsim_mpi_module() {
  static const imgsim::app::mpi_module module{
      {IMGSIM_INTERFACE_HASH, __VERSION__}, &imgsim::app::library, &imgsim::app::join};
  return &module;
}
