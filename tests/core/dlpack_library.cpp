// What dlpack_numpy.py calls.
#include <cstddef>
#include <cstring>

#include <imgsim/core/dlpack.hpp>

namespace {

imgsim::tensor<float, 2> counted(std::size_t rows, std::size_t columns) {
  imgsim::tensor<float, 2> numbers({rows, columns});
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers.data()[i] = static_cast<float>(i);
  return numbers;
}

template <class Managed>
int element_of(Managed* managed, std::size_t row, std::size_t column, float* value, char* reason) {
  try {
    const imgsim::dlpack_import<const float, 2, imgsim::host_space, Managed> imported(managed);
    *value = imported.view()(row, column);
    return 0;
  } catch (const imgsim::error& refused) {
    std::strncpy(reason, refused.what(), 199);
    return 1;
  }
}

}  // namespace

extern "C" {
void* make_dltensor(std::size_t rows, std::size_t columns) {
  return imgsim::to_dlpack<imgsim::dlpack::managed_tensor>(counted(rows, columns));
}
void* make_dltensor_versioned(std::size_t rows, std::size_t columns) {
  return imgsim::to_dlpack(counted(rows, columns));
}
int element_of_dltensor(void* managed, std::size_t row, std::size_t column, float* value, char* reason) {
  return element_of(static_cast<imgsim::dlpack::managed_tensor*>(managed), row, column, value, reason);
}
int element_of_dltensor_versioned(void* managed, std::size_t row, std::size_t column, float* value, char* reason) {
  return element_of(static_cast<imgsim::dlpack::managed_tensor_versioned*>(managed), row, column, value, reason);
}
}
