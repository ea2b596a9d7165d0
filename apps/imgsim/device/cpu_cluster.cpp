// Groups on the CPU.
#include "device/compute_on_cluster.hpp"

#include <imgsim/cpu/cluster.hpp>
#include <imgsim/cpu/context.hpp>

namespace imgsim::app {

IMGSIM_INSTANTIATE_COMPUTE_CLUSTER(cpu_context);

}  // namespace imgsim::app
