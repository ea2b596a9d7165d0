// Every preset on a CUDA device and on the CPU: the same photos, weights and steps, and results that differ by
// rounding.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstddef>
#include <string_view>
#include <vector>

#include "cuda_host/network/operations.hpp"
#include "model/network_support.hpp"

namespace {

using namespace imgsim;
using namespace imgsim_test;

constexpr std::size_t kBatch = 3;

/// The smallest photos that all levels and taps of the preset fit.
architecture smallest(std::string_view name) {
  return preset(name, {.size = name == "default" ? 32 : 16});
}

double largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
  BOOST_TEST_REQUIRE(a.size() == b.size());
  double most = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    most = std::max(most, std::fabs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
  return most;
}
double largest_of(const std::vector<float>& values) {
  double most = 0;
  for (const float value : values) most = std::max(most, std::fabs(static_cast<double>(value)));
  return most;
}

/// Terms of the longest sum that a gradient of this network goes through: of the photo's pixels in a kernel's gradient,
/// or of a kernel's or dense layer's inputs.
std::size_t longest_sum(const architecture& a) {
  const network_plan plan = plan_network(a);
  std::size_t most = kBatch * a.height * a.width;
  for (const planned_parameter& p : plan.parameters) most = std::max(most, p.fan_in);
  return most;
}

/// Each value is a chain of sums; both sides round each of them differently. Rounding errors of a sum of n independent
/// terms are about sqrt(n) * 2^-24 of its scale, and each of the layers passes on what it is given with a gain of about
/// one: with L layers forward and as many back, 2 L sqrt(n) * 2^-24, four times that for the largest of many values.
double allowed_error(const architecture& description) {
  const auto layers = static_cast<double>(description.encoder.size() + description.decoder.size());
  return 4 * 2 * layers * std::sqrt(static_cast<double>(longest_sum(description))) * 0x1p-24;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(cuda_network_presets)

BOOST_AUTO_TEST_CASE(gradients_equal_those_of_the_cpu) {
  for (const std::string_view name : preset_names()) {
    BOOST_TEST_CONTEXT(name) {
      const architecture description = smallest(name);
      const double allowed = allowed_error(description);
      network on_cpu(cpu_context(1), description, precision::float32, 7);
      device_network on_device(description, 7);
      randomise(on_cpu, 5);
      randomise(on_device, 5);
      const auto photos = random_photos(kBatch, description, 3);
      const step_loss expected = on_cpu.evaluate(photos.view()), found = on_device.evaluate(photos.view());
      BOOST_TEST(std::fabs(found.data - expected.data) <= allowed * expected.data);
      BOOST_TEST(std::fabs(found.penalty - expected.penalty) <= allowed * expected.penalty);

      const auto of_cpu = gradients_of_step(on_cpu, photos), of_device = gradients_of_step(on_device, photos);
      BOOST_TEST_REQUIRE(of_cpu.size() == of_device.size());
      double scale = 0;
      for (const named_tensor& gradient : of_cpu) scale = std::max(scale, largest_of(gradient.values));
      for (std::size_t i = 0; i < of_cpu.size(); ++i) {
        BOOST_TEST_CONTEXT(of_cpu[i].name) {
          BOOST_TEST(of_cpu[i].name == of_device[i].name);
          BOOST_TEST(largest_difference(of_cpu[i].values, of_device[i].values) <= allowed * scale);
        }
      }
    }
  }
}

// The first step of Adam moves each parameter by rate * g / (|g| + epsilon'): the derivative by g is at most rate /
// epsilon', with epsilon' = epsilon. With an epsilon above the gradients' errors, those of the step follow.
BOOST_AUTO_TEST_CASE(a_whole_step_equals_that_of_the_cpu) {
  const adam_step step{.learning_rate = 1e-3, .epsilon = 1e-2};
  for (const std::string_view name : preset_names()) {
    BOOST_TEST_CONTEXT(name) {
      const architecture description = smallest(name);
      const double allowed = allowed_error(description);
      network on_cpu(cpu_context(1), description, precision::float32, 7);
      device_network on_device(description, 7);
      const auto photos = waves(kBatch, 3, description.height);
      const step_loss expected = on_cpu.train_step(constant(photos), step);
      const step_loss found = on_device.train_step(constant(photos), step);
      BOOST_TEST(std::fabs(found.data - expected.data) <= allowed * expected.data);
      BOOST_TEST(std::fabs(found.penalty - expected.penalty) <= allowed * expected.penalty);
      double gradient = 0;
      for (const named_tensor& moment : on_cpu.optimizer_state())
        if (moment.name.ends_with(".first_moment")) gradient = std::max(gradient, largest_of(moment.values) / 0.1);
      const auto of_cpu = on_cpu.state(), of_device = on_device.state();
      for (std::size_t i = 0; i < of_cpu.size(); ++i) {
        BOOST_TEST_CONTEXT(of_cpu[i].name) {
          const double by_gradient = step.learning_rate / step.epsilon * allowed * gradient;
          BOOST_TEST(largest_difference(of_cpu[i].values, of_device[i].values) <=
                     by_gradient + allowed * std::max(largest_of(of_cpu[i].values), 1e-3));
        }
      }
      tensor<float, 2> cpu_features({kBatch, on_cpu.feature_size()}), device_features(cpu_features.extents());
      on_cpu.encode(constant(photos), cpu_features.view());
      on_device.encode(constant(photos), device_features.view());
      const std::vector<float> a(cpu_features.begin(), cpu_features.end()),
          b(device_features.begin(), device_features.end());
      BOOST_TEST(largest_difference(a, b) <= 10 * allowed * std::max(largest_of(a), 1.0));
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
