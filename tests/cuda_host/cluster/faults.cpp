// Every call that CUDA clustering makes fails once: the fault is told, and nothing is left behind.
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <imgsim/core/random.hpp>
#include <imgsim/core/tensor.hpp>

#include "cluster/support.hpp"
#include "cuda_host/cluster/centroid_operations.hpp"
#include "cuda_host/cluster/operations.hpp"
#include "cuda_host/runtime/faults.hpp"

using namespace imgsim_test;
using imgsim::random_stream;
using imgsim::tensor;

namespace {

/// Of the host, and long: not under ThreadSanitizer.
constexpr bool kWalksFaults = std::string_view(IMGSIM_CUDA_HOST_BUILD) != "thread";

void check_faults(const std::function<void()>& work) {
  const std::vector<std::string> wrong = imgsim::cuda_host::walk_faults(work, [](const std::string& function) {
    return function == "cudaFreeAsync" || function == "cudaFree" || function == "cudaStreamDestroy";
  });
  BOOST_TEST(wrong.empty(), (wrong.empty() ? "" : wrong.front()));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(cuda_cluster_faults, *boost::unit_test::enable_if<kWalksFaults>())

BOOST_AUTO_TEST_CASE(of_k_medoids) {
  random_stream random(1);
  const tensor<float, 2> distances = random_distances(6, 64, random);
  const tensor<float, 2> points = blobs(6, 3, 2, 2.0, random);
  const walk_plan plan{.seed = 1, .k = 2, .steps = 2};
  const imgsim::cuda::cluster_policy policy{.threads = 32};
  check_faults([&] { (void)device_walk(distances.view(), plan, policy, place_of_rows::host); });
  check_faults([&] { (void)device_silhouettes(distances.view(), plan, policy, place_of_rows::host); });
  using plain = device_case<imgsim::cosine, float>;
  check_faults([&] { (void)device_walk<plain>(points.view(), plan, policy, place_of_rows::device); });
}

BOOST_AUTO_TEST_CASE(of_k_means) {
  random_stream random(2);
  const tensor<float, 2> points = blobs(5, 2, 2, 3.0, random);
  check_faults([&] { (void)device_k_means(points.view(), {.k = 2, .max_iterations = 2}); });
}

BOOST_AUTO_TEST_SUITE_END()
