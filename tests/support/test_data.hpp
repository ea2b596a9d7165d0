// Real photos for tests. They are not part of the repository: a test that needs them names their folder as a
// precondition and is skipped, with the reason printed and counted, where the folder is absent.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>

#include <boost/test/tree/decorator.hpp>
#include <boost/test/unit_test.hpp>

namespace imgsim_test {

/// The folder of test photos: the environment's IMGSIM_TEST_DATA, or the one given at configure time.
inline std::filesystem::path data_folder() {
  const char* from_environment = std::getenv("IMGSIM_TEST_DATA");
  return from_environment != nullptr ? from_environment : IMGSIM_TEST_DATA;
}

/// BOOST_AUTO_TEST_CASE(name, *needs_data("bad")). Prints a line for tests/run.sh to count, since Boost.Test passes
/// over a skipped case in silence.
inline boost::unit_test::precondition needs_data(const std::string& set) {
  return boost::unit_test::precondition([set](boost::unit_test::test_unit_id id) {
    const bool present = std::filesystem::exists(data_folder() / set);
    if (!present)
      std::cout << "SKIPPED " << boost::unit_test::framework::get(id, boost::unit_test::TUT_ANY).full_name()
                << ": test photos '" << set << "' are absent (set IMGSIM_TEST_DATA)\n";
    return boost::test_tools::assertion_result(present);
  });
}

}  // namespace imgsim_test
