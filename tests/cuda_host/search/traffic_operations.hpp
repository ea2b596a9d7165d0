// A search on the device, for the meter.
#pragma once

#include <cstddef>
#include <functional>

#include <imgsim/core/view.hpp>

namespace imgsim_test {

/// after() is called when the norms of the gallery are known, and again when the search has ended.
void run_search(imgsim::matrix_view<const float> gallery, imgsim::matrix_view<const float> queries, std::size_t wanted,
                const std::function<void()>& after);

}  // namespace imgsim_test
