// JSON of architectures. Each struct lists its fields once; the list serves reading and writing.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>

#include <imgsim/core/error.hpp>
#include <imgsim/model/architecture.hpp>

namespace imgsim {
namespace detail {

template <class T, class... Options>
concept one_of = (std::same_as<T, Options> || ...);

template <class Enum>
struct enum_name {
  Enum value;
  std::string_view name;
};

inline constexpr std::array kPaddingNames{enum_name<padding_kind>{padding_kind::same, "same"},
                                          enum_name<padding_kind>{padding_kind::valid, "valid"}};
inline constexpr std::array kInterpolationNames{
    enum_name<interpolation_kind>{interpolation_kind::nearest, "nearest"},
    enum_name<interpolation_kind>{interpolation_kind::bilinear, "bilinear"}};
inline constexpr std::array kLossNames{enum_name<loss_kind>{loss_kind::mean_squared_error, "mean_squared_error"},
                                       enum_name<loss_kind>{loss_kind::binary_cross_entropy, "binary_cross_entropy"}};
inline constexpr std::array kPoolNames{enum_name<pool_kind>{pool_kind::flat, "flat"},
                                       enum_name<pool_kind>{pool_kind::mean, "mean"},
                                       enum_name<pool_kind>{pool_kind::generalised_mean, "generalised_mean"}};

inline constexpr auto kStatisticNames = [] {
  std::array<enum_name<photo_statistic>, kPhotoStatistics.size()> names{};
  for (std::size_t i = 0; i < names.size(); ++i) names[i] = {kPhotoStatistics[i].statistic, kPhotoStatistics[i].name};
  return names;
}();

constexpr const auto& names_of(photo_statistic) {
  return kStatisticNames;
}
constexpr const auto& names_of(padding_kind) {
  return kPaddingNames;
}
constexpr const auto& names_of(interpolation_kind) {
  return kInterpolationNames;
}
constexpr const auto& names_of(loss_kind) {
  return kLossNames;
}
constexpr const auto& names_of(pool_kind) {
  return kPoolNames;
}

// fields(value, archive) calls archive(name, member[, required]) for each field, or archive.unless(value, name, member)
// for one that is not written where it has that value.
inline constexpr bool kRequired = true;

template <class Layer, class Archive>
  requires one_of<std::remove_const_t<Layer>, convolution, transposed_convolution>
void fields(Layer& layer, Archive&& archive) {
  archive("filters", layer.filters, kRequired);
  archive("kernel", layer.kernel);
  archive("stride", layer.stride);
  archive("padding", layer.padding);
  archive("bias", layer.bias);
}
template <class Layer, class Archive>
  requires one_of<std::remove_const_t<Layer>, max_pooling>
void fields(Layer& layer, Archive&& archive) {
  archive("window", layer.window);
  archive("stride", layer.stride);
  archive("padding", layer.padding);
}
template <class Layer, class Archive>
  requires one_of<std::remove_const_t<Layer>, upsampling>
void fields(Layer& layer, Archive&& archive) {
  archive("factor", layer.factor);
  archive("interpolation", layer.interpolation);
}
template <class Layer, class Archive>
  requires one_of<std::remove_const_t<Layer>, relu, sigmoid, flatten>
void fields(Layer&, Archive&&) {}
template <class Layer, class Archive>
  requires one_of<std::remove_const_t<Layer>, leaky_relu>
void fields(Layer& layer, Archive&& archive) {
  archive("slope", layer.slope);
}
template <class Layer, class Archive>
  requires one_of<std::remove_const_t<Layer>, batch_normalization>
void fields(Layer& layer, Archive&& archive) {
  archive("momentum", layer.momentum);
  archive("epsilon", layer.epsilon);
}
template <class Layer, class Archive>
  requires one_of<std::remove_const_t<Layer>, dense>
void fields(Layer& layer, Archive&& archive) {
  archive("units", layer.units, kRequired);
  archive("bias", layer.bias);
}
template <class Layer, class Archive>
  requires one_of<std::remove_const_t<Layer>, reshape>
void fields(Layer& layer, Archive&& archive) {
  archive("height", layer.height, kRequired);
  archive("width", layer.width, kRequired);
  archive("channels", layer.channels, kRequired);
}
template <class Layer, class Archive>
  requires one_of<std::remove_const_t<Layer>, generalised_mean_pooling>
void fields(Layer& layer, Archive&& archive) {
  archive("exponent", layer.exponent);
  archive("grid", layer.grid);
}
template <class Tap, class Archive>
  requires one_of<std::remove_const_t<Tap>, tap>
void fields(Tap& t, Archive&& archive) {
  archive("layer", t.layer);
  archive("pool", t.pool);
  archive("exponent", t.exponent);
  archive("grid", t.grid);
}
template <class Spec, class Archive>
  requires one_of<std::remove_const_t<Spec>, embedding_spec>
void fields(Spec& spec, Archive&& archive) {
  archive("taps", spec.taps);
  archive("statistics", spec.statistics);
  archive("centre", spec.centre);
  archive("whiten", spec.whiten);
  archive("shrinkage", spec.shrinkage);
  archive("sampling_noise", spec.sampling_noise);
  archive("normalise", spec.normalise);
  archive("mirror", spec.mirror);
}
template <class Views, class Archive>
  requires one_of<std::remove_const_t<Views>, augmentation>
void fields(Views& views, Archive&& archive) {
  for (const auto& field : augmentation::fields) archive(std::string(field.name).c_str(), views.*field.member);
}
template <class Defaults, class Archive>
  requires one_of<std::remove_const_t<Defaults>, training_defaults>
void fields(Defaults& defaults, Archive&& archive) {
  archive("epochs", defaults.epochs);
  archive("batch", defaults.batch);
  archive("learning_rate", defaults.learning_rate);
  const training_defaults plain;
  archive.unless(plain.schedule, "schedule", defaults.schedule);
  archive.unless(plain.recipe.augment, "augment", defaults.recipe.augment);
  archive.unless(plain.recipe.mask, "mask", defaults.recipe.mask);
  archive.unless(plain.recipe.invariance, "invariance", defaults.recipe.invariance);
  archive.unless(plain.recipe.ema, "ema", defaults.recipe.ema);
}

/// The "type" of each alternative of layer_operation, in its order.
inline constexpr std::array<std::string_view, std::variant_size_v<layer_operation>> kLayerTypes{
    "convolution", "transposed_convolution", "max_pooling", "upsampling", "relu",    "leaky_relu",
    "sigmoid",     "batch_normalization",    "dense",       "flatten",    "reshape", "generalised_mean_pooling"};

class json_writer {
 public:
  template <class T>
  void operator()(const char* name, const T& value, bool = false) {
    object_[name] = write(value);
  }
  template <class T>
  void unless(const T& left_out, const char* name, const T& value) {
    if (value != left_out) (*this)(name, value);
  }

