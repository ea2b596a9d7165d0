#include "device/open_compute.hpp"

#include "device/compute.hpp"
#include "device/cuda_module.hpp"
#include "device/mpi_module.hpp"

#include <imgsim/core/error.hpp>

namespace imgsim::app {

namespace {

std::unique_ptr<compute> open_cuda(const device_choice& choice, std::size_t threads) {
  return load_cuda_module().open(choice.ordinal, threads);
}

}  // namespace

opened_compute open_compute(const device_choice& choice, std::size_t threads) {
  switch (choice.kind) {
    case device_kind::cpu:
      break;
    case device_kind::cuda:
      try {
        return {open_cuda(choice, threads), {}};
      } catch (const error& reason) {
        throw error(std::string("--device cuda: ") + reason.what() + "; use --device cpu or --device auto");
      }
    case device_kind::automatic:
      std::error_code failure;
      if (!std::filesystem::exists(module_path(kCudaModule), failure)) break;
      try {
        return {open_cuda(choice, threads), {}};
      } catch (const error& reason) {
        return {open_cpu(threads), reason.what()};
      }
  }
  return {open_cpu(threads), {}};
}

std::vector<device_status> list_devices(std::size_t threads) {
  std::vector<device_status> devices{{"cpu", true, open_cpu(threads)->name()}};
  try {
    for (const std::string& name : load_cuda_module().device_names())
      devices.push_back({"cuda:" + std::to_string(devices.size() - 1), true, name});
  } catch (const error& reason) {
    devices.push_back({"cuda", false, reason.what()});
  }
  return devices;
}

device_status mpi_status() {
  try {
    return {"mpi", true, load_mpi_module().library()};
  } catch (const error& reason) {
    return {"mpi", false, reason.what()};
  }
}

}  // namespace imgsim::app
