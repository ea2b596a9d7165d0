// What the fuzzers drive: each reader of bytes from outside, with seeds that the project makes itself.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <imgsim/core/error.hpp>

namespace imgsim_fuzz {

using bytes = std::vector<std::byte>;

/// A reader and what to begin from.
struct target {
  const char* name;
  /// Gives the bytes to the reader and checks what it makes of them. Returns whether they were read; a refusal of the
  /// library (imgsim::error) is an answer, every other exception is a finding.
  bool (*read)(std::span<const std::byte> input);
  std::vector<bytes> (*seeds)();
};

extern const target architecture_target, calibration_target, checkpoint_target, drift_target, exif_target,
    groups_target, history_target, keras_target, keras_layers_target, labels_target, manifest_target, model_target,
    npy_target, photo_list_target, photo_target, request_target, safetensors_target, url_target;

inline const target* const targets[] = {&architecture_target, &calibration_target, &checkpoint_target, &drift_target,
                                        &exif_target,         &groups_target,      &history_target,    &keras_target,
                                        &keras_layers_target, &labels_target,      &manifest_target,   &model_target,
                                        &npy_target,          &photo_list_target,  &photo_target,      &request_target,
                                        &safetensors_target,  &url_target};

/// False where `use` refused.
template <class Use>
bool accepts(Use&& use) {
  try {
    use();
    return true;
  } catch (const imgsim::error& refusal) {
    // One sentence for a person, whatever the bytes were.
    if (*refusal.what() == '\0') throw std::logic_error("a refusal without a reason");
    return false;
  }
}

/// Ends the process: what was read must be so.
inline void must(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

inline bytes bytes_of_text(std::string_view text) {
  const auto view = std::as_bytes(std::span(text));
  return {view.begin(), view.end()};
}

/// "key=value", one a line: the metadata of a tensor file, for targets whose tensors are given.
[[nodiscard]] inline std::map<std::string, std::string> metadata_of_lines(std::string_view text) {
  std::map<std::string, std::string> metadata;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const std::size_t equals = line.find('=');
    if (equals != std::string_view::npos)
      metadata[std::string(line.substr(0, equals))] = std::string(line.substr(equals + 1));
  }
  return metadata;
}
[[nodiscard]] inline bytes lines_of_metadata(const std::map<std::string, std::string>& metadata) {
  std::string text;
  for (const auto& [key, value] : metadata) text += key + "=" + value + "\n";
  return bytes_of_text(text);
}

/// The bytes as a file, for readers of files: removed with the object. (HDF5 does not open a memfd.)
class input_file {
 public:
  explicit input_file(std::span<const std::byte> content)
      : path_((std::filesystem::temp_directory_path() / "imgsim-fuzz-XXXXXX").string()) {
    const int handle = mkstemp(path_.data());
    if (handle < 0) throw std::runtime_error("no file can be made at " + path_);
    const ssize_t written = write(handle, content.data(), content.size());
    close(handle);
    if (written != std::ssize(content)) throw std::runtime_error(path_ + " cannot be written");
  }
  input_file(const input_file&) = delete;
  input_file& operator=(const input_file&) = delete;
  ~input_file() { unlink(path_.c_str()); }

  [[nodiscard]] std::filesystem::path path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace imgsim_fuzz
