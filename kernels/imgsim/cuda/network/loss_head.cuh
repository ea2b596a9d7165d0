// The end of a network: its loss, with the sigmoid before it where there is one.
#pragma once

#include <cstddef>

#include <imgsim/cuda/network/launches.cuh>
#include <imgsim/cuda/network/loss_kernel.cuh>
#include <imgsim/model/architecture.hpp>

namespace imgsim::cuda {

struct loss_head {
  loss_kind kind;
  bool after_sigmoid;

  /// *total = the sum of the losses of `count` values; gradient[i] = slope * scale where it is wanted (not null).
  /// Queued.
  void queue(network_session& session, std::size_t count, const float* values, const float* targets, float scale,
             float* gradient, double* total) const {
    const bool entropy = kind == loss_kind::binary_cross_entropy;
    const auto queue_with = [&]<class Term>(Term term) {
      queue_sum(session, count, 1.0, total, [&](unsigned blocks, double* partial) {
        launch({dim3(blocks), dim3(kNetworkThreads)}, session.context.stream(), sum_losses<Term, float>,
               checked_count(count, "values in a batch"), term, values, targets, scale, gradient, partial);
      });
    };
    if (after_sigmoid) {
      entropy ? queue_with(cross_entropy_of_logits{}) : queue_with(squared_error_of_logits{});
    } else {
      entropy ? queue_with(cross_entropy_of_probabilities{}) : queue_with(squared_error{});
    }
  }

  /// The network's output as a photo, in place. Queued.
  void queue_output(const network_session& session, std::size_t count, float* values) const {
    if (after_sigmoid) queue_values(session, count, sigmoid_values{values, values});
  }
};

}  // namespace imgsim::cuda
