// A network's parameters, their gradients and Adam. Three runs in one array: those of shard layers (gradients are
// summed for each group of shards apart, then added in the order of groups), those of barrier layers (one gradient),
// statistics.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <imgsim/core/simd.hpp>
#include <imgsim/cpu/network/layer.hpp>
#include <imgsim/model/backend.hpp>
#include <imgsim/model/network_plan.hpp>

namespace imgsim::cpu {

class parameter_store {
 public:
  explicit parameter_store(const network_plan& plan) : places_(plan.parameters.size()) {
    std::vector<bool> of_shard_layer(plan.parameters.size());
    for (const planned_layer& layer : plan.layers) {
      const bool grouped = std::holds_alternative<convolution>(layer.operation) ||
                           std::holds_alternative<transposed_convolution>(layer.operation);
      for (std::size_t i = 0; i < layer.parameter_count; ++i) of_shard_layer[layer.first_parameter + i] = grouped;
    }
    std::size_t size = 0;
    const auto place_where = [&](auto&& wanted) {
      for (std::size_t i = 0; i < places_.size(); ++i) {
        if (!wanted(i)) continue;
        const planned_parameter& p = plan.parameters[i];
        places_[i] = {size, p.size()};
        if (is_trained(p.role)) add_blocks(places_[i], p.role == parameter_role::kernel ? plan.kernel_l2 : 0.0);
        size += (p.size() + kAlignedFloats - 1) / kAlignedFloats * kAlignedFloats;
      }
      return size;
    };
    grouped_size_ = place_where([&](std::size_t i) { return of_shard_layer[i]; });
    trained_size_ =
        place_where([&](std::size_t i) { return !of_shard_layer[i] && is_trained(plan.parameters[i].role); });
    place_where([&](std::size_t i) { return !is_trained(plan.parameters[i].role); });
    values_ = tensor<float, 1>({size});
    penalties_.resize(blocks_.size());
  }

  [[nodiscard]] std::size_t grouped_size() const noexcept { return grouped_size_; }

  /// Pointers stay valid for the life of the store.
  [[nodiscard]] parameter_view view_of(std::size_t i) noexcept {
    return {values_.data() + places_[i].offset, places_[i].offset, places_[i].size};
  }

  [[nodiscard]] std::span<float> values(std::size_t i) noexcept {
    return {values_.data() + places_[i].offset, places_[i].size};
  }
  [[nodiscard]] std::span<const float> values(std::size_t i) const noexcept {
    return {values_.data() + places_[i].offset, places_[i].size};
  }
  /// Empty until moments are written or a step has been made.
  [[nodiscard]] std::span<const float> first_moment(std::size_t i) const noexcept { return part(first_, i); }
  [[nodiscard]] std::span<const float> second_moment(std::size_t i) const noexcept { return part(second_, i); }

  void write_moments(std::size_t i, std::span<const float> first, std::span<const float> second) {
    allot_moments();
    std::ranges::copy(first, first_.data() + places_[i].offset);
    std::ranges::copy(second, second_.data() + places_[i].offset);
  }

  /// Gradient memory for `groups` groups of shards, their sums zero.
  void prepare_training(std::size_t groups) {
    allot_moments();
    if (direct_gradients_.empty()) direct_gradients_ = tensor<float, 1>({std::max<std::size_t>(trained_size_, 1)});
    if (group_gradients_.extent(0) < groups) group_gradients_ = tensor<float, 2>({groups, grouped_size_});
    std::fill_n(group_gradients_.data(), groups * grouped_size_, 0.0f);
  }
  [[nodiscard]] float* group_gradients(std::size_t group) noexcept {
    return group_gradients_.data() + group * grouped_size_;
  }
  /// Gradients of barrier layers.
  [[nodiscard]] float* direct_gradients() noexcept { return direct_gradients_.data(); }

  /// The penalty kernel_l2 * sum(w^2).
  [[nodiscard]] double penalty(const cpu_context& context, onednn_session& session) {
    for_each_task(context, session, blocks_.size(),
                  [&](worker&, std::size_t b) { penalties_[b] = penalty_of(blocks_[b]); });
    return sum_of_penalties();
  }

