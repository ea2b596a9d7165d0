// A network on a device: its layers, their memory, and the order of work in a pass.
//
// Training holds every layer's output for the whole batch and two gradients, used in turn. Inference goes through the
// photos in batches of one fixed size, with two pieces of memory used in turn. Nothing is waited for within a pass, but
// for the features of an invariance term (view_term.cuh); a call waits once, for its answer.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <imgsim/core/view.hpp>
#include <imgsim/cuda/network/layer_factory.cuh>
#include <imgsim/cuda/network/loss_head.cuh>
#include <imgsim/cuda/network/parameters.cuh>
#include <imgsim/cuda/network/view_term.cuh>
#include <imgsim/model/backend.hpp>
#include <imgsim/model/network_plan.hpp>

namespace imgsim::cuda {

class executor {
 public:
  executor(const cuda_context& context, const network_plan& plan, const network_policy& policy)
      : plan_(plan),
        head_{plan.loss, plan.has_decoder() && std::holds_alternative<sigmoid>(plan.layers.back().operation)},
        session_(context, policy),
        parameters_(session_, plan_),
        totals_(context.allocate<double>(2)),
        views_(session_, plan_) {
    make_layers(plan_.layers.size() - (head_.after_sigmoid ? 1 : 0));
  }
  executor(const executor&) = delete;
  executor& operator=(const executor&) = delete;

  [[nodiscard]] parameter_store& parameters() noexcept { return parameters_; }
  [[nodiscard]] const parameter_store& parameters() const noexcept { return parameters_; }
  /// To be called after parameters were written.
  void parameters_changed() noexcept { ++version_; }

  step_loss train_step(const training_batch& batch, const adam_step& adam, std::uint64_t step) {
    std::array<double, 2> totals{};  // outlives the copies that are queued to it
    const cuda_context::waits_if_thrown wait(context());
    const std::size_t photos = batch_of(batch.photos);
    const bool compares = batch.invariance > 0.0;
    prepare(layers_.size(), photos, pass_kind::training);
    parameters_changed();  // from here on, even where a later call fails
    reserve_training(photos);
    if (compares) views_.reserve(photos);
    queue_pixels(batch.photos, activations_[0].get());
    const std::size_t last_view = compares ? last_position(plan_.view_taps) : 0;
    const auto visit_views = [&](std::size_t position, auto&& visit) {
      if (!compares) return;
      for (const planned_tap& t : plan_.view_taps)
        if (positions_[t.layer] == position) visit(t, activations_[position].get());
    };
    for (std::size_t i = 0; i <= layers_.size(); ++i) {
      if (i > 0) layers_[i - 1]->forward(training_batch_of(i - 1, photos));
      visit_views(i, [&](const planned_tap& t, const float* values) { views_.pool(t, values); });
      if (compares && i == last_view) views_.read();
    }

    const std::size_t values = photos * plan_.input.size();
    float* gradient = gradients_[0].get();
    float* next = gradients_[1].get();
    head_.queue(session_, values, activations_.back().get(), queue_targets(batch),
                static_cast<float>(1.0 / static_cast<double>(values)), gradient, totals_.get());
    double invariance = 0.0;
    for (std::size_t i = layers_.size(); i-- > 0;) {
      if (compares && i + 1 == std::max<std::size_t>(last_view, 1)) invariance = views_.compare(batch.invariance);
      visit_views(i + 1, [&](const planned_tap& t, const float* v) { views_.add_gradient(t, v, gradient); });
      layers_[i]->backward(training_batch_of(i, photos), {gradient, i > 0 ? next : nullptr, parameters_.gradients()});
      std::swap(gradient, next);
    }
    parameters_.queue_step(adam, step, totals_.get() + 1);
    read_totals(totals_.get(), totals);
    context().synchronize();
    return {totals[0] / static_cast<double>(values), totals[1], invariance};
  }

  step_loss evaluate(const photo_pixels& photos) {
    const std::size_t size = plan_.input.size();
    double penalty = 0.0;
    std::vector<double> losses;
    losses.reserve(batch_of(photos) / session_.policy.inference_batch + 1);  // copies are queued to where they stay
    const cuda_context::waits_if_thrown wait(context());
    run_inference(
        layers_.size(), photos, [](std::size_t, const piece&, const float*) {},
        [&](const piece& p, float* out) {
          head_.queue(session_, p.count * size, out, input_.get(), 0.0f, nullptr, totals_.get());
          losses.push_back(0.0);
          read_totals(totals_.get(), std::span(&losses.back(), 1));
        });
    parameters_.queue_penalty(totals_.get());
    read_totals(totals_.get(), std::span(&penalty, 1));
    context().synchronize();
    double sum = 0.0;
    for (const double loss : losses) sum += loss;
    return {sum / static_cast<double>(batch_of(photos) * size), penalty};
  }

