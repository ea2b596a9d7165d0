// A network on the CPU: its layers, their parameters, and the order of work in a pass. Sums over shards are taken in an
// order that depends on the batch alone, so results do not depend on the number of threads.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include <imgsim/cpu/network/chain.hpp>
#include <imgsim/cpu/network/layer_factory.hpp>
#include <imgsim/cpu/network/loss.hpp>
#include <imgsim/cpu/network/parameters.hpp>
#include <imgsim/cpu/network/policy.hpp>
#include <imgsim/cpu/network/taps.hpp>
#include <imgsim/model/backend.hpp>
#include <imgsim/model/invariance.hpp>
#include <imgsim/model/network_plan.hpp>

namespace imgsim::cpu {

class executor {
 public:
  executor(const cpu_context& context, const network_plan& plan, element type, const network_policy& policy)
      : context_(context),
        policy_(policy),
        plan_(plan),
        type_(type),
        head_{plan.loss, plan.has_decoder() && std::holds_alternative<sigmoid>(plan.layers.back().operation)},
        session_(context.threads()),
        parameters_(plan_) {
    make_layers(plan_.layers.size() - (head_.after_sigmoid ? 1 : 0));
    choose_shard_size();
    std::size_t tapped = 0;
    for (const planned_tap& t : plan_.taps) tapped = std::max(tapped, t.layer + 1);
    encoding_.emplace(layers_, tapped, pass_kind::inference, session_);
    reconstruction_.emplace(layers_, layers_.size(), pass_kind::inference, session_);
    training_.emplace(layers_, layers_.size(), pass_kind::training, session_, view_tapped());
  }
  executor(const executor&) = delete;
  executor& operator=(const executor&) = delete;

  [[nodiscard]] parameter_store& parameters() noexcept { return parameters_; }
  [[nodiscard]] const parameter_store& parameters() const noexcept { return parameters_; }
  /// To be called after parameters were written.
  void parameters_changed() noexcept { ++version_; }

  step_loss train_step(const training_batch& batch, const adam_step& adam, std::uint64_t step) {
    const sharding shards{batch_of(batch.photos), shard_size_};
    const std::size_t groups = std::min(shards.count(), kMostGroups);
    const bool compares = batch.invariance > 0.0;
    chain& pass = *training_;
    prepare(pass, shards);
    parameters_.prepare_training(groups);
    losses_.resize(shards.count());
    if (compares) reserve_views(shards.photos);

    // A group's shards run in order on one thread, so that its sums of gradients have one order.
    const auto for_each_shard = [&](auto&& body) {
      for_each_task(context_, session_, groups, [&](worker& w, std::size_t group) {
        const std::size_t end = (group + 1) * shards.count() / groups;
        for (std::size_t s = group * shards.count() / groups; s < end; ++s) {
          const piece p{s, shards.first(s), slice(batch.photos, shards.first(s), shards.photos_of(s))};
          body(w, p, parameters_.group_gradients(group));
        }
      });
    };
    const auto look = [&](worker& w, const piece& p, std::size_t k, bool takes_views) {
      forward(pass, w, k, p.index, p.photos, [&](std::size_t i, const void* out) {
        if (takes_views) pool_views(w, p, i, out);
      });
    };
    const auto return_through = [&](worker& w, const piece& p, std::size_t k, float* gradients) {
      pass.backward(w, k, p.index, gradients, [&](std::size_t i, const void* out, void* gradient) {
        if (compares) add_view_gradients(w, p, i, out, gradient);
      });
    };
    const std::size_t last = pass.segments() - 1;
    for (std::size_t k = 0; k < last; ++k) {
      for_each_shard([&](worker& w, const piece& p, float*) { look(w, p, k, compares); });
      pass.finish(k + 1);
    }
    double invariance = 0.0;
    if (compares) {
      // The last segment's shards go forward and back at once, so what they show is to be known before.
      if (pass.first_layer(last) <= last_view_layer())
        for_each_shard([&](worker& w, const piece& p, float*) { look(w, p, last, true); });
      invariance = batch.invariance * compare_views_(view_features(shards.photos), batch.invariance,
                                                     view_gradients_.view().slice(0, shards.photos));
    }
    for_each_shard([&](worker& w, const piece& p, float* gradients) {
      look(w, p, last, false);
      losses_[p.index] =
          differentiate(pass, w, p.index, slice(batch.targets, p.first, batch_of(p.photos)), shards.photos);
      return_through(w, p, last, gradients);
    });
    for (std::size_t k = last; k > 0; --k) {
      pass.finish_backward(k, parameters_.direct_gradients());
      for_each_shard([&](worker& w, const piece& p, float* gradients) { return_through(w, p, k - 1, gradients); });
    }
    if (policy_.exchange) policy_.exchange(parameters_.sum_gradients(context_, session_, groups), shards.photos);
    const double penalty = parameters_.step(context_, session_, policy_.exchange ? 0 : groups, adam, step);
    parameters_changed();
    return {mean_loss(shards), penalty, invariance};
  }