  /// The gradient of every trained parameter, summed over `groups`, for step() with none: [trained size].
  [[nodiscard]] std::span<float> sum_gradients(const cpu_context& context, onednn_session& session,
                                               std::size_t groups) {
    for_each_task(context, session, blocks_.size(), [&](worker&, std::size_t b) {
      const block& part = blocks_[b];
      if (part.begin < grouped_size_) sum_groups(part, groups, direct_gradients_.data() + part.begin);
    });
    return {direct_gradients_.data(), trained_size_};
  }

  /// One step of Adam on the gradients, summed over `groups` (0: they are, by sum_gradients), plus that of the penalty;
  /// returns the penalty before it.
  double step(const cpu_context& context, onednn_session& session, std::size_t groups, const adam_step& adam,
              std::uint64_t count) {
    const adam_rule rule = rule_of(adam, count);
    for_each_task(context, session, blocks_.size(), [&](worker& w, std::size_t b) {
      const block& part = blocks_[b];
      penalties_[b] = penalty_of(part);
      const float* gradient = direct_gradients_.data() + part.begin;
      if (groups > 0 && part.begin < grouped_size_) gradient = sum_groups(part, groups, w.scratch.at_least(part.size));
      apply(rule, part, gradient);
    });
    return sum_of_penalties();
  }

 private:
  static constexpr std::size_t kAlignedFloats = kAlignment / sizeof(float);
  static constexpr std::size_t kBlockSize = std::size_t{1} << 14;

  struct place {
    std::size_t offset = 0;
    std::size_t size = 0;
  };
  /// A piece of one parameter: the unit of work of a step.
  struct block {
    std::size_t begin;
    std::size_t size;
    double l2;
  };

  void add_blocks(const place& p, double l2) {
    for (std::size_t begin = 0; begin < p.size; begin += kBlockSize) {
      blocks_.push_back({p.offset + begin, std::min(kBlockSize, p.size - begin), l2});
    }
  }

  void allot_moments() {
    if (!first_.empty() || trained_size_ == 0) return;
    first_ = tensor<float, 1>({trained_size_});
    second_ = tensor<float, 1>({trained_size_});
  }

  [[nodiscard]] std::span<const float> part(const tensor<float, 1>& of, std::size_t i) const noexcept {
    if (of.empty()) return {};
    return {of.data() + places_[i].offset, places_[i].size};
  }

  [[nodiscard]] double penalty_of(const block& b) const {
    if (b.l2 == 0.0) return 0.0;
    double sum = 0.0;
    for (std::size_t i = b.begin; i < b.begin + b.size; ++i) {
      sum += static_cast<double>(values_(i)) * static_cast<double>(values_(i));
    }
    return b.l2 * sum;
  }
  [[nodiscard]] double sum_of_penalties() const {
    double sum = 0.0;
    for (const double p : penalties_) sum += p;
    return sum;
  }

  const float* sum_groups(const block& b, std::size_t groups, float* sum) const {
    vectorised([&]() IMGSIM_VECTORISED {
      const float* gradient = group_gradients_.data() + b.begin;
      std::copy_n(gradient, b.size, sum);
      for (std::size_t group = 1; group < groups; ++group) {
        gradient += grouped_size_;
        for (std::size_t i = 0; i < b.size; ++i) sum[i] += gradient[i];
      }
    });
    return sum;
  }

  void apply(const adam_rule& rule, const block& b, const float* gradient) {
    float* const value = values_.data() + b.begin;
    float* const first = first_.data() + b.begin;
    float* const second = second_.data() + b.begin;
    const auto decay = static_cast<float>(2.0 * b.l2);
    vectorised([=, n = b.size]() IMGSIM_VECTORISED {
      for (std::size_t i = 0; i < n; ++i) {
        const float g = gradient[i] + decay * value[i];
        first[i] = rule.keep1 * first[i] + rule.take1 * g;
        second[i] = rule.keep2 * second[i] + rule.take2 * g * g;
        value[i] -= rule.rate * first[i] / (std::sqrt(second[i]) * rule.root_scale + rule.epsilon);
      }
    });
  }

  std::vector<place> places_;
  std::vector<block> blocks_;
  std::vector<double> penalties_;  // of each block
  std::size_t grouped_size_ = 0;
  std::size_t trained_size_ = 0;
  tensor<float, 1> values_, first_, second_, direct_gradients_;
  tensor<float, 2> group_gradients_;  // [groups, grouped size]
};

}  // namespace imgsim::cpu
