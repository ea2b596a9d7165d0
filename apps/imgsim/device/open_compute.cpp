#include "device/open_compute.hpp"

#include "device/compute.hpp"

#include <imgsim/core/error.hpp>

namespace imgsim::app {

namespace {

constexpr const char* kNoCuda = "this build of imgsim has no CUDA backend";

}  // namespace

std::unique_ptr<compute> open_compute(const device_choice& choice, std::size_t threads) {
  if (choice.kind == device_kind::cuda)
    throw error(std::string("--device cuda: ") + kNoCuda + "; use --device cpu or --device auto");
  return open_cpu(threads);
}

std::vector<device_status> list_devices(std::size_t threads) {
  return {{"cpu", true, open_cpu(threads)->name()}, {"cuda", false, kNoCuda}};
}

}  // namespace imgsim::app
