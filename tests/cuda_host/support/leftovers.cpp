// At the end of every test program over the host runner: no report that no test has taken, nothing left on the device.
#include <boost/test/unit_test.hpp>

#include "cuda_host/runner/report.hpp"
#include "cuda_host/runtime/device_state.hpp"

namespace {

struct nothing_left {
  void setup() {}
  void teardown() {
    for (const std::string& sentence : imgsim::cuda_host::what_is_left()) BOOST_ERROR(sentence);
    for (const std::string& sentence : imgsim::cuda_host::take_reports()) BOOST_ERROR(sentence);
  }
};

}  // namespace

BOOST_TEST_GLOBAL_FIXTURE(nothing_left);
