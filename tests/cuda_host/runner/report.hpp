// What the runner found wrong with a kernel.
#pragma once

#include <string>
#include <vector>

namespace imgsim::cuda_host {

/// Writes the sentence to stderr and keeps it. The kernel that it concerns ends; the device is then in error, as after
/// a fault on real hardware, until reset_device().
void add_report(const std::string& sentence);

/// Every report since the last call. A test that provokes one takes it; any that is left at the end fails the program
/// (support/leftovers.cpp).
[[nodiscard]] std::vector<std::string> take_reports();

[[nodiscard]] bool any_reports();

}  // namespace imgsim::cuda_host
