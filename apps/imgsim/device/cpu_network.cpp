// Training and encoding on the CPU.
#include "device/compute_on_network.hpp"

#include <imgsim/cpu/context.hpp>
#include <imgsim/cpu/network.hpp>

namespace imgsim::app {

IMGSIM_INSTANTIATE_COMPUTE_NETWORK(cpu_context);

}  // namespace imgsim::app
