#include <imgsim/cpu.hpp>
#include <imgsim/imgsim.hpp>

int version_of_the_other_unit() {
  return IMGSIM_VERSION_MAJOR;
}