  step_loss evaluate(const photo_pixels& photos) {
    run_inference(
        *reconstruction_, photos, [](worker&, const piece&, std::size_t, const void*) {},
        [&](const piece& p, const void* out) {
          visit_output(out, [&](const auto* values) {
            losses_[p.index] = sum_losses(values, p.photos, static_cast<float*>(nullptr), 0.0f);
          });
        });
    return {mean_loss(sharding{batch_of(photos), shard_size_}), parameters_.penalty(context_, session_)};
  }

  void reconstruct(const photo_pixels& photos, view<float, 4> out) {
    const std::size_t size = plan_.input.size();
    run_inference(
        *reconstruction_, photos, [](worker&, const piece&, std::size_t, const void*) {},
        [&](const piece& p, const void* values) {
          for (std::size_t b = 0; b < batch_of(p.photos); ++b) {
            float* const photo = out.data() + (p.first + b) * out.stride(0);
            visit_output(values, [&](const auto* v) { head_.output(v + b * size, size, photo); });
          }
        });
  }

  void encode(const photo_pixels& photos, matrix_view<float> features) {
    run_inference(
        *encoding_, photos,
        [&](worker& w, const piece& p, std::size_t i, const void* out) {
          for (const planned_tap& t : plan_.taps) {
            if (t.layer != i) continue;
            pool_tap(w, t, plan_.layers[i].out, layers_[i]->output_type(), out,
                     features.slice(p.first, batch_of(p.photos)));
          }
        },
        [](const piece&, const void*) {});
  }

 private:
  /// Partial sums of gradients in a training step, and so the most threads that share its work.
  static constexpr std::size_t kMostGroups = 16;
  /// Photos that a pass of inference holds at a time where a layer needs a whole batch; a multiple of every shard size.
  static constexpr std::size_t kInferenceBatch = 64;
  static constexpr std::size_t kLargestShard = 8;
  /// A shard's largest activation, where more than one photo fits: half of a usual second-level cache.
  static constexpr std::size_t kShardBytes = std::size_t{1} << 19;

  /// A shard of a call: its place in the whole call, and its pixels.
  struct piece {
    std::size_t index;
    std::size_t first;
    photo_pixels photos;
  };

  [[nodiscard]] std::vector<bool> view_tapped() const {
    std::vector<bool> tapped(plan_.layers.size());
    for (const planned_tap& t : plan_.view_taps) tapped[t.layer] = true;
    return tapped;
  }
  [[nodiscard]] std::size_t last_view_layer() const {
    return std::ranges::max(plan_.view_taps, {}, &planned_tap::layer).layer;
  }

