// Networks whose training rank 0 leads: it alone runs the trainer, with the photos, their order and their views, the
// rate, the validation and the checkpoints. Of each batch every rank gets a part to learn from; gradients are averaged
// (mpi/training.hpp), and sums of batch normalisation added up, so that all hold the same weights.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <variant>

#include "device/mpi/order_channel.hpp"

#include <imgsim/cpu/network.hpp>
#include <imgsim/model/architecture_json.hpp>
#include <imgsim/model/autoencoder.hpp>
#include <imgsim/model/backend.hpp>
#include <imgsim/mpi/context.hpp>
#include <imgsim/mpi/training.hpp>

namespace imgsim::app {

/// The context of a network of this architecture, which must outlive it, that rank 0 leads.
class led_training {
 public:
  using space = host_space;

  led_training(const mpi_context& ranks, order_channel& channel, const architecture& description)
      : ranks_(ranks), channel_(channel), description_(description) {}

  [[nodiscard]] std::string name() const { return ranks_.name(); }
  [[nodiscard]] thread_pool& host_pool() const noexcept { return ranks_.host_pool(); }
  [[nodiscard]] const mpi_context& ranks() const noexcept { return ranks_; }
  [[nodiscard]] order_channel& channel() const noexcept { return channel_; }
  [[nodiscard]] const architecture& description() const noexcept { return description_; }

 private:
  const mpi_context& ranks_;
  order_channel& channel_;
  const architecture& description_;
};

/// A rank's copy of a network in training. Collective, but for own().
class network_copy {
 public:
  /// `leader`: on rank 0, the channel on which the others were told to make theirs; they are told when this one goes.
  network_copy(const mpi_context& context, const architecture& description, precision arithmetic,
               order_channel* leader);
  network_copy(const network_copy&) = delete;
  network_copy& operator=(const network_copy&) = delete;

  [[nodiscard]] network_backend<cpu_context>& own() noexcept { return own_; }
  [[nodiscard]] const network_backend<cpu_context>& own() const noexcept { return own_; }

  /// A step on `photos` photos, of which each rank gets a part from rank 0, where `batch` is; the loss of all. Of more
  /// ranks than photos, those that get none go through one as well, of which nothing counts.
  step_loss train_step(std::size_t photos, bool is_bytes, bool has_targets, const training_batch* batch,
                       const adam_step& adam, std::uint64_t step);

 private:
  /// Tells the others before `average_` ends what all do together.
  class farewell {
   public:
    explicit farewell(order_channel* leader) noexcept : leader_(leader) {}
    farewell(const farewell&) = delete;
    farewell& operator=(const farewell&) = delete;
    ~farewell();

   private:
    order_channel* leader_;
  };

  [[nodiscard]] cpu::network_policy policy();
  template <class T>
  [[nodiscard]] step_loss train_step_of(std::size_t photos, bool has_targets, const training_batch* batch,
                                        const adam_step& adam, std::uint64_t step);

  mpi_context context_;
  mpi::gradient_average average_;
  farewell farewell_;
  std::array<std::size_t, 3> shape_;  // of a photo
  network_plan plan_;
  bool counts_ = true;  // what this rank learns in the step under way
  network_backend<cpu_context> own_;
};

/// The other ranks' part of a training, until rank 0's copy goes.
void follow_network(order_channel& channel, const mpi_context& context, const architecture& description,
                    precision arithmetic);

}  // namespace imgsim::app

namespace imgsim {

template <>
class network_backend<app::led_training> {
 public:
  network_backend(const app::led_training& context, const network_plan&, precision arithmetic)
      : channel_(context.channel()),
        copy_(ordered(context, arithmetic), context.description(), arithmetic, &context.channel()) {}
  network_backend(const network_backend&) = delete;
  network_backend& operator=(const network_backend&) = delete;

  void write_parameter(std::size_t index, std::span<const float> values) {
    channel_.send(app::order(app::order_kind::write_parameter, index, values));
    copy_.own().write_parameter(index, values);
  }
  void read_parameter(std::size_t index, std::span<float> values) const { copy_.own().read_parameter(index, values); }
  void write_moments(std::size_t index, std::span<const float> first, std::span<const float> second) {
    channel_.send(app::order(app::order_kind::write_moments, index, first, second));
    copy_.own().write_moments(index, first, second);
  }
  void read_moments(std::size_t index, std::span<float> first, std::span<float> second) const {
    copy_.own().read_moments(index, first, second);
  }

  step_loss train_step(const training_batch& batch, const adam_step& adam, std::uint64_t step) {
    const std::size_t photos = std::visit([](const auto& p) { return p.extent(0); }, batch.photos);
    const bool is_bytes = batch.photos.index() == 0;
    const bool has_targets = !std::visit(
        [](const auto& a, const auto& b) {
          return static_cast<const void*>(a.data()) == static_cast<const void*>(b.data());
        },
        batch.photos, batch.targets);
    channel_.send(app::order(app::order_kind::train_step, photos, is_bytes, has_targets, adam.learning_rate, adam.beta1,
                             adam.beta2, adam.epsilon, step));
    return copy_.train_step(photos, is_bytes, has_targets, &batch, adam, step);
  }
  step_loss evaluate(const photo_pixels& photos) { return copy_.own().evaluate(photos); }
  void reconstruct(const photo_pixels& photos, view<float, 4> out) { copy_.own().reconstruct(photos, out); }
  void encode(const photo_pixels& photos, matrix_view<float> features) { copy_.own().encode(photos, features); }

 private:
  /// The context with which the ranks make their copies once the order is given.
  [[nodiscard]] static const mpi_context& ordered(const app::led_training& context, precision arithmetic) {
    context.channel().send(
        app::order(app::order_kind::open_network, to_json(context.description()).dump(), arithmetic));
    return context.ranks();
  }

  app::order_channel& channel_;
  app::network_copy copy_;
};

}  // namespace imgsim
