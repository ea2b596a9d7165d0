#include "device/mpi/led_network.hpp"

#include <algorithm>
#include <exception>
#include <utility>
#include <vector>

#include "device/mpi/row_messages.hpp"
#include "device/mpi/shared_gallery.hpp"

#include <imgsim/core/error.hpp>
#include <imgsim/core/tensor.hpp>
#include <imgsim/mpi/communicator.hpp>

namespace imgsim::app {

namespace {

/// Photos of a batch as rows.
template <class T>
[[nodiscard]] matrix_view<const T> rows_of(const view<const T, 4>& photos, std::size_t first, std::size_t count) {
  const std::size_t pixels = photos.extent(1) * photos.extent(2) * photos.extent(3);
  return {photos.data() + first * photos.stride(0), {count, pixels}, {photos.stride(0), 1}};
}

/// The part of a batch that a rank works on: one photo, the first of all, where it gets none.
struct part_of_batch {
  std::size_t first = 0, count = 1;
  bool counts = true;

  part_of_batch(std::size_t rank, std::size_t ranks, std::size_t photos) {
    const std::size_t begin = first_row_of(rank, ranks, photos), end = first_row_of(rank + 1, ranks, photos);
    counts = begin < end;
    if (counts) first = begin, count = end - begin;
  }
};

/// The photos of this rank's part: in place on rank 0, which sends the others theirs.
template <class T>
class dealt_photos {
 public:
  dealt_photos(const mpi::communicator& ranks, const part_of_batch& mine, const std::array<std::size_t, 3>& shape)
      : ranks_(ranks), mine_(mine) {
    if (ranks.rank() > 0) here_ = tensor<T, 4>({mine.count, shape[0], shape[1], shape[2]});
  }

  /// Collective. `photos` of rank 0, `count` in all.
  [[nodiscard]] view<const T, 4> deal(const photo_pixels* photos, std::size_t count) {
    if (ranks_.rank() > 0) {
      const std::size_t pixels = here_.extent(1) * here_.extent(2) * here_.extent(3);
      receive_rows(ranks_, matrix_view<T>(here_.data(), {mine_.count, pixels}), 0);
      return std::as_const(here_).view();
    }
    const auto& all = std::get<view<const T, 4>>(*photos);
    for (std::size_t to = 1; to < ranks_.size(); ++to) {
      const part_of_batch part(to, ranks_.size(), count);
      send_rows(ranks_, rows_of(all, part.first, part.count), to);
    }
    return all.slice(mine_.first, mine_.count);
  }

 private:
  const mpi::communicator& ranks_;
  part_of_batch mine_;
  tensor<T, 4> here_;
};

}  // namespace

network_copy::farewell::~farewell() {
  if (leader_ == nullptr) return;
  try {
    leader_->send(order(order_kind::close_network));
  } catch (const std::exception&) {  // of MPI itself; the ranks can do no more for each other
  }
}

network_copy::network_copy(const mpi_context& context, const architecture& description, precision arithmetic,
                           order_channel* leader)
    : context_(context),
      average_(context),
      farewell_(leader),
      shape_{description.height, description.width, description.channels},
      plan_(plan_network(description)),
      own_(context.local(), plan_, arithmetic, policy()) {}

cpu::network_policy network_copy::policy() {
  cpu::network_policy averaged = average_.policy();
  averaged.exchange = [this, exchange = std::move(averaged.exchange)](std::span<float> gradient, std::size_t photos) {
    exchange(gradient, counts_ ? photos : 0);
  };
  averaged.add_up = [this, add_up = std::move(averaged.add_up)](std::span<double> sums) {
    if (!counts_) std::ranges::fill(sums, 0.0);
    add_up(sums);
  };
  return averaged;
}

template <class T>
step_loss network_copy::train_step_of(std::size_t photos, bool has_targets, const training_batch* batch,
                                      const adam_step& adam, std::uint64_t step) {
  const mpi::communicator& ranks = context_.ranks();
  mpi::lockstep together(ranks);
  const part_of_batch mine(ranks.rank(), ranks.size(), photos);
  dealt_photos<T> shown(ranks, mine, shape_), wanted(ranks, has_targets ? mine : part_of_batch(0, 1, 1), shape_);
  together.step();
  training_batch part;
  const view<const T, 4> seen = shown.deal(batch == nullptr ? nullptr : &batch->photos, photos);
  part.photos = seen;
  part.targets = has_targets ? wanted.deal(batch == nullptr ? nullptr : &batch->targets, photos) : seen;
  counts_ = mine.counts;
  step_loss loss = own_.train_step(part, adam, step);
  double sum = mine.counts ? loss.data * static_cast<double>(mine.count) : 0.0;
  together.step();
  ranks.reduce(std::span(&sum, 1), MPI_SUM);
  loss.data = sum / static_cast<double>(photos);
  together.finish();
  return loss;
}

step_loss network_copy::train_step(std::size_t photos, bool is_bytes, bool has_targets, const training_batch* batch,
                                   const adam_step& adam, std::uint64_t step) {
  return is_bytes ? train_step_of<std::uint8_t>(photos, has_targets, batch, adam, step)
                  : train_step_of<float>(photos, has_targets, batch, adam, step);
}

void follow_network(order_channel& channel, const mpi_context& context, const architecture& description,
                    precision arithmetic) {
  network_copy copy(context, description, arithmetic, nullptr);
  for (;;) {
    received_order next = channel.receive();
    switch (next.kind()) {
      case order_kind::close_network:
        return;
      case order_kind::write_parameter: {
        const auto index = next.read<std::size_t>();
        copy.own().write_parameter(index, next.read_list<float>());
        break;
      }
      case order_kind::write_moments: {
        const auto index = next.read<std::size_t>();
        const auto first = next.read_list<float>();
        copy.own().write_moments(index, first, next.read_list<float>());
        break;
      }
      case order_kind::train_step: {
        const auto photos = next.read<std::size_t>();
        const bool is_bytes = next.read<bool>(), has_targets = next.read<bool>();
        adam_step adam;
        for (double* value : {&adam.learning_rate, &adam.beta1, &adam.beta2, &adam.epsilon})
          *value = next.read<double>();
        static_cast<void>(copy.train_step(photos, is_bytes, has_targets, nullptr, adam, next.read<std::uint64_t>()));
        break;
      }
      default:
        throw error("an order came that belongs to no training");
    }
  }
}

}  // namespace imgsim::app
