#include "pipeline/describe_files.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

#include "cli/text.hpp"
#include "pipeline/calibrate.hpp"
#include "pipeline/drift.hpp"
#include "pipeline/model_files.hpp"
#include "pipeline/open_model.hpp"

#include <imgsim/core/json.hpp>
#include <imgsim/core/number_text.hpp>
#include <imgsim/core/path_text.hpp>
#include <imgsim/embedding/photo_index.hpp>
#include <imgsim/report/escape.hpp>

namespace imgsim::app {

namespace {

/// What train notes as a number (a safetensors file holds texts alone) is one again.
json number_or_text(std::string_view key, const std::string& value) {
  constexpr std::array kNumbers{
      "seed", "epochs",     "best_epoch", "training_photos", "validation_photos", "training_loss", "validation_loss",
      "mask", "invariance", "ema",        "minutes"};
  if (std::ranges::find(kNumbers, key) == kNumbers.end()) return value;
  if (const auto whole = parse_number<std::uint64_t>(value)) return *whole;
  if (const auto real = parse_number<double>(value)) return *real;
  return value;
}

/// Files of the index that are damaged, and what repairs them.
json damage_of(const photo_index& index) {
  json damage = json::array();
  const auto add = [&](const io_error& fault) {
    damage.push_back(path_to_text(fault.path().filename().string()) + ": " + path_to_text(fault.reason()));
  };
  for (const io_error& fault : index.faults()) add(fault);
  try {
    if (index.manifest().files.contains(index_file::kModel)) static_cast<void>(index.model_path());
  } catch (const io_error& fault) {
    add(fault);
  }
  return damage;
}

}  // namespace

json model_json(const std::filesystem::path& path) {
  const model_file model = load_model(path);
  const architecture& a = model.description;
  std::size_t parameters = 0;
  for (const named_tensor& tensor : model.state) parameters += tensor.values.size();
  json document{{"kind", "model"},
                {"path", path_to_text(path.string())},
                {"architecture", a.name},
                {"input", {a.height, a.width, a.channels}},
                {"encoder_layers", a.encoder.size()},
                {"decoder_layers", a.decoder.size()},
                {"numbers", parameters},
                {"features", model.embedding.raw()},
                {"dimension", model.embedding.dimension()},
                {"centred", !model.embedding.parts.front().mean.empty()},
                {"whitened", !model.embedding.parts.front().projection.empty()},
                {"normalised", model.embedding.normalise},
                {"bytes", std::filesystem::file_size(path)},
                {"hash", model_hash(path)}};
  for (const auto& [key, value] : model.metadata) {
    if (key != kCalibrationKey && key != kDriftKey) document["made"][key] = number_or_text(key, value);
  }
  document["calibrated"] = model.metadata.contains(kCalibrationKey);
  document["tells_drift"] = model.metadata.contains(kDriftKey);
  return document;
}

json index_json(const std::filesystem::path& path) {
  const photo_index index = open_index(path, 0);
  json document{{"kind", "index"},
                {"path", path_to_text(path.string())},
                {"photos", index.size()},
                {"dimension", index.dimension()},
                {"photos_root", path_to_text(index.photos_root().string())},
                {"model_hash", index.model_hash()},
                {"imgsim_version", index.manifest().imgsim_version},
                {"skipped", index.manifest().skipped.size()},
                {"neighbors", nullptr},
                {"graph", nullptr},
                {"groups", nullptr}};
  if (const auto& note = index.manifest().neighbours)
    document["neighbors"] = {{"metric", note->metric}, {"n", note->n}};
  if (const auto& note = index.manifest().graph)
    document["graph"] = {{"metric", note->metric}, {"breadth", note->breadth}, {"recall", note->recall}};
  json damage = damage_of(index);
  try {
    if (index.groups()) {
      const nlohmann::json groups = parse_json(*index.groups(), path / index_file::kGroups);
      for (const char* field : {"k", "method", "metric", "cost", "seed"}) {
        if (groups.contains(field)) document["groups"][field] = groups[field];
      }
    }
  } catch (const io_error&) {
    document["groups"] = "damaged";  // the reason is among the faults
  }
  document["drift"] = nullptr;
  try {
    document["drift"] = to_json(drift_of(index));
  } catch (const io_error&) {
    // What is damaged is named already, or found by verify: the rest of the index is told all the same.
  }
  if (!damage.empty()) document["damage"] = std::move(damage);
  return document;
}

std::string described(const json& document) {
  std::size_t width = 0;
  for (const auto& [name, value] : document.items()) width = std::max(width, name.size());
  std::string text;
  for (const auto& [name, value] : document.items()) {
    std::string line;
    if (value.is_null()) {
      line = "none";
    } else if (value.is_string()) {
      line = printable_utf8(value.get<std::string>());
    } else if (value.is_boolean()) {
      line = value.get<bool>() ? "yes" : "no";
    } else if (value.is_object()) {
      for (const auto& [key, part] : value.items())
        line += (line.empty() ? "" : ", ") + printable_utf8(key) + " " +
                printable_utf8(part.is_string() ? part.get<std::string>() : part.dump());
    } else if (value.is_array()) {
      for (const auto& part : value)
        line += part.is_string() ? (line.empty() ? "" : "; ") + printable_utf8(part.get<std::string>())
                                 : (line.empty() ? "" : " x ") + part.dump();
    } else {
      line = name == "bytes" ? bytes_text(value.get<std::uint64_t>()) : value.dump();
    }
    std::string title = name;
    std::ranges::replace(title, '_', ' ');
    text += title + std::string(width - name.size() + 2, ' ') + line + "\n";
  }
  return text;
}

}  // namespace imgsim::app
