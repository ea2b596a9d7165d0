// A trained model in one .safetensors file that needs nothing beside it: architecture, preprocessing, weights and the
// embedding fitted to the training photos.
//
//   tensors   "encoder.0.kernel" ... as autoencoder::state() names them; "embedding.mean" [raw] and
//             "embedding.projection" [D, raw] where the embedding has them, "embedding.edges.mean" and so on for the
//             parts that are photo statistics; "embedding.weights" [G, parts] and "embedding.kinds" [G, D] where parts
//             are weighted
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
inline constexpr std::string_view kWeightsTensor = "embedding.weights";
inline constexpr std::string_view kKindsTensor = "embedding.kinds";
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

/// What the tensors of a part are called, before ".mean" and ".projection", and the width of its features: the
/// network's part first, then the statistics.
struct part_name {
  std::string prefix;
  std::size_t raw = 0;
};
[[nodiscard]] inline std::vector<part_name> part_names(const network_plan& plan, const embedding_spec& spec) {
  std::vector<part_name> names{{"embedding", plan.feature_size}};
  for (const photo_statistic statistic : spec.statistics)
    names.push_back({"embedding." + std::string(entry_of(statistic).name), entry_of(statistic).width});
  return names;
}

/// Takes the matrix `name` of `columns` columns out of `tensors`; an empty one where there is none.
[[nodiscard]] inline tensor<float, 2> take_matrix(std::vector<named_tensor>& tensors, const std::string& name,
                                                  std::size_t columns) {
  const named_tensor found = take_tensor(tensors, name);
  if (found.values.empty()) return {};
  IMGSIM_EXPECTS(found.shape.size() == 2 && found.shape[1] == columns, "the shape of ", name, " does not fit ", columns,
                 " features");
  tensor<float, 2> matrix({found.shape[0], found.shape[1]});
  std::ranges::copy(found.values, matrix.data());
  return matrix;
}

[[nodiscard]] inline embedding_transform take_embedding(const tensor_file& file, const network_plan& plan,
                                                        const embedding_spec& spec,
                                                        std::vector<named_tensor>& tensors) {
  const nlohmann::json json = parse_metadata_json(file, "embedding");
  IMGSIM_EXPECTS(json.is_object() && json.contains("raw") && json["raw"].is_number_unsigned() &&
                     json.contains("normalise") && json["normalise"].is_boolean(),
                 "its embedding is not described");
  embedding_transform embedding{.parts = {}, .weighting = {}, .normalise = json["normalise"].get<bool>()};
  for (const part_name& name : part_names(plan, spec)) {
    embedding_part part{.raw = name.raw, .mean = take_tensor(tensors, name.prefix + ".mean").values, .projection = {}};
    IMGSIM_EXPECTS(part.mean.empty() || part.mean.size() == name.raw, "the shape of ", name.prefix,
                   ".mean does not fit ", name.raw, " features");
    part.projection = take_matrix(tensors, name.prefix + ".projection", name.raw);
    embedding.parts.push_back(std::move(part));
  }
  IMGSIM_EXPECTS(embedding.raw() == json["raw"].get<std::size_t>(), "its embedding is for ", json["raw"].dump(),
                 " features, its network and photo statistics have ", embedding.raw());
  embedding.weighting.centres = take_matrix(tensors, std::string(kKindsTensor), embedding.dimension());
  embedding.weighting.weights = take_matrix(tensors, std::string(kWeightsTensor), embedding.parts.size());
  check_embedding(embedding);
  return embedding;
}

inline void put_matrix(std::vector<named_tensor>& tensors, std::string name, const tensor<float, 2>& matrix) {
  if (!matrix.empty())
    tensors.push_back({std::move(name), {matrix.extent(0), matrix.extent(1)}, {matrix.begin(), matrix.end()}});
}

}  // namespace detail

/// The file's content. Throws invalid_argument where the parts do not fit together.
[[nodiscard]] inline tensor_file to_tensor_file(const model_file& model) {
  const network_plan plan = plan_network(model.description);
  std::ignore = detail::match_state(plan, model.state);
  const embedding_transform& embedding = model.embedding;
  check_embedding(embedding);
  const std::vector<detail::part_name> names = detail::part_names(plan, model.description.embedding);
  IMGSIM_EXPECTS(std::ranges::equal(names, embedding.parts, {}, &detail::part_name::raw, &embedding_part::raw),
                 "the embedding is for ", embedding.raw(), " features, the network and photo statistics have others");
  tensor_file file{.tensors = model.state, .metadata = model.metadata};
  for (std::size_t p = 0; p < names.size(); ++p) {
    const embedding_part& part = embedding.parts[p];
    if (!part.mean.empty()) file.tensors.push_back({names[p].prefix + ".mean", {part.mean.size()}, part.mean});
    detail::put_matrix(file.tensors, names[p].prefix + ".projection", part.projection);
  }
  detail::put_matrix(file.tensors, std::string(detail::kKindsTensor), embedding.weighting.centres);
  detail::put_matrix(file.tensors, std::string(detail::kWeightsTensor), embedding.weighting.weights);
  detail::set_format(file, detail::kModelFormat, detail::kModelFormatVersion);
  file.metadata["imgsim_version"] = version;
  file.metadata["architecture"] = to_json(model.description).dump();
  file.metadata["preprocessing"] = detail::preprocessing_of(model.description).dump();
  file.metadata["embedding"] = nlohmann::json{{"raw", embedding.raw()}, {"normalise", embedding.normalise}}.dump();
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
  model.embedding = detail::take_embedding(file, plan, model.description.embedding, model.state);
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

/// Throws io_error with the reason: no such file, another kind of file, damage; newer_file for one of a later imgsim.
[[nodiscard]] inline model_file read_model(const std::filesystem::path& path) {
  tensor_file file = read_safetensors(path);
  try {
    return to_model(std::move(file));
  } catch (const detail::newer_format& reason) {
    throw newer_file(path, reason.what());
  } catch (const invalid_argument& reason) {
    throw io_error(path, reason.what());
  }
}

/// Names a model by its bytes, 32 hexadecimal digits: what an index remembers of the model that made it.
[[nodiscard]] inline std::string model_hash(const std::filesystem::path& path) {
  return hash_file(path);
}

}  // namespace imgsim
