// Training and encoding on the CPU.
#include "device/compute_on_network.hpp"

#include <imgsim/cpu/context.hpp>
#include <imgsim/cpu/network.hpp>

namespace imgsim::app {

template std::unique_ptr<encoder> compute_on<cpu_context>::open_encoder(const model_file&) const;
template trained_model compute_on<cpu_context>::train(const training_job&, photo_set&, photo_set&) const;

}  // namespace imgsim::app