  void reconstruct(const photo_pixels& photos, const view<float, 4>& out) {
    const cuda_context::waits_if_thrown wait(context());
    const std::size_t size = plan_.input.size();
    run_inference(
        layers_.size(), photos, [](std::size_t, const piece&, const float*) {},
        [&](const piece& p, float* values) {
          head_.queue_output(session_, p.count * size, values);
          context().copy(matrix_view<const float, device_space>(values, {p.count, size}),
                         rows_of(out.slice(p.first, p.count)));
        });
    context().synchronize();
  }

  void encode(const photo_pixels& photos, const matrix_view<float>& features) {
    const cuda_context::waits_if_thrown wait(context());
    const std::size_t last = last_position(plan_.taps);
    float* const room = features_.at_least(context(), session_.policy.inference_batch * plan_.feature_size);
    run_inference(
        last, photos,
        [&](std::size_t position, const piece& p, const float* activations) {
          for (const planned_tap& t : plan_.taps) {
            if (positions_[t.layer] == position) queue_tap(t, p.count, activations, room);
          }
        },
        [&](const piece& p, float*) {
          context().copy(matrix_view<const float, device_space>(room, {p.count, plan_.feature_size}),
                         features.slice(p.first, p.count));
        });
    context().synchronize();
  }

 private:
  /// Photos [first, first + count) of a call.
  struct piece {
    std::size_t first;
    std::size_t count;
  };

  [[nodiscard]] const cuda_context& context() const noexcept { return session_.context; }

  void make_layers(std::size_t count) {
    struct part {
      std::size_t planned;
      float rectifier_slope;
    };
    std::vector<part> parts;
    positions_.resize(plan_.layers.size());
    const auto is_tapped = [&](std::size_t before) {
      return std::ranges::any_of(
          plan_.taps, [&](const planned_tap& t) { return t.layer < before && positions_[t.layer] == parts.size(); });
    };
    for (std::size_t i = 0; i < count; ++i) {
      const layer_operation& operation = plan_.layers[i].operation;
      const auto slope = rectifier_slope(operation);
      const bool joins = slope && !parts.empty() && parts.back().rectifier_slope == 1.0f &&
                         can_rectify(plan_.layers[parts.back().planned].operation) && !is_tapped(i);
      if (joins) parts.back().rectifier_slope = static_cast<float>(*slope);
      if (!joins && !only_reshapes(operation)) parts.push_back({i, static_cast<float>(slope.value_or(1.0))});
      positions_[i] = parts.size();
    }
    for (const part& p : parts) {
      const planned_layer& planned = plan_.layers[p.planned];
      std::vector<parameter_view> views;
      for (std::size_t k = 0; k < planned.parameter_count; ++k)
        views.push_back(parameters_.view_of(planned.first_parameter + k));
      layers_.push_back(make_layer(planned.operation, {session_, planned.in, planned.out, views, p.rectifier_slope}));
      largest_ = std::max(largest_, planned.out.size());
    }
    activations_.resize(layers_.size() + 1);
  }

  void prepare(std::size_t count, std::size_t photos, pass_kind pass) {
    for (std::size_t i = 0; i < count; ++i) layers_[i]->prepare(photos, pass, version_);
  }

  void reserve_training(std::size_t batch) {
    (void)activations_[0].at_least(context(), batch * plan_.input.size());
    for (std::size_t i = 0; i < layers_.size(); ++i)
      (void)activations_[i + 1].at_least(context(), batch * layers_[i]->output_shape().size());
    for (auto& gradient : gradients_)
      (void)gradient.at_least(context(), batch * std::max(largest_, plan_.input.size()));
  }
  [[nodiscard]] layer_batch training_batch_of(std::size_t i, std::size_t batch) const {
    return {batch, pass_kind::training, activations_[i].get(), activations_[i + 1].get()};
  }

  [[nodiscard]] static std::size_t batch_of(const photo_pixels& photos) {
    return std::visit([](const auto& p) { return p.extent(0); }, photos);
  }
  [[nodiscard]] static photo_pixels slice(const photo_pixels& photos, const piece& p) {
    return std::visit([&](const auto& all) -> photo_pixels { return all.slice(p.first, p.count); }, photos);
  }
  /// Photos, each dense, as rows.
  template <class T>
  [[nodiscard]] static matrix_view<T> rows_of(const view<T, 4>& photos) {
    const std::size_t size = photos.extent(1) * photos.extent(2) * photos.extent(3);
    const std::size_t stride = photos.extent(0) > 1 ? photos.stride(0) : size;
    return {photos.data(), {photos.extent(0), size}, {stride, 1}};
  }

