// For the tests of the fake libraries.
#pragma once

#include <cuda_runtime_api.h>

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include <imgsim/core/random.hpp>

#include "cuda_host/runtime/faults.hpp"
#include "cuda_host/support/device_array.hpp"

namespace imgsim_test {

inline std::vector<float> random_floats(std::size_t count, std::uint64_t seed) {
  std::vector<float> values(count);
  imgsim::random_stream random(seed);
  for (float& value : values) value = static_cast<float>(random.uniform(-1, 1));
  return values;
}

/// The fakes compute in double and round once; two orders of a double sum may round to neighbouring floats.
inline void check_equal(const std::vector<float>& found, const std::vector<double>& expected) {
  BOOST_TEST_REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i)
    BOOST_TEST_REQUIRE(
        std::fabs(static_cast<double>(found[i]) - expected[i]) <= 0x1p-23 * std::fabs(expected[i]) + 1e-12,
        "value " << i << ": " << found[i] << ", expected " << expected[i]);
}

/// Page-locked host memory, so that copies from it are queued.
class pinned_copy {
 public:
  explicit pinned_copy(const std::vector<float>& values) {
    IMGSIM_CUDA_CHECK(cudaMallocHost(reinterpret_cast<void**>(&values_), values.size() * sizeof(float)));
    std::memcpy(values_, values.data(), values.size() * sizeof(float));
  }
  ~pinned_copy() { cudaFreeHost(values_); }
  pinned_copy(const pinned_copy&) = delete;
  pinned_copy& operator=(const pinned_copy&) = delete;
  [[nodiscard]] const float* get() const { return values_; }

 private:
  float* values_ = nullptr;
};

}  // namespace imgsim_test
