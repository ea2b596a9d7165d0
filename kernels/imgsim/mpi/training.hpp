// Training over ranks: each learns from its own part of a batch, and all take one step.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

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
///
/// The weights, and the statistics of batch normalisation, are those of one rank that learns from the whole batch, but
/// for the order of summation. In each step a message of one number a parameter, after the backward pass, and two of
/// two numbers a channel for each layer of batch normalisation. Where a rank leaves the run by an exception, the others
/// get remote_error.
class gradient_average {
 public:
  explicit gradient_average(const mpi_context& context) : context_(context), together_(context_.ranks()) {}
  gradient_average(const gradient_average&) = delete;
  gradient_average& operator=(const gradient_average&) = delete;

  /// For the last argument of autoencoder's constructor.
  [[nodiscard]] cpu::network_policy policy() {
    return {.exchange = [this](std::span<float> gradient, std::size_t photos) { exchange(gradient, photos); },
            .add_up =
                [this](std::span<double> sums) {
                  together_.step();
                  context_.ranks().reduce(sums, MPI_SUM);
                }};
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
