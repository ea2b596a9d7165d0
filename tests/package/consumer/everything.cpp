#include <cstdio>

#include <imgsim/cpu.hpp>
#include <imgsim/imgsim.hpp>

int version_of_the_other_unit();

int main() {
  std::printf("imgsim %s\n", imgsim::version);
  return version_of_the_other_unit() == IMGSIM_VERSION_MAJOR ? 0 : 1;
}
