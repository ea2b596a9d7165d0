#include "cuda_host/meter/source_lines.hpp"

#include <link.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>

namespace imgsim::cuda_host {
namespace {

/// Where the program itself was loaded: the first entry of the list.
std::uintptr_t load_address() {
  std::uintptr_t base = 0;
  dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* result) {
        *static_cast<std::uintptr_t*>(result) = info->dlpi_addr;
        return 1;
      },
      &base);
  return base;
}

std::string path_of_program() {
  std::array<char, 4096> path{};
  const ssize_t length = readlink("/proc/self/exe", path.data(), path.size() - 1);
  if (length < 0) throw std::runtime_error("/proc/self/exe cannot be read");
  return {path.data(), static_cast<std::size_t>(length)};
}

bool is_kernel_file(const std::string& path) {
  for (const char* other : {"/cuda_host/device/", "/cuda_host/portable.hpp", "/cuda/portable/", "/usr/", "??"}) {
    if (path.find(other) != std::string::npos) return false;
  }
  return true;
}

std::string without_folders(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

}  // namespace

std::map<std::uintptr_t, std::pair<std::string, unsigned>> source_lines(const std::vector<std::uintptr_t>& addresses) {
  std::map<std::uintptr_t, std::pair<std::string, unsigned>> lines;
  if (addresses.empty()) return lines;
  // A return address may already belong to the next line; the byte before it is in the call.
  const std::uintptr_t base = load_address();
  std::string command = "addr2line -a -i -e '" + path_of_program() + "'";
  for (const std::uintptr_t address : addresses) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), " 0x%zx", static_cast<std::size_t>(address - base - 1));
    command += text.data();
  }
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> output(popen(command.c_str(), "r"), &pclose);
  if (output == nullptr) throw std::runtime_error("addr2line cannot be started");

  std::uintptr_t current = 0;
  std::array<char, 4096> row{};
  while (std::fgets(row.data(), static_cast<int>(row.size()), output.get()) != nullptr) {
    const std::string text(row.data());
    if (text.starts_with("0x")) {
      current = std::strtoull(text.c_str(), nullptr, 16) + base + 1;
      continue;
    }
    const std::size_t colon = text.rfind(':');
    if (colon == std::string::npos || !is_kernel_file(text)) continue;
    lines.try_emplace(current, without_folders(text.substr(0, colon)),
                      static_cast<unsigned>(std::strtoul(text.c_str() + colon + 1, nullptr, 10)));
  }
  return lines;
}

}  // namespace imgsim::cuda_host
