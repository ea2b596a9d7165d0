// Without CMake, and with the user's warnings: they see the headers as their own, not as a system's.
#include <dnnl.hpp>

#include <cstddef>
#include <cstdio>
#include <vector>

#include <imgsim/cpu.hpp>
#include <imgsim/imgsim.hpp>

int main() {
  const std::vector<std::byte> no_photo(16);
  try {
    (void)imgsim::decode_image(no_photo);
  } catch (const imgsim::error& refused) {
    std::printf("%s; oneDNN %d\n", refused.what(), dnnl_version()->major);
    return 0;
  }
  return 1;
}