  template <class T>
  [[nodiscard]] static nlohmann::json write(const T& value) {
    if constexpr (std::is_enum_v<T>) {
      for (const auto& candidate : names_of(value)) {
        if (candidate.value == value) return std::string(candidate.name);
      }
      throw invalid_argument("an enumeration holds a value that has no name");
    } else if constexpr (std::same_as<T, extent_2d>) {
      nlohmann::json pair = nlohmann::json::array();  // in two steps: nvcc 13 mangles a list of two in a template
      pair.push_back(value.height);
      pair.push_back(value.width);
      return pair;
    } else if constexpr (std::same_as<T, learning_rate_schedule>) {
      return to_text(value);
    } else if constexpr (std::is_arithmetic_v<T> || std::same_as<T, std::string>) {
      return value;
    } else {
      json_writer nested;
      fields(value, nested);
      return std::move(nested.object_);
    }
  }

  template <class T>
  [[nodiscard]] static nlohmann::json write(const std::vector<T>& values) {
    nlohmann::json list = nlohmann::json::array();
    for (const T& value : values) list.push_back(write(value));
    return list;
  }

  [[nodiscard]] static nlohmann::json write(const layer_spec& spec) {
    nlohmann::json layer = std::visit([](const auto& operation) { return write(operation); }, spec.operation);
    if (layer.is_null()) layer = nlohmann::json::object();
    layer["type"] = std::string(kLayerTypes[spec.operation.index()]);
    if (!spec.name.empty()) layer["name"] = spec.name;
    return layer;
  }

 private:
  nlohmann::json object_ = nlohmann::json::object();
};

/// Reads one object; finish() refuses what nobody asked for. `path` names the object in messages.
class json_reader {
 public:
  json_reader(const nlohmann::json& object, std::string path) : object_(object), path_(std::move(path)) {
    IMGSIM_EXPECTS(object.is_object(), path_.empty() ? "architecture" : path_, ": an object is needed");
  }

  template <class T>
  void operator()(const char* name, T& value, bool required = false) {
    known_.insert(name);
    const auto found = object_.find(name);
    if (found == object_.end()) {
      IMGSIM_EXPECTS(!required, field(name), ": missing");
      return;
    }
    read(*found, field(name), value);
  }
  template <class T>
  void unless(const T&, const char* name, T& value) {
    (*this)(name, value);
  }

  void finish() const {
    for (const auto& item : object_.items()) {
      IMGSIM_EXPECTS(known_.contains(item.key()), field(item.key()), ": unknown field");
    }
  }

 private:
  [[nodiscard]] std::string field(const std::string& name) const { return path_.empty() ? name : path_ + "." + name; }

