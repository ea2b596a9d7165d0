// main() of every test program.
#include <cstdlib>

#define BOOST_TEST_MODULE imgsim
#include <boost/test/unit_test.hpp>

namespace {

/// What whoever runs the tests has configured for imgsim is no part of them.
[[maybe_unused]] const int kNoConfig = setenv("IMGSIM_CONFIG", "", 1);

}  // namespace
