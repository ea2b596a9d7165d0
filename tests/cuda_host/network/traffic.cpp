// What the network's kernels ask of memory in a step of training and in encoding.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "cuda_host/meter/traffic.hpp"
#include "cuda_host/network/operations.hpp"
#include "model/network_cases.hpp"

namespace {

using namespace imgsim;
using namespace imgsim_test;

/// Channels in whole sectors, as in the presets; every kind of layer but those that only libraries compute.
architecture layers_of_kernels() {
  architecture a{.name = "traffic", .height = 16, .width = 16};
  a.encoder = {{convolution{.filters = 32, .stride = {2, 2}}},
               {batch_normalization{}},
               {leaky_relu{}, "level"},
               {max_pooling{}},
               {upsampling{{2, 2}, interpolation_kind::bilinear}},
               {sigmoid{}},
               {max_pooling{{3, 3}, {2, 2}, padding_kind::same}},
               {relu{}}};
  a.decoder = {{upsampling{}},
               {transposed_convolution{.filters = 16, .stride = {2, 2}}},
               {leaky_relu{}},
               {convolution{.filters = 3}},
               {sigmoid{}}};
  a.embedding.taps = {{.layer = "level", .pool = pool_kind::generalised_mean}, {}};
  return a;
}

}  // namespace

BOOST_AUTO_TEST_CASE(accesses_fill_their_sectors) {
  device_network net(layers_of_kernels());
  const auto photos = waves(4, 3, 16);
  cuda_host::traffic_meter meter;
  (void)net.train_step(constant(photos), {});
  tensor<float, 2> features({4, net.feature_size()});
  net.encode(constant(photos), features.view());
  const std::vector<cuda_host::kernel_traffic> kernels = meter.take();
  BOOST_TEST_MESSAGE(cuda_host::table_of(kernels));
  BOOST_TEST(kernels.size() > 40u);
  for (const cuda_host::kernel_traffic& kernel : kernels)
    for (const cuda_host::line_traffic& line : kernel.lines) {
      BOOST_TEST_CONTEXT(kernel.name << ", " << line.file << ":" << line.line) {
        BOOST_TEST(line.total.passes == line.total.fewest_passes);
        // The two known exceptions: kernels of convolutions, turned around; sums of blocks, a few for each channel.
        if (line.file == "filter_kernel.cuh" || (line.file == "channel_sums_kernel.cuh" && line.lane_bytes == 8))
          continue;
        // Rows of three channels begin within a sector.
        BOOST_TEST(static_cast<double>(line.total.sectors) <= 1.25 * static_cast<double>(line.total.fewest_sectors));
      }
    }
}

// What a kernel moves through L1 against what it touches at all: neighbours' reads of the same values, coefficients of
// channels.
BOOST_AUTO_TEST_CASE(values_are_read_once_or_few_times) {
  device_network net(layers_of_kernels());
  const auto photos = waves(4, 3, 16);
  cuda_host::traffic_meter meter;
  (void)net.train_step(constant(photos), {});
  std::map<std::string, double> most;  // by the file of the kernel
  for (const cuda_host::kernel_traffic& kernel : meter.take()) {
    if (kernel.fewest_bytes < 4096) continue;  // a few sums
    double& ratio = most[kernel.lines.front().file];
    ratio = std::max(ratio, static_cast<double>(kernel.bytes_moved) / static_cast<double>(kernel.fewest_bytes));
  }
  BOOST_TEST(most.at("adam_kernel.cuh") == 1.0);
  BOOST_TEST(most.at("loss_kernel.cuh") == 1.0);
  BOOST_TEST(most.at("values_kernel.cuh") <= 1.5);
  BOOST_TEST(most.at("batch_norm_kernel.cuh") <= 2.5);  // five coefficients for each value and gradient
  BOOST_TEST(most.at("channel_sums_kernel.cuh") <= 1.5);
  BOOST_TEST(most.at("max_pooling_kernel.cuh") <= 6.5);  // 3 x 3 windows, backward
  BOOST_TEST(most.at("upsampling_kernel.cuh") <= 3.0);
}