  static void read(const nlohmann::json& json, const std::string& path, bool& value) {
    IMGSIM_EXPECTS(json.is_boolean(), path, ": true or false is needed, not ", json.dump());
    value = json.get<bool>();
  }
  static void read(const nlohmann::json& json, const std::string& path, double& value) {
    IMGSIM_EXPECTS(json.is_number(), path, ": a number is needed, not ", json.dump());
    value = json.get<double>();
  }
  static void read(const nlohmann::json& json, const std::string& path, std::size_t& value) {
    // A parsed number is unsigned; one that a program put in may be a signed one.
    IMGSIM_EXPECTS(json.is_number_integer() && json >= 0 && json <= std::numeric_limits<std::uint32_t>::max(), path,
                   ": a whole number from 0 to 4294967295 is needed, not ", json.dump());
    value = json.get<std::size_t>();
  }
  static void read(const nlohmann::json& json, const std::string& path, std::string& value) {
    IMGSIM_EXPECTS(json.is_string(), path, ": a string is needed, not ", json.dump());
    value = json.get<std::string>();
  }
  static void read(const nlohmann::json& json, const std::string& path, learning_rate_schedule& value) {
    std::string text;
    read(json, path, text);
    try {
      value = parse_schedule(text);
    } catch (const invalid_argument& reason) {
      throw invalid_argument(path + ": " + reason.what());
    }
  }
  static void read(const nlohmann::json& json, const std::string& path, extent_2d& value) {
    if (!json.is_array()) {
      read(json, path, value.height);
      value.width = value.height;
      return;
    }
    IMGSIM_EXPECTS(json.size() == 2, path, ": [height, width] or one number is needed, not ", json.dump());
    read(json[0], path + "[0]", value.height);
    read(json[1], path + "[1]", value.width);
  }
  template <class Enum>
    requires std::is_enum_v<Enum>
  static void read(const nlohmann::json& json, const std::string& path, Enum& value) {
    std::string name;
    read(json, path, name);
    std::string choices;
    for (const auto& candidate : names_of(value)) {
      if (candidate.name == name) {
        value = candidate.value;
        return;
      }
      choices += (choices.empty() ? "" : ", ") + std::string(candidate.name);
    }
    throw invalid_argument(path + ": '" + name + "' is none of " + choices);
  }
  template <class T>
  static void read(const nlohmann::json& json, const std::string& path, std::vector<T>& values) {
    IMGSIM_EXPECTS(json.is_array(), path, ": a list is needed");
    values.assign(json.size(), T{});
    for (std::size_t i = 0; i < values.size(); ++i) read(json[i], path + "[" + std::to_string(i) + "]", values[i]);
  }
  template <class T>
    requires std::is_class_v<T>
  static void read(const nlohmann::json& json, const std::string& path, T& value) {
    json_reader reader(json, path);
    fields(value, reader);
    reader.finish();
  }
  static void read(const nlohmann::json& json, const std::string& path, layer_spec& spec) {
    json_reader reader(json, path);
    std::string type;
    reader("type", type, kRequired);
    reader("name", spec.name);
    if (!read_operation(type, reader, spec.operation, std::make_index_sequence<kLayerTypes.size()>())) {
      throw invalid_argument(path + ".type: there is no layer '" + type + "'");
    }
    reader.finish();
  }
  template <std::size_t... Index>
  static bool read_operation(const std::string& type, json_reader& reader, layer_operation& operation,
                             std::index_sequence<Index...>) {
    const auto try_one = [&]<std::size_t I>() {
      if (kLayerTypes[I] != type) return false;
      fields(operation.emplace<I>(), reader);
      return true;
    };
    return (try_one.template operator()<Index>() || ...);
  }

  const nlohmann::json& object_;
  std::string path_;
  std::set<std::string> known_;
};

template <class Description, class Archive>
void architecture_fields(Description& description, Archive&& archive) {
  archive("name", description.name);
  archive("encoder", description.encoder, kRequired);
  archive("decoder", description.decoder, kRequired);
  archive("loss", description.loss);
  archive("kernel_l2", description.kernel_l2);
  archive("training", description.training);
  archive("embedding", description.embedding);
}

}  // namespace detail

inline nlohmann::json to_json(const architecture& description) {
  nlohmann::json json = nlohmann::json::object();
  detail::architecture_fields(description, [&](const char* name, const auto& value, bool = false) {
    json[name] = detail::json_writer::write(value);
  });
  json["input"] = {description.height, description.width, description.channels};
  return json;
}

inline architecture parse_architecture(const nlohmann::json& json) {
  architecture description;
  detail::json_reader reader(json, "");
  std::vector<std::size_t> input;
  reader("input", input, detail::kRequired);
  IMGSIM_EXPECTS(input.size() == 3, "input: [height, width, channels] is needed");
  description.height = input[0];
  description.width = input[1];
  description.channels = input[2];
  detail::architecture_fields(description, reader);
  reader.finish();
  return description;
}

}  // namespace imgsim
