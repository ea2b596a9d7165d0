// Inputs of the benchmarks: reproducible, and of no structure that would help.
#pragma once

#include <cstddef>
#include <cstdint>

#include <imgsim/core/random.hpp>
#include <imgsim/core/tensor.hpp>

namespace imgsim_bench {

/// [rows, columns], standard normal.
inline imgsim::tensor<float, 2> random_rows(std::size_t rows, std::size_t columns, std::uint64_t seed = 1) {
  imgsim::tensor<float, 2> values({rows, columns});
  imgsim::random_stream random(seed);
  for (float& value : values) value = static_cast<float>(random.normal());
  return values;
}

/// [count, side, side, 3], uniform bytes.
inline imgsim::tensor<std::uint8_t, 4> random_photos(std::size_t count, std::size_t side, std::uint64_t seed = 1) {
  imgsim::tensor<std::uint8_t, 4> photos({count, side, side, 3});
  imgsim::random_stream random(seed);
  for (std::uint8_t& value : photos) value = static_cast<std::uint8_t>(random.next());
  return photos;
}

}  // namespace imgsim_bench
