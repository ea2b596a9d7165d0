// Principal axes on the CPU.
#include "device/compute_on_fit.hpp"

#include <imgsim/cpu/context.hpp>

namespace imgsim::app {

IMGSIM_INSTANTIATE_COMPUTE_FIT(cpu_context);

}  // namespace imgsim::app
