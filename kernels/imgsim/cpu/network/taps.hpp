// Features from layers' outputs.
#pragma once

#include <cstddef>
#include <limits>

#include <imgsim/cpu/network/layer.hpp>
#include <imgsim/cpu/network/pooling.hpp>
#include <imgsim/model/network_plan.hpp>

namespace imgsim::cpu {

/// Pools a shard's activations [photos, H, W, C] into its rows of the features; `features` is the shard's slice.
inline void pool_tap(worker& w, const planned_tap& tap, const feature_shape& shape, element type,
                     const void* activations, matrix_view<float> features) {
  visit_element(type, [&]<class T>(T*) {
    for (std::size_t b = 0; b < features.extent(0); ++b) {
      const T* const photo = static_cast<const T*>(activations) + b * shape.size();
      float* const out = features.row(b) + tap.offset;
      if (tap.pool == pool_kind::flat) {
        for (std::size_t i = 0; i < shape.size(); ++i) out[i] = load_float(photo + i);
        continue;
      }
      const double floor =
          tap.pool == pool_kind::mean ? -std::numeric_limits<double>::infinity() : kGeneralisedMeanFloor;
      auto* const room = reinterpret_cast<double*>(w.scratch.at_least(2 * shape.channels));
      generalised_mean{shape, tap.grid, tap.exponent, floor}.forward(photo, out, room);
    }
  });
}

}  // namespace imgsim::cpu
