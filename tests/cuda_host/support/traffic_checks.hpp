// Checks of what a traffic meter has counted.
#pragma once

#include <boost/test/unit_test.hpp>

#include "cuda_host/meter/traffic.hpp"

namespace imgsim_test {

/// The kernel moves what its head comment derives, within a tenth.
inline void check_bytes(const imgsim::cuda_host::kernel_traffic& kernel, double bytes) {
  BOOST_TEST(static_cast<double>(kernel.bytes_moved) <= 1.1 * bytes, kernel.bytes_moved << " moved, not " << bytes);
  BOOST_TEST(static_cast<double>(kernel.bytes_moved) >= 0.9 * bytes, kernel.bytes_moved << " moved, not " << bytes);
}

}  // namespace imgsim_test
