// Models trained with Keras (TensorFlow), saved whole as .h5. Needs the target imgsim::keras (HDF5).
//
// Read: chains of Conv2D, Conv2DTranspose, MaxPooling2D, UpSampling2D, BatchNormalization, Dense, Flatten, Reshape,
// Activation, ReLU, LeakyReLU, and models of these within the model; layers that act in training only (Dropout, noise)
// are left out. Keras 2 and 3, channels last.
#pragma once

#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstddef>
#include <filesystem>
#include <iterator>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>

#include <imgsim/core/child_process.hpp>
#include <imgsim/core/error.hpp>
#include <imgsim/core/file.hpp>
#include <imgsim/model/architecture.hpp>
#include <imgsim/model/hdf5.hpp>
#include <imgsim/model/keras_layers.hpp>
#include <imgsim/model/layer_shapes.hpp>
#include <imgsim/model/model_file.hpp>
#include <imgsim/model/network_plan.hpp>
#include <imgsim/model/safetensors.hpp>

namespace imgsim {

namespace keras::detail {

inline constexpr const char* kWeights = "/model_weights";

[[nodiscard]] inline json parse_attribute(const hdf5::file& file, const char* name) {
  try {
    return json::parse(file.text("/", name));
  } catch (const json::exception&) {
    file.fail(std::string("its ") + name + " is not valid JSON");
  }
}

/// How many layers make the encoder: all, where the output is no photo; else as far as the model's own names say, or
/// up to the smallest layer.
[[nodiscard]] inline std::size_t encoder_length(const imported_chain& chain) {
  const feature_shape input{chain.height, chain.width, chain.channels};
  feature_shape shape = input;
  std::vector<std::size_t> sizes;
  for (const imported_layer& layer : chain.layers) {
    shape = output_shape(layer.operation, shape, layer.title());
    sizes.push_back(shape.size());
  }
  if (shape != input) return chain.layers.size();
  if (chain.encoder_layers && *chain.encoder_layers < chain.layers.size()) return *chain.encoder_layers;
  const auto smallest = std::ranges::min_element(sizes);
  return std::min(static_cast<std::size_t>(smallest - sizes.begin()) + 1, chain.layers.size() - 1);
}

/// The loss that the model was compiled with; for others, and models that were not, the one that suits its output.
[[nodiscard]] inline loss_kind loss_of(const hdf5::file& file, const imported_chain& chain) {
  std::string name;
  if (file.has_attribute("/", "training_config")) {
    const json config = parse_attribute(file, "training_config");
    const json loss = config.is_object() && config.contains("loss") ? config["loss"] : json();
    if (loss.is_string()) name = loss.get<std::string>();
    if (loss.is_object() && loss.contains("class_name") && loss["class_name"].is_string())
      name = loss["class_name"].get<std::string>();
  }
  if (name == "binary_crossentropy" || name == "BinaryCrossentropy") return loss_kind::binary_cross_entropy;
  if (name == "mse" || name == "mean_squared_error" || name == "MeanSquaredError") return loss_kind::mean_squared_error;
  return std::holds_alternative<sigmoid>(chain.layers.back().operation) ? loss_kind::binary_cross_entropy
                                                                        : loss_kind::mean_squared_error;
}

/// One strength for all kernels is what an architecture can say; 0 for anything else.
[[nodiscard]] inline double common_l2(const std::vector<double>& strengths) {
  const bool equal = !strengths.empty() && std::ranges::all_of(strengths, [&](double s) { return s == strengths[0]; });
  return equal ? strengths[0] : 0.0;
}

/// The dataset of one weight of a layer, "" where the layer has none of that name. Names look like
/// "conv2d/kernel:0" or, in a model within the model, "encoder/conv2d/kernel:0".
[[nodiscard]] inline std::string find_weight(const std::vector<std::string>& names, const imported_layer& layer,
                                             std::string_view weight) {
  std::string found;
  for (const std::string& name : names) {
    const std::string_view path = std::string_view(name).substr(0, name.find(':'));
    const std::size_t slash = path.rfind('/');
    const std::string_view leaf = slash == std::string_view::npos ? path : path.substr(slash + 1);
    const std::string_view owner = slash == std::string_view::npos ? "" : path.substr(0, slash);
    const bool of_layer = layer.owner.empty() || owner == layer.owner || owner.ends_with("/" + layer.owner);
    if (leaf != weight || !of_layer) continue;
    IMGSIM_EXPECTS(found.empty(), "the Keras layer '", layer.title(), "' has two weights named '", weight, "'");
    found = std::string(kWeights) + "/" + layer.group + "/" + name;
  }
  return found;
}

/// The weights of a planned network whose layers are `layers`, in order.
[[nodiscard]] inline std::vector<named_tensor> read_weights(const hdf5::file& file, const network_plan& plan,
                                                            const std::vector<imported_layer>& layers) {
  std::vector<named_tensor> state;
  for (std::size_t i = 0; i < plan.layers.size(); ++i) {
    const planned_layer& planned = plan.layers[i];
    if (planned.parameter_count == 0) continue;
    const imported_layer& layer = layers[i];
    const std::vector<std::string> names = file.texts(std::string(kWeights) + "/" + layer.group, "weight_names");
    for (std::size_t p = planned.first_parameter; p < planned.first_parameter + planned.parameter_count; ++p) {
      const planned_parameter& parameter = plan.parameters[p];
      const std::string weight = parameter.name.substr(parameter.name.rfind('.') + 1);
      const std::string path = find_weight(names, layer, weight);
      named_tensor tensor{parameter.name, parameter.shape, {}};
      // A batch norm without scale or centre has neither, which means 1 and 0.
      if (path.empty() && (weight == "gamma" || weight == "beta")) {
        tensor.values.assign(parameter.size(), weight == "gamma" ? 1.0F : 0.0F);
      } else {
        IMGSIM_EXPECTS(!path.empty(), "the Keras layer '", layer.title(), "' has no weights named '", weight, "'");
        hdf5::float_array data = file.floats(path);
        IMGSIM_EXPECTS(data.shape == parameter.shape, "the weights '", path, "' have another shape than their layer");
        IMGSIM_EXPECTS(std::ranges::all_of(data.values, [](float v) { return std::isfinite(v); }), "the weights '",
                       path, "' are not all finite");
        tensor.values = std::move(data.values);
      }
      state.push_back(std::move(tensor));
    }
  }
  return state;
}

[[nodiscard]] inline architecture describe(const hdf5::file& file, const imported_chain& chain) {
  architecture description{.name = "keras",
                           .height = chain.height,
                           .width = chain.width,
                           .channels = chain.channels,
                           .encoder = {},
                           .decoder = {},
                           .loss = loss_of(file, chain),
                           .kernel_l2 = common_l2(chain.kernel_l2),
                           .training = {},
                           .embedding = {}};
  IMGSIM_EXPECTS(chain.channels == 3, "the Keras model takes ", chain.channels, " channels; photos have 3");
  IMGSIM_EXPECTS(!chain.layers.empty(), "the Keras model has no layers");
  if (!(description.kernel_l2 >= 0.0)) description.kernel_l2 = 0.0;
  const std::size_t length = encoder_length(chain);
  for (std::size_t i = 0; i < chain.layers.size(); ++i) {
    const bool encodes = i < length;
    // Only taps, which are in the encoder, refer to names.
    (encodes ? description.encoder : description.decoder)
        .push_back({chain.layers[i].operation, encodes ? chain.layers[i].name : ""});
  }
  return description;
}

}  // namespace keras::detail

/// The model in a Keras .h5 file. Its embedding is the encoder's flat output, as it is. A file that holds an encoder
/// only becomes a model with an empty decoder, which encodes but cannot be trained. Throws io_error, which names the
/// layer that imgsim cannot represent. HDF5 is not reentrant: one call at a time.
[[nodiscard]] inline model_file import_keras(const std::filesystem::path& path) {
  const hdf5::file file(path);
  if (!file.has_attribute("/", "model_config"))
    file.fail("it holds no Keras architecture (model_config): save the whole model with model.save(), not its weights");
  try {
    const keras::imported_chain chain = keras::import_chain(keras::detail::parse_attribute(file, "model_config"));
    model_file model{.description = keras::detail::describe(file, chain), .state = {}, .embedding = {}, .metadata = {}};
    const network_plan plan = plan_network(model.description);
    model.state = keras::detail::read_weights(file, plan, chain.layers);
    model.embedding.parts.push_back({.raw = plan.feature_size, .mean = {}, .projection = {}});
    model.metadata["source"] = "keras";
    if (file.has_attribute("/", "keras_version")) model.metadata["keras_version"] = file.text("/", "keras_version");
    return model;
  } catch (const invalid_argument& reason) {
    file.fail(reason.what());
  }
}

namespace keras::detail {

/// How a child process says what became of a file: one of these, then a model in safetensors or the reason.
enum class answer : unsigned char { model, refusal };

[[nodiscard]] inline std::vector<std::byte> answer_of(answer kind, std::span<const std::byte> rest) {
  std::vector<std::byte> bytes(1 + rest.size());
  bytes.front() = static_cast<std::byte>(kind);
  std::ranges::copy(rest, bytes.begin() + 1);
  return bytes;
}

[[nodiscard]] inline std::vector<std::byte> import_to_answer(const std::filesystem::path& path) {
  const auto refusal = [](std::string_view reason) { return answer_of(answer::refusal, bytes_of(reason)); };
  try {
    return answer_of(answer::model, to_safetensors(to_tensor_file(import_keras(path))));
  } catch (const io_error& fault) {
    return refusal(fault.reason());
  } catch (const error& fault) {
    return refusal(fault.what());
  } catch (const std::bad_alloc&) {
    return refusal("it needs more memory than there is");
  }
}

}  // namespace keras::detail

/// Far more than a file of Keras takes: weights are copied a few times, and read at the speed of a disk.
[[nodiscard]] inline child_limits keras_limits(const std::filesystem::path& path) {
  std::error_code none;
  const auto size = static_cast<std::size_t>(std::filesystem::file_size(path, none));
  if (none) return {};
  constexpr std::size_t kMegabyte = std::size_t{1} << 20;
  return {.cpu_seconds = 60 + size / (10 * kMegabyte), .memory_bytes = 1024 * kMegabyte + 16 * size};
}

/// As import_keras(), for files that nobody vouches for: HDF5 reads in a child process (core/child_process.hpp, with
/// its conditions), because a damaged file can make it read and write beyond its memory, take all there is, or never
/// end. Also throws cancelled, where Ctrl-C ended the child.
[[nodiscard]] inline model_file import_untrusted_keras(const std::filesystem::path& path, const child_limits& limits) {
  std::vector<std::byte> bytes;
  try {
    bytes = in_child_process([&path] { return keras::detail::import_to_answer(path); }, limits);
  } catch (const child_ended& end) {
    if (end.signal() == SIGINT || end.signal() == SIGTERM) throw cancelled("interrupted");
    constexpr int kOfDamage[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGXCPU};
    if (std::ranges::find(kOfDamage, end.signal()) == std::end(kOfDamage)) throw;
    throw io_error(path, std::string("HDF5 cannot read it: it is damaged (") + end.what() + ")");
  }
  const std::span<const std::byte> rest = std::span(bytes).subspan(1);
  if (bytes.front() == static_cast<std::byte>(keras::detail::answer::refusal))
    throw io_error(path, std::string(text_of(rest)));
  return to_model(from_safetensors(rest));
}
[[nodiscard]] inline model_file import_untrusted_keras(const std::filesystem::path& path) {
  return import_untrusted_keras(path, keras_limits(path));
}

}  // namespace imgsim
