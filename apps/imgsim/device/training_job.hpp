// What compute::train takes and gives.
#pragma once

#include <cstdint>

#include <imgsim/embedding/transform.hpp>
#include <imgsim/model/architecture.hpp>
#include <imgsim/model/backend.hpp>
#include <imgsim/model/trainer.hpp>

namespace imgsim::app {

struct training_job {
  architecture description;
  precision arithmetic = precision::float32;
  std::uint64_t seed = 0;    // of the first weights
  training_options options;  // has a seed of its own, of the order of the photos
};

struct trained_model {
  training_result result;
  embedding_transform embedding;  // fitted with the best weights, where the training was not stopped
};

}  // namespace imgsim::app
