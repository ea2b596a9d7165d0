// From the JSON in which Keras describes a model to layers of imgsim.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>

#include <imgsim/core/error.hpp>
#include <imgsim/core/number_text.hpp>
#include <imgsim/model/layer_spec.hpp>

namespace imgsim::keras {

/// A layer, and where its weights are.
struct imported_layer {
  layer_operation operation;
  std::string name;   ///< Keras's; empty for an operation that Keras counts as part of the layer that follows here
  std::string group;  ///< of the weights: the outermost model's layer
  std::string owner;  ///< in a model within the model: the inner layer, whose weights are among those of the group

  [[nodiscard]] const std::string& title() const noexcept { return owner.empty() ? group : owner; }
};

/// A model that is a chain, in order.
struct imported_chain {
  std::size_t height = 0, width = 0, channels = 0;
  std::vector<imported_layer> layers;
  std::optional<std::size_t> encoder_layers;  ///< where the model itself says so
  std::vector<double> kernel_l2;              ///< of each kernel
};

namespace detail {

using imgsim::detail::concat;
using nlohmann::json;

inline constexpr std::array<std::string_view, 6> kCodeNames{"encoder", "encoded", "encoding",
                                                            "code",    "latent",  "bottleneck"};
inline constexpr std::array<std::string_view, 6> kTrainingOnly{
    "Dropout", "SpatialDropout2D", "GaussianDropout", "GaussianNoise", "ActivityRegularization", "AlphaDropout"};
inline constexpr std::array<std::string_view, 3> kModelClasses{"Functional", "Model", "Sequential"};
inline constexpr int kMaxNesting = 8;

[[nodiscard]] inline bool contains(const auto& list, std::string_view name) {
  return std::ranges::find(list, name) != std::end(list);
}

/// Small enough that products of two do not wrap around; network_plan.hpp limits the rest.
[[nodiscard]] inline bool is_count(const json& value) {
  return value.is_number_unsigned() && value.get<std::uint64_t>() <= std::numeric_limits<std::uint32_t>::max();
}

/// The config of one layer; every access names the layer where it fails.
class layer_config {
 public:
  explicit layer_config(const json& layer) {
    IMGSIM_EXPECTS(layer.is_object() && layer.contains("class_name") && layer["class_name"].is_string() &&
                       layer.contains("config") && (layer["config"].is_object() || layer["config"].is_array()),
                   "a layer of the Keras model has no class_name or config");
    kind_ = layer["class_name"].get<std::string>();
    config_ = &layer["config"];
    if (config_->is_object() && config_->contains("name") && (*config_)["name"].is_string())
      name_ = (*config_)["name"].get<std::string>();
  }

  [[nodiscard]] const std::string& kind() const noexcept { return kind_; }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] const json& json_config() const noexcept { return *config_; }

  [[noreturn]] void refuse(const std::string& reason) const {
    throw invalid_argument(concat("the Keras layer '", name_, "' (", kind_, ") ", reason));
  }

