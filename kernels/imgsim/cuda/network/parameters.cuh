// A network's parameters on the device, their gradients and Adam. One array, in three runs: kernels (which have the
// penalty), the other parameters that the gradient trains, statistics. Gradients and moments have the same layout.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <imgsim/core/view.hpp>
#include <imgsim/cuda/network/adam_kernel.cuh>
#include <imgsim/cuda/network/launches.cuh>
#include <imgsim/cuda/network/layer.hpp>
#include <imgsim/model/backend.hpp>
#include <imgsim/model/network_plan.hpp>

namespace imgsim::cuda {

class parameter_store {
 public:
  parameter_store(network_session& session, const network_plan& plan)
      : session_(session), places_(plan.parameters.size()), kernel_l2_(plan.kernel_l2) {
    std::size_t size = 0;
    const auto place_where = [&](auto&& wanted) {
      for (std::size_t i = 0; i < places_.size(); ++i) {
        if (!wanted(plan.parameters[i].role)) continue;
        places_[i] = {size, plan.parameters[i].size()};
        size += (places_[i].size + kAlignedFloats - 1) / kAlignedFloats * kAlignedFloats;
      }
      return checked_count(size, "parameters");
    };
    kernels_ = place_where([](parameter_role role) { return role == parameter_role::kernel; });
    trained_ = place_where([](parameter_role role) { return role != parameter_role::kernel && is_trained(role); });
    values_ = zeros(place_where([](parameter_role role) { return !is_trained(role); }));
  }

  [[nodiscard]] parameter_view view_of(std::size_t i) const {
    return {values_.get() + places_[i].offset, places_[i].offset};
  }
  /// Of all parameters; allotted on first use.
  [[nodiscard]] float* gradients() {
    if (gradients_.size() == 0) gradients_ = zeros(trained_);
    return gradients_.get();
  }

  /// Waited for.
  void write(std::size_t i, std::span<const float> values) { write_part(values_.get(), i, values); }
  void read(std::size_t i, std::span<float> values) const { read_part(values_.get(), i, values); }
  void write_moments(std::size_t i, std::span<const float> first, std::span<const float> second) {
    allot_moments();
    write_part(first_.get(), i, first);
    write_part(second_.get(), i, second);
  }
  void read_moments(std::size_t i, std::span<float> first, std::span<float> second) const {
    if (first_.size() == 0) {
      std::ranges::fill(first, 0.0f);
      std::ranges::fill(second, 0.0f);
      return;
    }
    read_part(first_.get(), i, first);
    read_part(second_.get(), i, second);
  }

  /// *penalty = kernel_l2 * sum of squares of the kernels; queued.
  void queue_penalty(double* penalty) {
    queue_sum(session_, kernels_, kernel_l2_, penalty, [&](unsigned blocks, double* partial) {
      launch({dim3(blocks), dim3(kNetworkThreads)}, session_.context.stream(), sum_squares<float>, kernels_,
             values_.get(), partial);
    });
  }

  /// Queues one step of Adam on the gradients plus that of the penalty; *penalty is that before it.
  void queue_step(const adam_step& adam, std::uint64_t step, double* penalty) {
    allot_moments();
    const adam_rule rule = rule_of(adam, step);
    const auto decay = static_cast<float>(2.0 * kernel_l2_);
    queue_sum(session_, trained_, kernel_l2_, penalty, [&](unsigned blocks, double* partial) {
      launch({dim3(blocks), dim3(kNetworkThreads)}, session_.context.stream(), adam_update<float>, trained_, kernels_,
             rule, decay, gradients(), values_.get(), first_.get(), second_.get(), partial);
    });
  }

 private:
  /// 256 bytes, as libraries like operands best.
  static constexpr std::size_t kAlignedFloats = 64;

  struct place {
    std::size_t offset = 0;
    std::size_t size = 0;
  };

  [[nodiscard]] device_buffer<float> zeros(std::size_t count) const {
    device_buffer<float> made = session_.context.allocate<float>(count);
    if (count > 0) IMGSIM_CUDA_CHECK(cudaMemsetAsync(made.get(), 0, count * sizeof(float), session_.context.stream()));
    return made;
  }
  void allot_moments() {
    if (first_.size() != 0) return;
    device_buffer<float> first = zeros(trained_);
    second_ = zeros(trained_);
    first_ = std::move(first);
  }

  void write_part(float* array, std::size_t i, std::span<const float> values) const {
    const cuda_context::waits_if_thrown wait(session_.context);
    session_.context.copy(matrix_view<const float>(values.data(), {1, values.size()}),
                          matrix_view<float, device_space>(array + places_[i].offset, {1, values.size()}));
    session_.context.synchronize();
  }
  void read_part(const float* array, std::size_t i, std::span<float> values) const {
    const cuda_context::waits_if_thrown wait(session_.context);
    session_.context.copy(matrix_view<const float, device_space>(array + places_[i].offset, {1, values.size()}),
                          matrix_view<float>(values.data(), {1, values.size()}));
    session_.context.synchronize();
  }

  network_session& session_;
  std::vector<place> places_;
  double kernel_l2_;
  unsigned kernels_ = 0;  // floats of the first run, of the first two
  unsigned trained_ = 0;
  device_buffer<float> values_;
  device_buffer<float> gradients_;
  device_buffer<float> first_;
  device_buffer<float> second_;
};

}  // namespace imgsim::cuda
