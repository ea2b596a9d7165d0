#include "search/search_paths_instances.hpp"

namespace imgsim_test {

IMGSIM_TEST_SEARCH_CASES(float);

}  // namespace imgsim_test