  [[nodiscard]] bool has(const char* field) const {
    return config_->is_object() && config_->contains(field) && !(*config_)[field].is_null();
  }
  [[nodiscard]] std::size_t count(const char* field) const {
    if (!has(field) || !is_count((*config_)[field])) refuse(concat("has no valid ", field));
    return (*config_)[field].get<std::size_t>();
  }
  [[nodiscard]] double number(const char* field, double absent) const {
    if (!has(field)) return absent;
    if (!(*config_)[field].is_number()) refuse(concat("has no valid ", field));
    return as_float32((*config_)[field].get<double>());
  }
  [[nodiscard]] bool flag(const char* field, bool absent) const {
    if (!has(field)) return absent;
    if (!(*config_)[field].is_boolean()) refuse(concat("has no valid ", field));
    return (*config_)[field].get<bool>();
  }
  [[nodiscard]] std::string text(const char* field, const char* absent) const {
    if (!has(field)) return absent;
    if (!(*config_)[field].is_string()) refuse(concat("has a ", field, " that imgsim does not know"));
    return (*config_)[field].get<std::string>();
  }
  /// A pair, or one number for both.
  [[nodiscard]] extent_2d extent(const char* field, extent_2d absent) const {
    if (!has(field)) return absent;
    const json& value = (*config_)[field];
    if (is_count(value)) return {value.get<std::size_t>(), value.get<std::size_t>()};
    if (!value.is_array() || value.size() != 2 || !is_count(value[0]) || !is_count(value[1]))
      refuse(concat("has no valid ", field));
    return {value[0].get<std::size_t>(), value[1].get<std::size_t>()};
  }
  [[nodiscard]] padding_kind padding() const {
    const std::string value = text("padding", "valid");
    if (value != "same" && value != "valid") refuse("has padding '" + value + "', which imgsim does not support");
    return value == "same" ? padding_kind::same : padding_kind::valid;
  }

  void require_plain_geometry() const {
    if (text("data_format", "channels_last") != "channels_last") refuse("has its channels first");
    if (extent("dilation_rate", {1, 1}) != extent_2d{1, 1}) refuse("is dilated, which imgsim does not support");
    if (has("groups") && count("groups") != 1) refuse("is grouped, which imgsim does not support");
    if (has("output_padding")) refuse("has an output_padding, which imgsim does not support");
  }

  /// Keras writes float32 numbers as doubles (0.009999999776482582): the shortest decimal is what was meant.
  [[nodiscard]] static double as_float32(double value) {
    return parse_number<double>(number_text(static_cast<float>(value))).value_or(value);
  }

 private:
  std::string kind_;
  std::string name_;
  const json* config_ = nullptr;
};

/// Names of the layers that feed a layer of a functional model, in Keras 2's form [[["input_1", 0, 0, {}]]] or Keras
/// 3's [{"args": [{"config": {"keras_history": ["input_1", 0, 0]}}], "kwargs": {}}].
[[nodiscard]] inline std::vector<std::string> inputs_of(const json& layer) {
  std::vector<std::string> names;
  if (!layer.contains("inbound_nodes") || !layer["inbound_nodes"].is_array()) return names;
  const auto add = [&names](const json& history) {
    if (history.is_array() && !history.empty() && history[0].is_string())
      names.push_back(history[0].get<std::string>());
  };
  for (const json& node : layer["inbound_nodes"]) {
    if (node.is_array()) {
      for (const json& input : node) add(input);
    } else if (node.is_object() && node.contains("args") && node["args"].is_array()) {
      for (const json& tensor : node["args"])
        if (tensor.is_object() && tensor.contains("config") && tensor["config"].is_object() &&
            tensor["config"].contains("keras_history"))
          add(tensor["config"]["keras_history"]);
    }
  }
  return names;
}

class chain_builder {
 public:
  [[nodiscard]] imported_chain build(const json& model) {
    append_model(layer_config(model), "", 0);
    IMGSIM_EXPECTS(chain_.height > 0, "the Keras model does not say the size of its input");
    return std::move(chain_);
  }

 private:
  void append_model(const layer_config& model, const std::string& group, int depth) {
    if (depth > kMaxNesting) model.refuse("is nested too deeply");
    const json& config = model.json_config();
    const bool sequential = model.kind() == "Sequential";
    if (!contains(kModelClasses, model.kind())) model.refuse("is no Functional or Sequential model");
    const json& layers = config.is_array() ? config : config.contains("layers") ? config["layers"] : json();
    if (!layers.is_array() || layers.empty()) model.refuse("has no layers");
    std::string before;
    for (const json& item : layers) {
      const layer_config layer(item);
      const std::vector<std::string> inputs = inputs_of(item);
      if (!sequential && layer.kind() != "InputLayer" && (inputs.size() != 1 || inputs[0] != before))
        layer.refuse("is not fed by the layer before it and by that alone; imgsim reads chains of layers");
      if (!sequential && layer.kind() == "InputLayer" && !before.empty()) layer.refuse("is a second input");
      group_is_layer_ = group.empty();
      append(layer, group.empty() ? layer.name() : group, depth);
      before = layer.name();
      if (depth == 0 && is_code(layer)) chain_.encoder_layers = chain_.layers.size();
    }
  }

