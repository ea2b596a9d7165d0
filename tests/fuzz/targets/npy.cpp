// NumPy arrays, read and mapped: imgsim/embedding/npy.hpp.
#include <cstdint>
#include <cstring>

#include <imgsim/core/tensor.hpp>
#include <imgsim/embedding/npy.hpp>

#include "../target.hpp"

namespace imgsim_fuzz {

namespace {

bool read_array(std::span<const std::byte> input) {
  const input_file file(input);
  const bool vector = accepts([&] {
    const auto values = imgsim::read_npy<std::int64_t, 1>(file.path());
    must(values.size() * sizeof(std::int64_t) <= input.size(), "no more elements than bytes");
  });
  const bool matrix = accepts([&] {
    const auto values = imgsim::read_npy<float, 2>(file.path());
    must(values.size() * sizeof(float) <= input.size(), "no more elements than bytes");
    const imgsim::mapped_npy<float, 2> mapped(file.path());
    const auto view = mapped.view();
    must(view.extent(0) == values.extent(0) && view.extent(1) == values.extent(1), "mapped as it is read");
    for (std::size_t row = 0; row < view.extent(0) && view.extent(1) > 0; ++row)
      must(std::memcmp(&view(row, 0), &values.view()(row, 0), view.extent(1) * sizeof(float)) == 0,
           "mapped values are those read");
  });
  return vector || matrix;
}

std::vector<bytes> array_seeds() {
  // Written by NumPy's own rules: version 1.0 with the header padded to 64 bytes, and version 2.0.
  const auto make = [](char version, std::string header, std::string_view data) {
    const std::size_t prefix = version == '\1' ? 10 : 12;
    header.append(63 - (prefix + header.size()) % 64, ' ').append("\n");
    std::string text("\x93NUMPY");
    text += version;
    text += '\0';
    for (std::size_t i = 0; i < prefix - 8; ++i) text += static_cast<char>(header.size() >> (8 * i));
    return bytes_of_text(text + header + std::string(data));
  };
  return {make('\1', "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", std::string(24, '\1')),
          make('\1', "{'descr': '<i8', 'fortran_order': False, 'shape': (3,), }", std::string(24, '\2')),
          make('\2', "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1), }", std::string(4, '\3')),
          make('\1', "{'descr': '<f4', 'fortran_order': True, 'shape': (0, 5), }", {})};
}

}  // namespace

const target npy_target{"npy", read_array, array_seeds};

}  // namespace imgsim_fuzz
