// Search on the CPU, and the evaluation of encoders by what it finds.
#include "device/compute_on_evaluate.hpp"
#include "device/compute_on_search.hpp"

#include <imgsim/cpu/context.hpp>
#include <imgsim/cpu/search.hpp>

namespace imgsim::app {

IMGSIM_INSTANTIATE_COMPUTE_SEARCH(cpu_context);
IMGSIM_INSTANTIATE_COMPUTE_EVALUATE(cpu_context);

}  // namespace imgsim::app
