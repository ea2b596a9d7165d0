// The members of compute_on that train and encode.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "device/compute_on.hpp"
#include "device/file_encoding.hpp"
#include "device/training_job.hpp"

#include <imgsim/core/tensor.hpp>
#include <imgsim/embedding/transform.hpp>
#include <imgsim/model/autoencoder.hpp>
#include <imgsim/model/encoder.hpp>
#include <imgsim/model/sample_features.hpp>
#include <imgsim/model/trainer.hpp>

namespace imgsim::app {

template <execution_context Context>
class encoder_on final : public encoder {
 public:
  encoder_on(const Context& context, const model_file& model) : encoder_(context, model) {}

  [[nodiscard]] std::size_t height() const override { return encoder_.height(); }
  [[nodiscard]] std::size_t width() const override { return encoder_.width(); }
  [[nodiscard]] std::size_t dimension() const override { return encoder_.dimension(); }
  void encode(view<const std::uint8_t, 4> photos, matrix_view<float> out) override { encoder_.encode(photos, out); }
  void encode_files(const photo_files& files, const std::function<void(const encoded_batch&)>& use) override {
    encode_files_here(*this, files, use);
  }

 private:
  photo_encoder<Context> encoder_;
};

template <execution_context Context>
std::unique_ptr<encoder> compute_on<Context>::open_encoder(const model_file& model) const {
  return std::make_unique<encoder_on<Context>>(context_, model);
}

template <execution_context Context>
trained_model compute_on<Context>::train(const training_job& job, photo_set& training, photo_set& validation) const {
  autoencoder<Context> network(context_, job.description, job.arithmetic, job.seed);
  trained_model trained{.result = imgsim::train(network, training, validation, job.options), .embedding = {}};
  if (trained.result.stopped) return trained;
  network.load_state(trained.result.best_state);
  // The photos kept apart tell when to stop; what the embedding learns of a folder it may learn of them, too.
  const tensor<float, 2> features = sample_features(context_, network, training, validation);
  trained.embedding = fit_embedding(features.view(), job.description.embedding);
  return trained;
}

template <execution_context Context>
model_file compute_on<Context>::untrained_model(const model_file& model, photo_set& photos, std::uint64_t seed) const {
  autoencoder<Context> network(context_, model.description, precision::float32, seed);
  const tensor<float, 2> features = sample_features(context_, network, photos);
  return {.description = model.description,
          .state = network.state(),
          .embedding = fit_embedding(features.view(), model.description.embedding),
          .metadata = {}};
}

}  // namespace imgsim::app

/// In namespace imgsim::app of one source file of a backend.
#define IMGSIM_INSTANTIATE_COMPUTE_NETWORK(Context)                                                     \
  template std::unique_ptr<encoder> compute_on<Context>::open_encoder(const model_file&) const;         \
  template trained_model compute_on<Context>::train(const training_job&, photo_set&, photo_set&) const; \
  template model_file compute_on<Context>::untrained_model(const model_file&, photo_set&, std::uint64_t) const
