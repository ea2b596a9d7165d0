#include "pipeline/model_files.hpp"

#include <cstdint>

#include <imgsim/core/error.hpp>
#include <imgsim/core/json.hpp>
#include <imgsim/model/checkpoint.hpp>

namespace imgsim::app {

namespace {

constexpr std::uint64_t kMaxArchitectureBytes = std::uint64_t{1} << 20;

}  // namespace

model_file load_model(const std::filesystem::path& path) {
  return imgsim::read_model(path);
}

void save_model(const std::filesystem::path& path, const model_file& model) {
  write_model(path, model);
}

architecture load_checkpoint_architecture(const std::filesystem::path& path) {
  return read_checkpoint(path).description;
}

architecture load_architecture(const std::filesystem::path& path) {
  try {
    return parse_architecture(read_json(path, kMaxArchitectureBytes));
  } catch (const invalid_argument& reason) {
    throw io_error(path, reason.what());
  }
}

}  // namespace imgsim::app
