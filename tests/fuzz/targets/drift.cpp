// The embeddings in a model's metadata that drift is told by: imgsim/embedding/drift.hpp.
#include <cstdint>
#include <string>
#include <vector>

#include <imgsim/core/file.hpp>
#include <imgsim/core/tensor.hpp>
#include <imgsim/embedding/drift.hpp>

#include "../target.hpp"

namespace imgsim_fuzz {

namespace {

imgsim::tensor<float, 2> some_rows(std::size_t count, std::size_t dimension) {
  imgsim::tensor<float, 2> rows({count, dimension});
  for (std::size_t i = 0; i < rows.size(); ++i) rows.data()[i] = static_cast<float>(i * i % 17) - 8.0F;
  return rows;
}

bool read_reference(std::span<const std::byte> input) {
  return accepts([&] {
    const imgsim::drift_reference read = imgsim::parse_drift_reference(std::string(imgsim::text_of(input)));
    must(read.rows.size() == read.size() * read.dimension && read.rows.size() <= input.size(), "rows are whole");
    must(imgsim::parse_drift_reference(imgsim::to_json(read).dump()).rows == read.rows, "a reference comes back");
    const auto report = imgsim::measure_drift(read, some_rows(24, read.dimension).view());
    must(!report || (report->told_apart >= 0.0 && report->told_apart <= 1.0), "a share is from 0 to 1");
  });
}

std::vector<bytes> reference_seeds() {
  std::vector<bytes> seeds;
  for (const std::size_t count : {1, 2, 40})
    seeds.push_back(bytes_of_text(imgsim::to_json(imgsim::make_drift_reference(some_rows(count, 5).view())).dump()));
  return seeds;
}

}  // namespace

const target drift_target{"drift", read_reference, reference_seeds};

}  // namespace imgsim_fuzz
