#include "search/search_paths_instances.hpp"

namespace imgsim_test {

IMGSIM_TEST_SEARCH_CASES(imgsim::bfloat16);

}  // namespace imgsim_test
