// A trained model in one .safetensors file that needs nothing beside it: architecture, preprocessing, weights and the
// embedding fitted to the training photos.
//
//   tensors   "encoder.0.kernel" ... as autoencoder::state() names them; "embedding.mean" [raw] and
//             "embedding.projection" [D, raw] where the embedding has them
//   metadata  format "imgsim-model", format_version "1", architecture and preprocessing (JSON), embedding (JSON: raw
//             width, normalise), tensor_hash (XXH3-128 of the bytes behind the header; to be left out by other
//             programs), imgsim_version, and what the maker adds: preset, seed, epochs, losses, photos, ...
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <imgsim/core/error.hpp>
#include <imgsim/core/file.hpp>
#include <imgsim/core/version.hpp>
#include <imgsim/embedding/transform.hpp>
#include <imgsim/model/architecture.hpp>
#include <imgsim/model/file_format.hpp>
#include <imgsim/model/network_plan.hpp>
#include <imgsim/model/safetensors.hpp>
#include <imgsim/model/state.hpp>
#include <imgsim/model/state_transfer.hpp>

namespace imgsim {

struct model_file {
  architecture description;
  std::vector<named_tensor> state;  ///< autoencoder::state()
  embedding_transform embedding;
  std::map<std::string, std::string> metadata;  ///< provenance; the keys that the format itself uses stay out of it
};

namespace detail {

inline constexpr std::size_t kModelFormatVersion = 1;
inline constexpr std::string_view kModelFormat = "imgsim-model";
inline constexpr std::string_view kMeanTensor = "embedding.mean";
inline constexpr std::string_view kProjectionTensor = "embedding.projection";
inline constexpr std::string_view kModelKeys[] = {"format",       "format_version", kTensorHash,
                                                  "architecture", "preprocessing",  "embedding"};

/// What every model of this format does to a photo before the network.
[[nodiscard]] inline nlohmann::json preprocessing_of(const architecture& description) {
  return {{"resize", "stretch"},        {"height", description.height},
          {"width", description.width}, {"channels", description.channels},
          {"filter", "bilinear"},       {"scale", "1/255"}};
}

/// Takes the tensor `name` out of `tensors`; an empty one where there is none.
[[nodiscard]] inline named_tensor take_tensor(std::vector<named_tensor>& tensors, std::string_view name) {
  const auto found = std::ranges::find(tensors, name, &named_tensor::name);
  if (found == tensors.end()) return {};
  named_tensor taken = std::move(*found);
  tensors.erase(found);
  return taken;
}

[[nodiscard]] inline embedding_transform take_embedding(const tensor_file& file, std::size_t feature_size,
                                                        std::vector<named_tensor>& tensors) {
  const nlohmann::json json = parse_metadata_json(file, "embedding");
  IMGSIM_EXPECTS(json.is_object() && json.contains("raw") && json["raw"].is_number_unsigned() &&
                     json.contains("normalise") && json["normalise"].is_boolean(),
                 "its embedding is not described");
  embedding_transform embedding{
      .raw = json["raw"].get<std::size_t>(), .mean = {}, .projection = {}, .normalise = json["normalise"].get<bool>()};
  IMGSIM_EXPECTS(embedding.raw == feature_size, "its embedding is for ", embedding.raw, " features, its network has ",
                 feature_size);
  named_tensor mean = take_tensor(tensors, kMeanTensor);
  IMGSIM_EXPECTS(mean.values.empty() || mean.values.size() == embedding.raw, "the shape of ", kMeanTensor,
                 " does not fit ", embedding.raw, " features");
  embedding.mean = std::move(mean.values);
  const named_tensor projection = take_tensor(tensors, kProjectionTensor);
  if (!projection.values.empty()) {
    IMGSIM_EXPECTS(projection.shape.size() == 2 && projection.shape[1] == embedding.raw, "the shape of ",
                   kProjectionTensor, " does not fit ", embedding.raw, " features");
    embedding.projection = tensor<float, 2>({projection.shape[0], projection.shape[1]});
    std::ranges::copy(projection.values, embedding.projection.data());
  }
  return embedding;
}

}  // namespace detail

/// The file's content. Throws invalid_argument where the parts do not fit together.
[[nodiscard]] inline tensor_file to_tensor_file(const model_file& model) {
  const network_plan plan = plan_network(model.description);
  std::ignore = detail::match_state(plan, model.state);
  const embedding_transform& embedding = model.embedding;
  IMGSIM_EXPECTS(embedding.raw == plan.feature_size, "the embedding is for ", embedding.raw,
                 " features, the network has ", plan.feature_size);
  tensor_file file{.tensors = model.state, .metadata = model.metadata};
  if (!embedding.mean.empty())
    file.tensors.push_back({std::string(detail::kMeanTensor), {embedding.mean.size()}, embedding.mean});
  if (!embedding.projection.empty()) {
    file.tensors.push_back({std::string(detail::kProjectionTensor),
                            {embedding.projection.extent(0), embedding.projection.extent(1)},
                            {embedding.projection.begin(), embedding.projection.end()}});
  }
  detail::set_format(file, detail::kModelFormat, detail::kModelFormatVersion);
  file.metadata["imgsim_version"] = version;
  file.metadata["architecture"] = to_json(model.description).dump();
  file.metadata["preprocessing"] = detail::preprocessing_of(model.description).dump();
  file.metadata["embedding"] = nlohmann::json{{"raw", embedding.raw}, {"normalise", embedding.normalise}}.dump();
  return file;
}

/// Reads what to_tensor_file makes, trusting none of it. Throws invalid_argument with the reason.
[[nodiscard]] inline model_file to_model(tensor_file file) {
  detail::check_format(file, detail::kModelFormat, detail::kModelFormatVersion);
  model_file model{.description = parse_architecture(detail::parse_metadata_json(file, "architecture")),
                   .state = {},
                   .embedding = {},
                   .metadata = {}};
  IMGSIM_EXPECTS(
      detail::parse_metadata_json(file, "preprocessing") == detail::preprocessing_of(model.description),
      "its preprocessing is one that this imgsim does not know: ", detail::metadata_of(file, "preprocessing"));
  for (const named_tensor& tensor : file.tensors)
    IMGSIM_EXPECTS(std::ranges::all_of(tensor.values, [](float v) { return std::isfinite(v); }), "'", tensor.name,
                   "' holds numbers that are not finite");
  const network_plan plan = plan_network(model.description);
  model.state = std::move(file.tensors);
  model.embedding = detail::take_embedding(file, plan.feature_size, model.state);
  std::ignore = detail::match_state(plan, model.state);
  for (auto& [key, text] : file.metadata)
    if (std::ranges::find(detail::kModelKeys, key) == std::end(detail::kModelKeys))
      model.metadata.emplace(key, std::move(text));
  return model;
}

/// Replaces `path` in one step. Equal models give equal bytes. Throws io_error, invalid_argument.
inline void write_model(const std::filesystem::path& path, const model_file& model) {
  write_safetensors(path, to_tensor_file(model));
}

/// Throws io_error with the reason: no such file, another kind of file, damage, a version of a later imgsim.
[[nodiscard]] inline model_file read_model(const std::filesystem::path& path) {
  tensor_file file = read_safetensors(path);
  try {
    return to_model(std::move(file));
  } catch (const invalid_argument& reason) {
    throw io_error(path, reason.what());
  }
}

/// Names a model by its bytes, 32 hexadecimal digits: what an index remembers of the model that made it.
[[nodiscard]] inline std::string model_hash(const std::filesystem::path& path) {
  return hash_file(path);
}

}  // namespace imgsim