  void reserve_views(std::size_t photos) {
    if (view_features_.extent(0) >= photos) return;
    view_features_ = tensor<float, 2>({photos, plan_.view_size});
    view_gradients_ = tensor<float, 2>({photos, plan_.view_size});
  }
  [[nodiscard]] matrix_view<const float> view_features(std::size_t photos) const {
    return view_features_.view().slice(0, photos);
  }
  void pool_views(worker& w, const piece& p, std::size_t i, const void* out) {
    for (const planned_tap& t : plan_.view_taps) {
      if (t.layer == i)
        pool_tap(w, t, plan_.layers[i].out, layers_[i]->output_type(), out,
                 view_features_.view().slice(p.first, batch_of(p.photos)));
    }
  }
  void add_view_gradients(worker& w, const piece& p, std::size_t i, const void* out, void* gradient) const {
    const std::size_t photos = batch_of(p.photos);
    for (const planned_tap& t : plan_.view_taps) {
      if (t.layer == i)
        add_tap_gradient(w, t, plan_.layers[i].out, type_, out, view_features_.view().slice(p.first, photos),
                         view_gradients_.view().slice(p.first, photos), gradient);
    }
  }

  void make_layers(std::size_t count) {
    const single_threaded_openmp guard;
    std::vector<bool> is_tapped(plan_.layers.size());
    for (const planned_tap& t : plan_.taps) is_tapped[t.layer] = true;
    const auto tiles = [&](std::size_t i) {
      const auto* const pooling = i < count ? std::get_if<max_pooling>(&plan_.layers[i].operation) : nullptr;
      return pooling != nullptr && pools_by_tiles(*pooling, plan_.layers[i].in, type_);
    };
    // Only a whole run of convolution, rectifier and pooling, none of them tapped in between.
    const auto pools = [&](std::size_t i) {
      const auto* const spec = std::get_if<convolution>(&plan_.layers[i].operation);
      return spec != nullptr && tiles(i + 2) && rectifier_slope(plan_.layers[i + 1].operation) && !is_tapped[i] &&
             !is_tapped[i + 1] &&
             narrow_passes::pools_to_coarse({spec->kernel, spec->stride, spec->padding}, plan_.layers[i].out, type_);
    };
    // What is added to a rectifier's gradient for its views must pass through the rectifier itself.
    const std::vector<bool> has_views = view_tapped();
    const auto rectifies_backward = [&](std::size_t i) { return tiles(i) && i > 0 && !has_views[i - 1]; };
    shared_work shared;
    for (std::size_t i = 0; i < count; ++i) {
      const planned_layer& planned = plan_.layers[i];
      std::vector<parameter_view> views;
      for (std::size_t p = 0; p < planned.parameter_count; ++p) {
        views.push_back(parameters_.view_of(planned.first_parameter + p));
      }
      shared = {.done_before = shared.next.has_value(),
                .done_after = rectifies_backward(i + 1),
                .pools_after = pools(i),
                .pooled_before = i >= 2 && pools(i - 2)};
      if (i + 1 < count && can_rectify(planned.operation) && !is_tapped[i]) {
        shared.next = rectifier_slope(plan_.layers[i + 1].operation);
      }
      if (rectifies_backward(i)) shared.previous = rectifier_slope(plan_.layers[i - 1].operation);
      // Only these can write what enters the loss in float32, whatever they read.
      const bool widens = can_rectify(planned.operation) || std::holds_alternative<dense>(planned.operation);
      const element out_type = i + 1 == count && widens ? element::float32 : type_;
      layers_.push_back(
          make_layer(planned.operation,
                     {session_, context_, planned.in, planned.out, type_, out_type, views, i > 0, policy_}, shared));
    }
  }

  /// A power of two that depends on the architecture alone.
  void choose_shard_size() {
    std::size_t largest = 1;
    for (const planned_layer& l : plan_.layers) largest = std::max(largest, l.out.size() * sizeof(float));
    shard_size_ = 1;
    while (shard_size_ < kLargestShard && 2 * shard_size_ * largest <= kShardBytes) shard_size_ *= 2;
  }

  void prepare(chain& pass, const sharding& shards) const {
    const single_threaded_openmp guard;
    pass.prepare(shards, version_);
  }

  [[nodiscard]] static std::size_t batch_of(const photo_pixels& photos) {
    return std::visit([](const auto& p) { return p.extent(0); }, photos);
  }
  [[nodiscard]] static photo_pixels slice(const photo_pixels& photos, std::size_t first, std::size_t count) {
    return std::visit([&](const auto& p) -> photo_pixels { return p.slice(first, count); }, photos);
  }

