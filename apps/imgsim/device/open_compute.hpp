// Chooses the device that --device asks for.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "device/device_choice.hpp"

namespace imgsim::app {

class compute;

struct opened_compute {
  std::unique_ptr<compute> device;
  std::string why_no_gpu;  // where there is a CUDA backend and --device auto could not use it
};

/// `threads` CPU threads, 0 for one per hardware thread. Throws error where the device asked for by name is not there:
/// never another in its place.
[[nodiscard]] opened_compute open_compute(const device_choice& choice, std::size_t threads);

/// The CPU (cpu.cpp).
[[nodiscard]] std::unique_ptr<compute> open_cpu(std::size_t threads);

struct device_status {
  std::string name;  // as --device takes it
  bool available = false;
  std::string detail;  // what it is, or why it is not available
};

/// Every kind of device this program knows.
[[nodiscard]] std::vector<device_status> list_devices(std::size_t threads);

/// Whether several ranks can share the work, with which MPI, or why not.
[[nodiscard]] device_status mpi_status();

}  // namespace imgsim::app
