// One target under libFuzzer: IMGSIM_FUZZ_TARGET names it.
#include <cstddef>
#include <cstdint>

#include "target.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static_cast<void>(imgsim_fuzz::IMGSIM_FUZZ_TARGET.read(std::as_bytes(std::span(data, size))));
  return 0;
}
