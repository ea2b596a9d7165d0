// What imgsim's own safetensors files say of themselves: format, version, a checksum of the tensors, and JSON in the
// metadata.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include <imgsim/core/content_hash.hpp>
#include <imgsim/core/error.hpp>
#include <imgsim/core/number_text.hpp>
#include <imgsim/core/version.hpp>
#include <imgsim/model/safetensors.hpp>

namespace imgsim::detail {

/// The metadata `key`; throws invalid_argument where it is missing.
[[nodiscard]] inline const std::string& metadata_of(const tensor_file& file, const std::string& key) {
  const auto found = file.metadata.find(key);
  IMGSIM_EXPECTS(found != file.metadata.end(), "its metadata holds no '", key, "'");
  return found->second;
}

inline constexpr const char* kTensorHash = "tensor_hash";

/// content_hash of the values of all tensors, in their order: of the bytes behind the header.
[[nodiscard]] inline std::string hash_tensors(const tensor_file& file) {
  content_hasher hasher;
  for (const named_tensor& tensor : file.tensors) hasher.update(std::as_bytes(std::span(tensor.values)));
  return hasher.hex();
}

/// What newer_file tells of, where the path is not known.
class IMGSIM_SEEN_BY_ALL newer_format : public invalid_argument {
 public:
  using invalid_argument::invalid_argument;
};

/// Refuses files of other kinds and of later versions of the format (newer_format), and tensors that are not those that
/// were written. A file without a checksum is taken as it is: other programs make none.
inline void check_format(const tensor_file& file, std::string_view format, std::size_t newest) {
  const auto found = file.metadata.find("format");
  IMGSIM_EXPECTS(found != file.metadata.end() && found->second == format, "it is no ", format, " file of imgsim");
  const std::string& text = metadata_of(file, "format_version");
  const auto version = parse_number<std::size_t>(text);
  IMGSIM_EXPECTS(version && *version >= 1, "its format version '", text, "' is no number");
  if (*version > newest)
    throw newer_format(concat("its format version is ", *version, ", this imgsim (", imgsim::version, ") reads up to ",
                              newest, ": update imgsim"));
  const auto hash = file.metadata.find(kTensorHash);
  IMGSIM_EXPECTS(hash == file.metadata.end() || hash->second == hash_tensors(file),
                 "it is damaged: the checksum of its weights does not hold");
}

[[nodiscard]] inline nlohmann::json parse_metadata_json(const tensor_file& file, const std::string& key) {
  try {
    return nlohmann::json::parse(metadata_of(file, key));
  } catch (const nlohmann::json::exception&) {
    throw invalid_argument(concat("its ", key, " is not valid JSON"));
  }
}

/// To be called when `file` has all its tensors.
inline void set_format(tensor_file& file, std::string_view format, std::size_t version) {
  file.metadata["format"] = format;
  file.metadata["format_version"] = number_text(version);
  file.metadata[kTensorHash] = hash_tensors(file);
}

}  // namespace imgsim::detail
