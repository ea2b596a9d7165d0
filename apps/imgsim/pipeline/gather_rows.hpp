// Some rows of a matrix, made a matrix of their own.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>

#include <imgsim/core/tensor.hpp>
#include <imgsim/core/view.hpp>

namespace imgsim::app {

/// [R, D]: rows[i] of `matrix` [M, D] as row i.
[[nodiscard]] inline tensor<float, 2> gather_rows(matrix_view<const float> matrix, std::span<const std::size_t> rows) {
  tensor<float, 2> gathered({rows.size(), matrix.extent(1)});
  for (std::size_t i = 0; i < rows.size(); ++i)
    std::copy_n(matrix.row(rows[i]), matrix.extent(1), gathered.view().row(i));
  return gathered;
}

}  // namespace imgsim::app