  /// Whether the encoder ends here: a layer named so, or the first model within the model.
  [[nodiscard]] bool is_code(const layer_config& layer) const {
    if (chain_.encoder_layers || chain_.layers.empty()) return false;
    std::string name = layer.name();
    std::ranges::transform(name, name.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
    return contains(kCodeNames, name) || contains(kModelClasses, layer.kind());
  }

  void append(const layer_config& layer, const std::string& group, int depth) {
    const std::string& kind = layer.kind();
    take_input_size(layer);
    if (kind == "InputLayer" || contains(kTrainingOnly, kind)) return;
    if (contains(kModelClasses, kind)) return append_model(layer, group, depth + 1);
    if (kind == "Conv2D") return add_kernel(layer, group, convolution_of<convolution>(layer));
    if (kind == "Conv2DTranspose") return add_kernel(layer, group, convolution_of<transposed_convolution>(layer));
    if (kind == "Dense")
      return add_kernel(layer, group, dense{.units = layer.count("units"), .bias = layer.flag("use_bias", true)});
    if (kind == "Activation") {
      if (const std::optional<layer_operation> activation = activation_of(layer)) add(layer, group, *activation);
      return;
    }
    add(layer, group, plain_operation(layer));
  }

  void take_input_size(const layer_config& layer) {
    const char* field = layer.has("batch_input_shape") ? "batch_input_shape" : "batch_shape";
    if (chain_.height > 0 || !layer.has(field)) return;
    const json& shape = layer.json_config()[field];
    if (!shape.is_array() || shape.size() != 4 ||
        !std::all_of(shape.begin() + 1, shape.end(), [](const json& n) { return is_count(n) && n > 0; }))
      layer.refuse("does not take photos [batch, height, width, channels] of one fixed size");
    chain_.height = shape[1].get<std::size_t>();
    chain_.width = shape[2].get<std::size_t>();
    chain_.channels = shape[3].get<std::size_t>();
  }

  template <class Convolution>
  [[nodiscard]] static Convolution convolution_of(const layer_config& layer) {
    layer.require_plain_geometry();
    return {.filters = layer.count("filters"),
            .kernel = layer.extent("kernel_size", {}),
            .stride = layer.extent("strides", {1, 1}),
            .padding = layer.padding(),
            .bias = layer.flag("use_bias", true)};
  }

  [[nodiscard]] layer_operation plain_operation(const layer_config& layer) const {
    const std::string& kind = layer.kind();
    if (kind == "MaxPooling2D") {
      layer.require_plain_geometry();
      const extent_2d window = layer.extent("pool_size", {2, 2});
      return max_pooling{window, layer.extent("strides", window), layer.padding()};
    }
    if (kind == "UpSampling2D") {
      layer.require_plain_geometry();
      const std::string interpolation = layer.text("interpolation", "nearest");
      if (interpolation != "nearest" && interpolation != "bilinear")
        layer.refuse("interpolates '" + interpolation + "', which imgsim does not support");
      return upsampling{layer.extent("size", {2, 2}),
                        interpolation == "bilinear" ? interpolation_kind::bilinear : interpolation_kind::nearest};
    }
    if (kind == "BatchNormalization") {
      if (axis_of(layer) != -1 && axis_of(layer) != (is_flat() ? 1 : 3)) layer.refuse("does not normalise channels");
      return batch_normalization{layer.number("momentum", 0.99), layer.number("epsilon", 1e-3)};
    }
    if (kind == "LeakyReLU")
      return leaky_relu{layer.number(layer.has("negative_slope") ? "negative_slope" : "alpha", 0.3)};
    if (kind == "ReLU") {
      if (layer.has("max_value") || layer.number("negative_slope", 0.0) != 0.0 || layer.number("threshold", 0.0) != 0.0)
        layer.refuse("is not max(x, 0)");
      return relu{};
    }
    if (kind == "Flatten") return flatten{};
    if (kind == "Reshape") return reshape_of(layer);
    layer.refuse("is of a kind that imgsim does not support");
  }

  [[nodiscard]] static std::int64_t axis_of(const layer_config& layer) {
    if (!layer.has("axis")) return -1;
    const json& value = layer.json_config()["axis"];
    const json& axis = value.is_array() && value.size() == 1 ? value[0] : value;
    if (!axis.is_number_integer()) layer.refuse("has no valid axis");
    return axis.get<std::int64_t>();
  }

  /// Whether what comes out of the chain so far is one row a photo.
  [[nodiscard]] bool is_flat() const {
    bool flat = false;
    for (const imported_layer& layer : chain_.layers) {
      if (std::holds_alternative<flatten>(layer.operation) || std::holds_alternative<dense>(layer.operation))
        flat = true;
      if (std::holds_alternative<reshape>(layer.operation)) flat = false;
    }
    return flat;
  }

  [[nodiscard]] static layer_operation reshape_of(const layer_config& layer) {
    const json shape = layer.has("target_shape") ? layer.json_config()["target_shape"] : json();
    if (!shape.is_array() || !std::ranges::all_of(shape, is_count) || (shape.size() != 1 && shape.size() != 3))
      layer.refuse("has a target_shape that imgsim does not support");
    if (shape.size() == 1) return flatten{};
    return reshape{shape[0].get<std::size_t>(), shape[1].get<std::size_t>(), shape[2].get<std::size_t>()};
  }

  /// Nothing for a linear activation.
  [[nodiscard]] static std::optional<layer_operation> activation_of(const layer_config& layer) {
    const std::string name = layer.text("activation", "linear");
    if (name == "linear") return std::nullopt;
    if (name == "relu") return relu{};
    if (name == "sigmoid") return sigmoid{};
    layer.refuse("has the activation '" + name + "', which imgsim does not support");
  }

  void add(const layer_config& layer, const std::string& group, const layer_operation& operation) {
    chain_.layers.push_back({operation, layer.name(), group, group_is_layer_ ? "" : layer.name()});
  }

  /// A layer with a kernel, then the activation that Keras counts to it; the name goes to the last of the two.
  void add_kernel(const layer_config& layer, const std::string& group, const layer_operation& operation) {
    add(layer, group, operation);
    chain_.kernel_l2.push_back(l2_of(layer));
    if (const std::optional<layer_operation> activation = activation_of(layer)) {
      chain_.layers.back().name.clear();
      add(layer, group, *activation);
    }
  }

  [[nodiscard]] static double l2_of(const layer_config& layer) {
    if (!layer.has("kernel_regularizer")) return 0.0;
    const json& regularizer = layer.json_config()["kernel_regularizer"];
    const json config = regularizer.is_object() && regularizer.contains("config") ? regularizer["config"] : json();
    const bool known = config.is_object() && config.contains("l2") && config["l2"].is_number() &&
                       (!config.contains("l1") || config["l1"] == 0.0);
    return known ? layer_config::as_float32(config["l2"].get<double>()) : std::nan("");
  }

  imported_chain chain_;
  bool group_is_layer_ = true;
};

}  // namespace detail

/// Reads a `model_config`. Throws invalid_argument naming the layer for what imgsim cannot represent: branches, other
/// kinds of layers, dilation, groups, channels first, unknown activations.
[[nodiscard]] inline imported_chain import_chain(const nlohmann::json& model_config) {
  return detail::chain_builder().build(model_config);
}

}  // namespace imgsim::keras
