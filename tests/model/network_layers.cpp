// Every layer, forward and backward, against plain loops in double: outputs by value, gradients by central differences.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "model/network_checks.hpp"
#include "model/network_support.hpp"

namespace {

using namespace imgsim;
using namespace imgsim_test;

/// Networks on the CPU with this arithmetic.
auto on_cpu(precision arithmetic) {
  return [arithmetic](const architecture& description) { return network(cpu_context(2), description, arithmetic, 3); };
}
const auto float32_on_cpu = on_cpu(precision::float32);

}  // namespace

BOOST_AUTO_TEST_SUITE(network_layers)

BOOST_AUTO_TEST_CASE(forward_equals_the_reference) {
  for (const network_case& c : network_cases())
    for (const std::size_t batch : {1, 9}) check_forward(float32_on_cpu, c, batch, kEpsilon);
}

BOOST_AUTO_TEST_CASE(forward_in_bfloat16_equals_the_reference, *needs_bfloat16()) {
  for (const network_case& c : network_cases()) check_forward(on_cpu(precision::bfloat16), c, 9, kEpsilonBfloat16);
}

BOOST_AUTO_TEST_CASE(gradients_equal_central_differences) {
  for (const network_case& c : network_cases())
    for (const std::size_t batch : {2, 9}) check_gradients(float32_on_cpu, c, batch);
}

BOOST_AUTO_TEST_CASE(gradients_in_bfloat16_point_the_same_way, *needs_bfloat16()) {
  for (const network_case& c : network_cases()) {
    BOOST_TEST_CONTEXT(c.name) {
      double error = 0.0, norm = 0.0;
      for (const auto& [computed, expected] : gradient_pairs(on_cpu(precision::bfloat16), c, 9, 12)) {
        error += (computed - expected) * (computed - expected);
        norm += expected * expected;
      }
      // A chain of about 8 roundings forward and as many back, and now and then a maximum or a sign that tips over.
      BOOST_TEST(std::sqrt(error / norm) <= 32.0 * kEpsilonBfloat16);
    }
  }
}

BOOST_AUTO_TEST_CASE(losses_have_the_right_value_and_gradient) {
  const network_case plain = around("loss", {{relu{}}});
  for (const network_case& c : {with_loss(plain, loss_kind::binary_cross_entropy, true, 0.0),
                                with_loss(plain, loss_kind::mean_squared_error, true, 0.01),
                                with_loss(plain, loss_kind::mean_squared_error, false, 0.02),
                                with_loss(plain, loss_kind::binary_cross_entropy, true, 0.03)}) {
    check_forward(float32_on_cpu, {c.name, c.description}, 9, kEpsilon);
    check_gradients(float32_on_cpu, c, 9);
  }
  // Outputs of a convolution are not probabilities: those outside (0, 1) are clipped and have no gradient.
  network_case clipped = with_loss(plain, loss_kind::binary_cross_entropy, false, 0.0);
  clipped.description.decoder.push_back({sigmoid{}});
  clipped.description.decoder.push_back({upsampling{{1, 1}}});
  check_gradients(float32_on_cpu, clipped, 9);
}

BOOST_AUTO_TEST_CASE(a_whole_network_with_every_kind_of_layer) {
  architecture a{.name = "whole", .height = 16, .width = 12};
  a.encoder = {{convolution{.filters = 5, .stride = {2, 2}}},
               {batch_normalization{}},
               {leaky_relu{}, "first"},
               {convolution{.filters = 6}},
               {relu{}, "second"},
               {max_pooling{}},
               {flatten{}},
               {dense{10}}};
  a.decoder = {{dense{72}},
               {relu{}},
               {batch_normalization{}},
               {reshape{4, 3, 6}},
               {transposed_convolution{.filters = 5, .stride = {2, 2}}},
               {relu{}},
               {batch_normalization{}},
               {upsampling{{2, 2}, interpolation_kind::bilinear}},
               {convolution{.filters = 3}},
               {sigmoid{}}};
  a.loss = loss_kind::binary_cross_entropy;
  a.kernel_l2 = 0.01;
  for (const std::size_t batch : {3, 19}) check_gradients(float32_on_cpu, {"whole network", a}, batch, 25);
}

BOOST_AUTO_TEST_CASE(batches_of_more_shards_than_sums_of_gradients) {
  check_gradients(float32_on_cpu,
                  around("a large batch", {{relu{}}, {batch_normalization{}}, {convolution{.filters = 2}}}, 4, 3), 299,
                  6);
}

BOOST_AUTO_TEST_CASE(a_tie_in_max_pooling_counts_once) {
  for (const padding_kind padding : {padding_kind::same, padding_kind::valid})
    for (const extent_2d stride : {extent_2d{2, 2}, extent_2d{1, 1}})
      check_ties(float32_on_cpu, around("ties", {{max_pooling{{2, 2}, stride, padding}}}, 6, 4));
}

BOOST_AUTO_TEST_CASE(dense_layers_in_several_blocks) {
  // 16 outputs: blocks of 4096 inputs, the third one partial; and the other way round.
  architecture a{.name = "blocks", .height = 53, .width = 54};
  a.encoder = {{flatten{}}, {dense{16}}};
  a.decoder = {{dense{53 * 54 * 3}}, {reshape{53, 54, 3}}, {sigmoid{}}};
  check_forward(float32_on_cpu, {"blocks", a}, 5, kEpsilon);
  check_gradients(float32_on_cpu, {"blocks", a}, 5, 20);
}

BOOST_AUTO_TEST_CASE(taps_pool_and_concatenate) {
  check_taps(float32_on_cpu, 70);  // more than one piece of the batch in inference
}

BOOST_AUTO_TEST_SUITE_END()