  template <class AfterLayer>
  void forward(chain& pass, worker& w, std::size_t k, std::size_t shard, const photo_pixels& photos,
               AfterLayer&& after_layer) {
    if (k == 0) std::visit([&](const auto& p) { load_pixels(p, pass.input(w, shard), type_); }, photos);
    pass.forward(w, k, shard, after_layer);
  }

  /// f(pointer to the output's values)
  template <class F>
  void visit_output(const void* out, F&& f) const {
    visit_element(layers_.back()->output_type(), [&]<class T>(T*) { f(static_cast<const T*>(out)); });
  }

  template <class T, class Gradient>
  [[nodiscard]] double sum_losses(const T* values, const photo_pixels& targets, Gradient* gradient, float scale) const {
    const std::size_t size = plan_.input.size();
    double sum = 0.0;
    std::visit(
        [&](const auto& t) {
          for (std::size_t b = 0; b < t.extent(0); ++b) {
            Gradient* const to = gradient == nullptr ? nullptr : gradient + b * size;
            sum += head_.evaluate(values + b * size, t.data() + b * t.stride(0), size, to, scale);
          }
        },
        targets);
    return sum;
  }

  /// The loss of a shard's output, and its gradient into the chain.
  [[nodiscard]] double differentiate(chain& pass, worker& w, std::size_t shard, const photo_pixels& targets,
                                     std::size_t batch) const {
    const auto scale = static_cast<float>(1.0 / static_cast<double>(batch * plan_.input.size()));
    double sum = 0.0;
    visit_element(type_, [&]<class Gradient>(Gradient*) {
      visit_output(pass.output(w, shard), [&](const auto* values) {
        sum = sum_losses(values, targets, static_cast<Gradient*>(pass.output_gradient(w)), scale);
      });
    });
    return sum;
  }

  [[nodiscard]] double mean_loss(const sharding& shards) const {
    double sum = 0.0;
    for (std::size_t s = 0; s < shards.count(); ++s) sum += losses_[s];
    return sum / static_cast<double>(shards.photos * plan_.input.size());
  }

  /// after_layer(worker, piece, layer, output), at_end(piece, output of the chain)
  template <class AfterLayer, class AtEnd>
  void run_inference(chain& pass, const photo_pixels& photos, AfterLayer&& after_layer, AtEnd&& at_end) {
    const std::size_t batch = batch_of(photos);
    losses_.resize(sharding{batch, shard_size_}.count());
    for (std::size_t begin = 0; begin < batch; begin += kInferenceBatch) {
      const sharding shards{std::min(kInferenceBatch, batch - begin), shard_size_};
      prepare(pass, shards);
      for (std::size_t k = 0; k < pass.segments(); ++k) {
        if (k > 0) pass.finish(k);
        for_each_task(context_, session_, shards.count(), [&](worker& w, std::size_t shard) {
          const std::size_t first = begin + shards.first(shard);
          const piece p{first / shard_size_, first, slice(photos, first, shards.photos_of(shard))};
          forward(pass, w, k, shard, p.photos, [&](std::size_t i, const void* out) { after_layer(w, p, i, out); });
          if (k + 1 == pass.segments()) at_end(p, pass.output(w, shard));
        });
      }
    }
  }

  cpu_context context_;
  network_policy policy_;
  network_plan plan_;
  element type_;
  loss_head head_;
  onednn_session session_;
  parameter_store parameters_;
  std::vector<std::unique_ptr<layer>> layers_;  // without the sigmoid that belongs to the loss
  std::size_t shard_size_ = 1;
  std::uint64_t version_ = 1;
  std::vector<double> losses_;                       // of each shard
  tensor<float, 2> view_features_, view_gradients_;  // of the photos of a step
  invariance_loss compare_views_;
  std::optional<chain> encoding_, reconstruction_, training_;
};

}  // namespace imgsim::cpu
