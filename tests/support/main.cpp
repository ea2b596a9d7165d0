// main() of every test program.
#define BOOST_TEST_MODULE imgsim
#include <boost/test/unit_test.hpp>
