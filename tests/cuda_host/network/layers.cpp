// Every layer on a CUDA device, forward and backward, by the checks and in the cases of tests/model/.
#include <algorithm>
#include <array>
#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

#include "cuda_host/network/operations.hpp"
#include "model/network_checks.hpp"
#include "model/view_checks.hpp"

namespace {

using namespace imgsim;
using namespace imgsim_test;

/// Under a sanitizer every second case and few of the differences: it looks for other faults than wrong values.
constexpr std::string_view kBuild = IMGSIM_CUDA_HOST_BUILD;
constexpr bool kAllValues = kBuild == "optimized" || kBuild == "gpu";
constexpr std::size_t kDifferences = kAllValues ? 6 : 1;

const auto on_device = [](const architecture& description) { return device_network(description); };

/// The cases of every backend, and those that only this one has.
std::vector<network_case> device_cases() {
  std::vector<network_case> cases = network_cases();
  // Channels that are no multiple of four.
  cases.push_back(around("three channels", {{convolution{.filters = 3, .bias = false}},
                                            {max_pooling{}},
                                            {upsampling{{2, 2}, interpolation_kind::bilinear}},
                                            {batch_normalization{}},
                                            {leaky_relu{}}}));
  cases.push_back(around("relu after dense", {{flatten{}}, {dense{6}}, {relu{}}, {dense{5}}, {leaky_relu{}}}));
  cases.push_back(
      around("relu without bias",
             {{convolution{.filters = 4, .bias = false}}, {relu{}}, {flatten{}}, {dense{6, false}}, {relu{}}}));
  cases.push_back(around("relu after reshape", {{flatten{}}, {dense{6}}, {reshape{1, 2, 3}}, {relu{}}}));
  std::vector<network_case> chosen;
  for (std::size_t i = 0; i < cases.size(); ++i)
    if (kAllValues || i % 2 == 0 || i + 4 >= cases.size()) chosen.push_back(std::move(cases[i]));
  return chosen;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(cuda_network_layers)

BOOST_AUTO_TEST_CASE(forward_equals_the_reference) {
  for (const network_case& c : device_cases()) check_forward(on_device, c, 5, kEpsilon);
}

BOOST_AUTO_TEST_CASE(gradients_equal_central_differences) {
  for (const network_case& c : device_cases()) check_gradients(on_device, c, 3, kDifferences);
}

BOOST_AUTO_TEST_CASE(losses_have_the_right_value_and_gradient) {
  const network_case plain = around("loss", {{relu{}}});
  for (const network_case& c : {with_loss(plain, loss_kind::binary_cross_entropy, true, 0.0),
                                with_loss(plain, loss_kind::mean_squared_error, true, 0.01),
                                with_loss(plain, loss_kind::mean_squared_error, false, 0.02)}) {
    check_forward(on_device, c, 3, kEpsilon);
    check_gradients(on_device, c, 3, kDifferences);
  }
  network_case clipped = with_loss(plain, loss_kind::binary_cross_entropy, false, 0.0);
  clipped.description.decoder.push_back({sigmoid{}});
  clipped.description.decoder.push_back({upsampling{{1, 1}}});
  check_gradients(on_device, clipped, 3, kDifferences);
}

BOOST_AUTO_TEST_CASE(a_tie_in_max_pooling_counts_once) {
  for (const padding_kind padding : {padding_kind::same, padding_kind::valid})
    for (const extent_2d stride : {extent_2d{2, 2}, extent_2d{1, 1}})
      check_ties(on_device, around("ties", {{max_pooling{{2, 2}, stride, padding}}}, 6, 4));
}

BOOST_AUTO_TEST_CASE(gradients_of_targets_and_views_equal_central_differences) {
  for (const network_case& c : view_cases()) check_view_gradients(on_device, c, 3, kDifferences);
}

BOOST_AUTO_TEST_CASE(taps_pool_and_concatenate) {
  check_taps(on_device, 6);
}

BOOST_AUTO_TEST_SUITE_END()
