// A network and the embedding made from it, as data: what a preset is, and what a model file says of itself.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include <imgsim/embedding/embedding_spec.hpp>
#include <imgsim/model/layer_spec.hpp>
#include <imgsim/model/schedule.hpp>
#include <imgsim/model/training_recipe.hpp>

namespace imgsim {

/// What is minimised, as a mean over batch, pixels and channels. binary_cross_entropy takes photos in [0, 1] as
/// probabilities.
enum class loss_kind { mean_squared_error, binary_cross_entropy };

struct training_defaults {
  std::size_t epochs = 20;  ///< 0: by the number of photos (default_epochs in trainer.hpp), and so may be the batch
  std::size_t batch = 32;
  double learning_rate = 1e-3;
  learning_rate_schedule schedule = constant_schedule{};
  training_recipe recipe = {};

  bool operator==(const training_defaults&) const = default;
};

/// encoder then decoder map [B, C, H, W] photos in [0, 1] onto themselves.
struct architecture {
  std::string name;
  std::size_t height = 0;
  std::size_t width = 0;
  std::size_t channels = 3;
  std::vector<layer_spec> encoder = {};
  std::vector<layer_spec> decoder = {};
  loss_kind loss = loss_kind::mean_squared_error;
  double kernel_l2 = 0.0;  ///< penalty kernel_l2 * sum(w^2) over the kernels of convolutions and dense layers
  training_defaults training = {};
  embedding_spec embedding = {};

  bool operator==(const architecture&) const = default;
};

/// The JSON form, with every field written out but those of training that are constant or off:
///   {"name": "tiny", "input": [64, 64, 3],
///    "encoder": [{"type": "convolution", "filters": 8, "kernel": [3, 3], "stride": [2, 2], "padding": "same",
///                 "bias": true, "name": "down"}, {"type": "relu"}],
///    "decoder": [{"type": "upsampling", "factor": 2, "interpolation": "bilinear"}, ...],
///    "loss": "mean_squared_error", "kernel_l2": 0.0,
///    "training": {"epochs": 20, "batch": 32, "learning_rate": 0.001, "schedule": "cosine,warm_up=1,final=0",
///                 "augment": {"crop": 0.5, "flip": 0.5, "rotation": 5.0, "colour": 0.2, "blur": 0.2},
///                 "mask": 0.3, "invariance": 0.05, "ema": 0.99},
///    "embedding": {"taps": [{"layer": "code", "pool": "generalised_mean", "exponent": 3.0, "grid": 1}],
///                  "statistics": ["edges", "texture", "colour"],
///                  "centre": true, "whiten": 64, "shrinkage": 0.1, "sampling_noise": 2, "normalise": true,
///                  "mirror": false}}
[[nodiscard]] nlohmann::json to_json(const architecture& description);

/// Reads that form; fields with a default may be absent, and an extent may be one number for a square. Throws
/// invalid_argument naming the field ("encoder[2].filters: ...") for a missing, unknown or ill-typed one. Shapes are
/// checked by plan_network (network_plan.hpp), not here.
[[nodiscard]] architecture parse_architecture(const nlohmann::json& json);

}  // namespace imgsim

#include <imgsim/model/architecture_json.hpp>
