// Real photos for tests. They are not part of the repository: a test that needs them names their folder as a
// precondition and is skipped, with the reason printed and counted, where the folder is absent.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

#include <boost/test/tree/decorator.hpp>
#include <boost/test/unit_test.hpp>

namespace imgsim_test {

/// The folder of test photos: the environment's IMGSIM_TEST_DATA, or the one given at configure time.
inline std::filesystem::path data_folder() {
  const char* from_environment = std::getenv("IMGSIM_TEST_DATA");
  return from_environment != nullptr ? from_environment : IMGSIM_TEST_DATA;
}

/// BOOST_AUTO_TEST_CASE(name, *needs_data("bad"))
inline boost::unit_test::precondition needs_data(const std::string& set) {
  return boost::unit_test::precondition([set](boost::unit_test::test_unit_id) {
    boost::test_tools::assertion_result result(std::filesystem::exists(data_folder() / set));
    result.message() << "test photos '" << set << "' are absent (set IMGSIM_TEST_DATA)";
    return result;
  });
}

}  // namespace imgsim_test
