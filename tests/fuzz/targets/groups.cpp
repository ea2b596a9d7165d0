// Stored groups: imgsim/cluster/groups.hpp.
#include <imgsim/cluster/groups.hpp>
#include <imgsim/core/json.hpp>

#include "../target.hpp"

namespace imgsim_fuzz {

namespace {

bool read_groups(std::span<const std::byte> input) {
  return accepts([&] {
    const imgsim::groups read =
        imgsim::parse_groups(imgsim::parse_json(imgsim::text_of(input), "groups.json"), "groups.json");
    must(imgsim::labels_of(read).size() == read.paths.size(), "a label for each photo");
    const std::string written = imgsim::to_json(read).dump();
    must(imgsim::to_json(imgsim::parse_groups(imgsim::parse_json(written, "groups.json"), "groups.json")).dump() ==
             written,
         "groups come back");
  });
}

std::vector<bytes> groups_seeds() {
  imgsim::groups made{.method = "k-medoids",
                      .metric = "cosine",
                      .cost = 1.25,
                      .seed = 7,
                      .medoids = {0, 3},
                      .clusters = {{0, 1}, {2, 3}},
                      .paths = {"a.jpg", "b.jpg", "c.jpg", "d.jpg"}};
  std::vector<bytes> seeds{bytes_of_text(imgsim::to_json(made).dump())};
  made.clusters = {{0}, {2, 3}};
  made.outlier_distance = 0.5;
  made.outliers = {1};
  seeds.push_back(bytes_of_text(imgsim::to_json(made).dump()));
  return seeds;
}

}  // namespace

const target groups_target{"groups", read_groups, groups_seeds};

}  // namespace imgsim_fuzz
