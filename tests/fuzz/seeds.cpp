// usage: fuzz_seeds DIR
// Writes each target's seeds into DIR/TARGET, for libFuzzer to begin from.
#include <cstdio>
#include <filesystem>
#include <string>

#include <imgsim/core/file.hpp>

#include "target.hpp"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: fuzz_seeds DIR\n", stderr);
    return 2;
  }
  for (const imgsim_fuzz::target* target : imgsim_fuzz::targets) {
    const std::filesystem::path folder = std::filesystem::path(argv[1]) / target->name;
    std::filesystem::create_directories(folder);
    std::size_t number = 0;
    for (const imgsim_fuzz::bytes& seed : target->seeds())
      imgsim::write_file(folder / ("seed_" + std::to_string(number++)), seed);
  }
  return 0;
}
