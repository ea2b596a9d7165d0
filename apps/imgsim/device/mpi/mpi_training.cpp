// Training on all ranks.
#include <mutex>

#include "device/mpi/led_network.hpp"
#include "device/mpi/mpi_compute.hpp"
#include "device/mpi/team.hpp"
#include "device/training_job.hpp"

#include <imgsim/embedding/fit_embedding.hpp>
#include <imgsim/model/sample_features.hpp>
#include <imgsim/model/trainer.hpp>

namespace imgsim::app {

namespace {

/// Whether the ranks learn from parts of a batch what one learns from the whole: not where two views of a photo are
/// compared over the whole of it.
bool can_be_parted(const architecture& description) {
  return description.training.recipe.invariance == 0.0;
}

}  // namespace

trained_model mpi_compute::train(const training_job& job, photo_set& training, photo_set& validation) const {
  if (!can_be_parted(job.description)) return local_->train(job, training, validation);
  const std::lock_guard lock(team_.mutex());
  trained_model trained{.result = team_.explained([&] {
                          const led_training context(team_.context(), team_.channel(), job.description);
                          autoencoder<led_training> network(context, job.description, job.arithmetic, job.seed);
                          return imgsim::train(network, training, validation, job.options);
                        }),
                        .embedding = {}};
  if (trained.result.stopped) return trained;
  const cpu_context& local = team_.context().local();
  autoencoder<cpu_context> network(local, job.description, job.arithmetic, job.seed);
  network.load_state(trained.result.best_state);
  const tensor<float, 2> features = sample_features(local, network, training, validation);
  trained.embedding = fit_embedding(local, features.view(), job.description.embedding);
  return trained;
}

}  // namespace imgsim::app
