// Networks on the CPU.
#pragma once

#include <string>

#include <boost/test/tree/decorator.hpp>
#include <boost/test/unit_test.hpp>

#include <imgsim/cpu/network.hpp>

#include "model/network_cases.hpp"

namespace imgsim_test {

using network = imgsim::autoencoder<imgsim::cpu_context>;

inline bool has_bfloat16() {
  try {
    imgsim::cpu::require_bfloat16();
    return true;
  } catch (const imgsim::invalid_argument&) {
    return false;
  }
}

/// BOOST_AUTO_TEST_CASE(name, *needs_bfloat16())
inline boost::unit_test::precondition needs_bfloat16() {
  return boost::unit_test::precondition(
      [reason = std::string("this CPU has no bfloat16 products")](boost::unit_test::test_unit_id) {
        boost::test_tools::assertion_result result(has_bfloat16());
        result.message() << reason;
        return result;
      });
}

}  // namespace imgsim_test