  /// Queues activations [B, H, W, C] of photos on the host.
  void queue_pixels(const photo_pixels& photos, float* to) {
    const std::size_t size = plan_.input.size();
    std::visit(
        [&]<class Pixel>(const view<const Pixel, 4>& all) {
          const auto rows = rows_of(all);
          if constexpr (std::is_same_v<Pixel, float>) {
            context().copy(rows, matrix_view<float, device_space>(to, {rows.extent(0), size}));
          } else {
            Pixel* const staged = staged_.at_least(context(), rows.extent(0) * size);
            context().copy(rows, matrix_view<Pixel, device_space>(staged, {rows.extent(0), size}));
            queue_values(session_, rows.extent(0) * size, scaled_pixels<Pixel>{staged, to});
          }
        },
        photos);
  }

  /// Where the targets of a step are: what the network was shown, or pixels of their own. Queued.
  [[nodiscard]] const float* queue_targets(const training_batch& batch) {
    if (shows_targets(batch)) return activations_.front().get();
    float* const targets = targets_.at_least(context(), batch_of(batch.targets) * plan_.input.size());
    queue_pixels(batch.targets, targets);
    return targets;
  }
  [[nodiscard]] static bool shows_targets(const training_batch& batch) {
    return std::visit(
        []<class Shown, class Target>(const view<Shown, 4>& shown, const view<Target, 4>& target) {
          if constexpr (std::is_same_v<Shown, Target>) return is_same_view(shown, target);
          return false;
        },
        batch.photos, batch.targets);
  }

  [[nodiscard]] std::size_t last_position(const std::vector<planned_tap>& taps) const {
    std::size_t last = 0;
    for (const planned_tap& t : taps) last = std::max(last, positions_[t.layer]);
    return last;
  }

  void read_totals(const double* from, std::span<double> to) const {
    context().copy(matrix_view<const double, device_space>(from, {1, to.size()}),
                   matrix_view<double>(to.data(), {1, to.size()}));
  }

  void queue_tap(const planned_tap& t, std::size_t photos, const float* activations, float* features) const {
    const feature_shape& shape = plan_.layers[t.layer].out;
    if (t.pool == pool_kind::flat) {
      context().copy(
          matrix_view<const float, device_space>(activations, {photos, shape.size()}),
          matrix_view<float, device_space>(features + t.offset, {photos, shape.size()}, {plan_.feature_size, 1}));
      return;
    }
    queue_means(session_, make_mean_shape(shape, t.grid, t.exponent, tap_floor(t)), photos, activations,
                features + t.offset, plan_.feature_size);
  }

  /// The first `count` layers over all photos: after_position(position, piece, activations) at the input (position 0)
  /// and after each layer, at_end(piece, output). The input stays in input_.
  template <class AfterPosition, class AtEnd>
  void run_inference(std::size_t count, const photo_pixels& photos, AfterPosition&& after_position, AtEnd&& at_end) {
    const std::size_t step = session_.policy.inference_batch;
    const std::size_t size = plan_.input.size();
    prepare(count, step, pass_kind::inference);
    float* const input = input_.at_least(context(), step * size);
    for (auto& room : rooms_) (void)room.at_least(context(), step * std::max(largest_, size));
    for (std::size_t first = 0; first < batch_of(photos); first += step) {
      const piece p{first, std::min(step, batch_of(photos) - first)};
      queue_pixels(slice(photos, p), input);
      if (p.count < step)
        IMGSIM_CUDA_CHECK(
            cudaMemsetAsync(input + p.count * size, 0, (step - p.count) * size * sizeof(float), context().stream()));
      const float* in = input;
      after_position(0, p, in);
      for (std::size_t i = 0; i < count; ++i) {
        float* const out = rooms_[i % 2].get();
        layers_[i]->forward({step, pass_kind::inference, in, out});
        after_position(i + 1, p, out);
        in = out;
      }
      at_end(p, count > 0 ? rooms_[(count - 1) % 2].get() : input);
    }
  }

  network_plan plan_;
  loss_head head_;
  network_session session_;
  parameter_store parameters_;
  std::vector<std::unique_ptr<layer>> layers_;
  std::vector<std::size_t> positions_;  // of each planned layer: how many of layers_ have made its output
  std::size_t largest_ = 0;             // values of a layer's output, a photo
  std::uint64_t version_ = 1;
  device_buffer<double> totals_;
  growing_device_buffer<std::uint8_t> staged_;
  std::vector<growing_device_buffer<float>> activations_;  // in training: the input, and each layer's output
  std::array<growing_device_buffer<float>, 2> gradients_;
  growing_device_buffer<float> input_;  // in inference
  std::array<growing_device_buffer<float>, 2> rooms_;
  growing_device_buffer<float> features_;
  growing_device_buffer<float> targets_;  // of a step that has some of its own
  view_term views_;
};

}  // namespace imgsim::cuda
