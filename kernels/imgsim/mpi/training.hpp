// Training over ranks: each learns from its own part of a batch, and all take one step.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <imgsim/cpu/network/policy.hpp>
#include <imgsim/mpi/communicator.hpp>
#include <imgsim/mpi/context.hpp>

namespace imgsim::mpi {

/// Makes of the gradients of the ranks' batches that of all their photos together, the same on every rank. One for a
/// run of training, which all ranks begin with the same weights and go through step by step; it outlives the network:
///
///   mpi::gradient_average average(context);
///   autoencoder network(context.local(), description, precision::float32, seed, average.policy());
///   network.train_step(my_photos, step);   // a collective; batches may differ in size between ranks
///   average.statistics(network);           // after an epoch, where the network has batch normalisation
///
/// The weights are those of one rank that learns from the whole batch, but for the order of summation. Batch
/// normalisation alone differs: each rank normalises by its own photos. A message of one number a parameter in each
/// step, after the backward pass. Where a rank leaves the run by an exception, the others get remote_error.
class gradient_average {
 public:
  explicit gradient_average(const mpi_context& context) : context_(context), together_(context_.ranks()) {}
  gradient_average(const gradient_average&) = delete;
  gradient_average& operator=(const gradient_average&) = delete;

  /// For the last argument of autoencoder's constructor.
  [[nodiscard]] cpu::network_policy policy() {
    return {.exchange = [this](std::span<float> gradient, std::size_t photos) { exchange(gradient, photos); }};
  }

  /// Collective: the statistics of batch normalisation become their mean over the ranks, on every rank.
  template <class Network>
  void statistics(Network& network) {
    auto state = network.state();
    together_.step();
    const auto ranks = static_cast<float>(context_.ranks().size());
    for (auto& parameter : state) {
      const std::string_view name = parameter.name;
      if (!name.ends_with(".moving_mean") && !name.ends_with(".moving_variance")) continue;
      context_.ranks().reduce(std::span(parameter.values), MPI_SUM);
      for (float& value : parameter.values) value /= ranks;
    }
    network.load_state(state);
  }

 private:
  void exchange(std::span<float> gradient, std::size_t photos) {
    together_.step();
    std::uint64_t all = photos;
    context_.ranks().reduce(std::span(&all, 1), MPI_SUM);
    const auto share = static_cast<float>(static_cast<double>(photos) / static_cast<double>(all));
    for (float& value : gradient) value *= share;
    context_.ranks().reduce(gradient, MPI_SUM);
  }

  mpi_context context_;
  lockstep together_;
};

}  // namespace imgsim::mpi
