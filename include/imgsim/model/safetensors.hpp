// The safetensors format: named arrays with text metadata in one file that other tools read too
// (https://github.com/huggingface/safetensors). Layout: uint64 n, n bytes of JSON, the arrays. Little-endian.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <imgsim/core/error.hpp>
#include <imgsim/core/file.hpp>
#include <imgsim/core/json.hpp>
#include <imgsim/model/state.hpp>

namespace imgsim {

/// Float32 tensors with unique names, and text.
struct tensor_file {
  std::vector<named_tensor> tensors;
  std::map<std::string, std::string> metadata;
};

/// Bounds of what is read, checked before anything is allocated.
struct safetensors_limits {
  std::uint64_t max_file_bytes = std::uint64_t{8} << 30;
  std::uint64_t max_header_bytes = std::uint64_t{16} << 20;
};

namespace detail {

static_assert(std::endian::native == std::endian::little, "safetensors are read and written as they lie in memory");

inline constexpr const char* kMetadataKey = "__metadata__";
inline constexpr std::size_t kLengthBytes = sizeof(std::uint64_t);
inline constexpr std::size_t kDataAlignment = 8;
inline constexpr std::size_t kMaxRank = 16;

/// The product of `shape`, or nothing where it does not fit.
[[nodiscard]] inline bool element_count(std::span<const std::size_t> shape, std::size_t& count) {
  count = 1;
  if (std::ranges::find(shape, std::size_t{0}) != shape.end()) {
    count = 0;
    return true;
  }
  for (const std::size_t extent : shape) {
    if (count > std::numeric_limits<std::size_t>::max() / sizeof(float) / extent) return false;
    count *= extent;
  }
  return true;
}

/// Parses the header; refuses repeated names, which a JSON object would silently merge, and nesting that no header has.
[[nodiscard]] inline nlohmann::json parse_safetensors_header(std::string_view text) {
  std::unordered_set<std::string> names;
  const auto inspect = [&names](int depth, nlohmann::json::parse_event_t event, nlohmann::json& value) {
    IMGSIM_EXPECTS(depth <= 3, "the header is nested too deeply");
    if (depth == 1 && event == nlohmann::json::parse_event_t::key) {
      const auto name = value.get<std::string>();
      IMGSIM_EXPECTS(names.insert(name).second, "the name '", name, "' occurs twice in the header");
    }
    return true;
  };
  try {
    return nlohmann::json::parse(text, inspect);
  } catch (const nlohmann::json::exception&) {
    throw invalid_argument("the header is not valid JSON");
  }
}

struct tensor_place {
  std::string name;
  std::vector<std::size_t> shape;
  std::uint64_t begin = 0;  // bytes from the end of the header
  std::uint64_t end = 0;
};

[[nodiscard]] inline tensor_place parse_tensor_place(const std::string& name, const nlohmann::json& entry) {
  const auto unsigned_list = [&](const char* field) {
    IMGSIM_EXPECTS(entry.contains(field) && entry[field].is_array() && entry[field].size() <= kMaxRank &&
                       std::ranges::all_of(entry[field], [](const auto& n) { return n.is_number_unsigned(); }),
                   "tensor '", name, "' has no valid ", field);
    return entry[field].template get<std::vector<std::uint64_t>>();
  };
  IMGSIM_EXPECTS(entry.is_object(), "tensor '", name, "' is not described by an object");
  IMGSIM_EXPECTS(entry.contains("dtype") && entry["dtype"].is_string(), "tensor '", name, "' has no dtype");
  IMGSIM_EXPECTS(is_text(entry["dtype"], "F32"), "tensor '", name, "' has dtype ", entry["dtype"].dump(),
                 "; only F32 is supported");
  tensor_place place;
  place.name = name;
  for (const std::uint64_t extent : unsigned_list("shape")) place.shape.push_back(static_cast<std::size_t>(extent));
  const auto offsets = unsigned_list("data_offsets");
  IMGSIM_EXPECTS(offsets.size() == 2 && offsets[0] <= offsets[1], "tensor '", name, "' has no valid data_offsets");
  place.begin = offsets[0];
  place.end = offsets[1];
  std::size_t count = 0;
  IMGSIM_EXPECTS(element_count(place.shape, count) && place.end - place.begin == count * sizeof(float), "tensor '",
                 name, "' has ", place.end - place.begin, " bytes, which do not fit its shape");
  return place;
}

}  // namespace detail

/// The bytes of a safetensors file. Tensors lie in the order given. Throws invalid_argument for a repeated name or a
/// shape that does not fit its values.
[[nodiscard]] inline std::vector<std::byte> to_safetensors(const tensor_file& file) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!file.metadata.empty()) header[detail::kMetadataKey] = file.metadata;
  std::unordered_set<std::string> names{detail::kMetadataKey};
  std::uint64_t offset = 0;
  for (const named_tensor& tensor : file.tensors) {
    std::size_t count = 0;
    IMGSIM_EXPECTS(names.insert(tensor.name).second, "two tensors are named '", tensor.name, "'");
    IMGSIM_EXPECTS(detail::element_count(tensor.shape, count) && count == tensor.values.size(), "tensor '", tensor.name,
                   "' has ", tensor.values.size(), " values, which do not fit its shape");
    const std::uint64_t end = offset + count * sizeof(float);
    header[tensor.name] = {{"dtype", "F32"}, {"shape", tensor.shape}, {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string text;
  try {
    text = header.dump();
  } catch (const nlohmann::json::exception&) {
    throw invalid_argument("names and metadata of a safetensors file must be UTF-8");
  }
  const std::size_t excess = text.size() % detail::kDataAlignment;
  if (excess != 0) text.append(detail::kDataAlignment - excess, ' ');

  const std::uint64_t length = text.size();
  std::vector<std::byte> bytes(detail::kLengthBytes + text.size() + offset);
  std::byte* out = bytes.data();
  const auto append = [&out](const void* from, std::size_t size) {
    if (size > 0) std::memcpy(out, from, size);
    out += size;
  };
  append(&length, detail::kLengthBytes);
  append(text.data(), text.size());
  for (const named_tensor& tensor : file.tensors) append(tensor.values.data(), tensor.values.size() * sizeof(float));
  return bytes;
}

/// Reads such bytes, trusting none of them. Throws invalid_argument with the reason.
[[nodiscard]] inline tensor_file from_safetensors(std::span<const std::byte> bytes,
                                                  const safetensors_limits& limits = {}) {
  IMGSIM_EXPECTS(bytes.size() >= detail::kLengthBytes, "the file is too short to be a safetensors file");
  std::uint64_t header_size = 0;
  std::memcpy(&header_size, bytes.data(), detail::kLengthBytes);
  const auto rest = bytes.subspan(detail::kLengthBytes);
  IMGSIM_EXPECTS(!rest.empty() && rest.front() == std::byte{'{'}, "not a safetensors file: no JSON header begins it");
  IMGSIM_EXPECTS(header_size <= limits.max_header_bytes, "its header should have ", header_size,
                 " bytes, which is more than the limit of ", limits.max_header_bytes);
  IMGSIM_EXPECTS(header_size <= rest.size(), "the file is truncated: its header should have ", header_size,
                 " bytes, and ", rest.size(), " are there");
  const auto data = rest.subspan(static_cast<std::size_t>(header_size));
  const nlohmann::json header = detail::parse_safetensors_header(
      {reinterpret_cast<const char*>(rest.data()), static_cast<std::size_t>(header_size)});
  IMGSIM_EXPECTS(header.is_object(), "the header is not a JSON object");

  tensor_file file;
  std::vector<detail::tensor_place> places;
  for (const auto& [name, entry] : header.items()) {
    if (name != detail::kMetadataKey) {
      places.push_back(detail::parse_tensor_place(name, entry));
      continue;
    }
    IMGSIM_EXPECTS(entry.is_object(), "the metadata is not a JSON object");
    for (const auto& [key, text] : entry.items()) {
      IMGSIM_EXPECTS(text.is_string(), "the metadata '", key, "' is not text");
      file.metadata[key] = text.get<std::string>();
    }
  }
  std::ranges::sort(places, [](const auto& a, const auto& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);  // an empty tensor before the one that it touches
  });
  std::uint64_t expected = 0;
  for (detail::tensor_place& place : places) {
    IMGSIM_EXPECTS(place.begin == expected, "tensor '", place.name, "' begins at byte ", place.begin, " instead of ",
                   expected);
    IMGSIM_EXPECTS(place.end <= data.size(), "the file is truncated: tensor '", place.name, "' ends at byte ",
                   place.end, " of ", data.size());
    named_tensor tensor{.name = std::move(place.name), .shape = std::move(place.shape), .values = {}};
    tensor.values.resize(static_cast<std::size_t>(place.end - place.begin) / sizeof(float));
    if (!tensor.values.empty()) std::memcpy(tensor.values.data(), data.data() + place.begin, place.end - place.begin);
    file.tensors.push_back(std::move(tensor));
    expected = place.end;
  }
  IMGSIM_EXPECTS(expected == data.size(), "the file has ", data.size() - expected, " bytes that belong to no tensor");
  return file;
}

/// Writes through a temporary file in the same folder, so that `path` is never half written. Throws io_error.
inline void write_safetensors(const std::filesystem::path& path, const tensor_file& file) {
  write_file(path, to_safetensors(file));
}

/// Throws io_error with the reason.
[[nodiscard]] inline tensor_file read_safetensors(const std::filesystem::path& path,
                                                  const safetensors_limits& limits = {}) {
  const std::vector<std::byte> bytes = read_file(path, limits.max_file_bytes);
  try {
    return from_safetensors(bytes, limits);
  } catch (const invalid_argument& reason) {
    throw io_error(path, reason.what());
  }
}

}  // namespace imgsim
