// The description of a network: imgsim/model/architecture_json.hpp, and the plan that is made of it.
#include <imgsim/core/json.hpp>
#include <imgsim/model/architecture_json.hpp>
#include <imgsim/model/network_plan.hpp>
#include <imgsim/model/presets.hpp>

#include "../target.hpp"

namespace imgsim_fuzz {

namespace {

bool read_architecture(std::span<const std::byte> input) {
  return accepts([&] {
    const imgsim::architecture read =
        imgsim::parse_architecture(imgsim::parse_json(imgsim::text_of(input), "architecture.json"));
    must(imgsim::parse_architecture(imgsim::to_json(read)) == read, "a description comes back");
    static_cast<void>(imgsim::plan_network(read));
  });
}

std::vector<bytes> architecture_seeds() {
  std::vector<bytes> seeds;
  for (const char* name : {"default", "maxpool-16-8-4", "strided-dense-16", "conv-transpose"})
    seeds.push_back(bytes_of_text(imgsim::to_json(imgsim::preset(name, {.size = 32, .latent = {}})).dump()));
  return seeds;
}

}  // namespace

const target architecture_target{"architecture", read_architecture, architecture_seeds};

}  // namespace imgsim_fuzz
