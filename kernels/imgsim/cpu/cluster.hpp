// The CPU backend of clustering: include this beside imgsim/cluster/*.hpp to run them on a cpu_context.
#pragma once

#include <imgsim/cluster/backend.hpp>
#include <imgsim/cpu/cluster/centroid_searcher.hpp>
#include <imgsim/cpu/cluster/medoid_searcher.hpp>
#include <imgsim/cpu/context.hpp>

namespace imgsim {

template <>
struct cluster_backend<cpu_context> {
  template <class Source>
  using medoid_searcher = cpu::medoid_searcher<Source>;
  using centroid_searcher = cpu::centroid_searcher;
};

}  // namespace imgsim
