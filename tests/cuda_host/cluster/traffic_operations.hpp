// One pass of CUDA clustering after another, for the meter.
#pragma once

#include <functional>
#include <span>

#include <imgsim/core/view.hpp>

namespace imgsim_test {

/// Called when the kernels of a pass have run.
using after_pass = std::function<void(const char* pass)>;

/// K-medoids over a table on the device, with `medoids`: "check", "assign",
/// "exchange" (every row tried until one improves), "savings" (at the largest price).
void run_medoid_passes(imgsim::matrix_view<const float> distances, std::span<const std::size_t> medoids,
                       const after_pass& after);

/// K-means: "nearest", whose last kernel compares, and "sums".
void run_centroid_passes(imgsim::matrix_view<const float> points, imgsim::matrix_view<const float> centroids,
                         const after_pass& after);

}  // namespace imgsim_test
