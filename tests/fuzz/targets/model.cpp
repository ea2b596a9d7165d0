// A model file: imgsim/model/model_file.hpp. The input is the text of a tensor file's metadata, one "key=value" a line,
// and the tensors are those that the architecture in it asks for: a fuzzer does not find matching ones by chance.
#include <cstddef>

#include <imgsim/model/model_file.hpp>
#include <imgsim/model/presets.hpp>

#include "../target.hpp"

namespace imgsim_fuzz {

namespace {

imgsim::tensor_file sample_file() {
  imgsim::architecture description{.name = "tiny", .height = 8, .width = 8};
  description.encoder = {{imgsim::convolution{.filters = 2, .stride = {2, 2}}, "down"}, {imgsim::relu{}}};
  description.decoder = {{imgsim::transposed_convolution{.filters = 3, .stride = {2, 2}}}, {imgsim::sigmoid{}}};
  const imgsim::network_plan plan = imgsim::plan_network(description);
  imgsim::model_file model{.description = description, .state = {}, .embedding = {}, .metadata = {{"seed", "3"}}};
  model.embedding.parts.push_back({.raw = plan.feature_size, .mean = {}, .projection = {}});
  for (const auto& parameter : plan.parameters) {
    std::size_t count = 1;
    for (const std::size_t extent : parameter.shape) count *= extent;
    model.state.push_back({parameter.name, parameter.shape, std::vector<float>(count, 0.25F)});
  }
  return imgsim::to_tensor_file(model);
}

bool read_model(std::span<const std::byte> input) {
  imgsim::tensor_file file = sample_file();
  file.metadata = metadata_of_lines(imgsim::text_of(input));
  return accepts([&] {
    imgsim::model_file model = imgsim::to_model(std::move(file));
    model.metadata["imgsim_version"] = imgsim::version;  // of who writes it
    const imgsim::model_file again = imgsim::to_model(imgsim::to_tensor_file(model));
    must(again.description == model.description && again.metadata == model.metadata, "a model comes back");
  });
}

std::vector<bytes> model_seeds() {
  return {lines_of_metadata(sample_file().metadata)};
}

}  // namespace

const target model_target{"model", read_model, model_seeds};

}  // namespace imgsim_fuzz
