// The container of models: imgsim/model/safetensors.hpp.
#include <algorithm>
#include <bit>
#include <cstdint>
#include <map>

#include <imgsim/model/safetensors.hpp>

#include "../target.hpp"

namespace imgsim_fuzz {

namespace {

/// What is read is written back and read again: nothing may be lost.
bool read_tensors(std::span<const std::byte> input) {
  return accepts([&] {
    const imgsim::tensor_file file = imgsim::from_safetensors(input, {.max_file_bytes = 1u << 20});
    const imgsim::tensor_file again = imgsim::from_safetensors(imgsim::to_safetensors(file));
    must(again.metadata == file.metadata, "metadata comes back");
    must(again.tensors.size() == file.tensors.size(), "every tensor comes back");
    for (const imgsim::named_tensor& tensor : file.tensors) {
      const auto found = std::ranges::find(again.tensors, tensor.name, &imgsim::named_tensor::name);
      must(found != again.tensors.end() && found->shape == tensor.shape, "a tensor comes back with its shape");
      const auto bits = [](float value) { return std::bit_cast<std::uint32_t>(value); };
      must(std::ranges::equal(found->values, tensor.values, {}, bits, bits), "a tensor comes back bit for bit");
    }
  });
}

std::vector<bytes> tensor_seeds() {
  const imgsim::tensor_file file{
      .tensors = {{"weight", {2, 3}, {1, 2, 3, 4, 5, 6}}, {"bias", {1}, {0.5F}}, {"empty", {0, 4}, {}}},
      .metadata = {{"format", "imgsim-model"}, {"note", "größer \u2191"}}};
  const auto to_bytes = [](const auto& written) {
    const auto view = std::as_bytes(std::span(written));
    return bytes(view.begin(), view.end());
  };
  return {to_bytes(imgsim::to_safetensors(file)), to_bytes(imgsim::to_safetensors({}))};
}

}  // namespace

const target safetensors_target{"safetensors", read_tensors, tensor_seeds};

}  // namespace imgsim_fuzz
