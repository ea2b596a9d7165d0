// What a refused call says.
#pragma once

#include <string>

#include <imgsim/core/error.hpp>

namespace imgsim_test {

/// The reason of the io_error that `call` throws.
template <class Call>
std::string reason_of(Call&& call) {
  try {
    call();
  } catch (const imgsim::io_error& fault) {
    return fault.reason();
  }
  return "(no io_error)";
}

/// The message of the invalid_argument that `call` throws.
template <class Call>
std::string complaint_of(Call&& call) {
  try {
    call();
  } catch (const imgsim::invalid_argument& fault) {
    return fault.what();
  }
  return "(no invalid_argument)";
}

}  // namespace imgsim_test
