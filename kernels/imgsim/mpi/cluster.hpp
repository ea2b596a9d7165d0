// Clustering over ranks: include this to run k_medoids, groups_around and choose_k (without points) with an mpi_context
// over mpi::sharded_distances. Their answers are those of one rank, to the bit, and on every rank.
//
//   const mpi_context context(communicator, cpu_context(threads));
//   const mpi::sharded_rows rows(context, my_rows);
//   const auto groups = k_medoids(context, mpi::sharded_distances(rows, cosine{}), {.k = 19});
#pragma once

#include <imgsim/cluster/backend.hpp>
#include <imgsim/mpi/context.hpp>
#include <imgsim/mpi/medoid_searcher.hpp>
#include <imgsim/mpi/sharded_distances.hpp>

namespace imgsim {

namespace mpi::detail {

template <class Source>
struct medoid_searcher_of {};
template <>
struct medoid_searcher_of<sharded_distances> {
  using type = medoid_searcher;
};

}  // namespace mpi::detail

template <>
struct cluster_backend<mpi_context> {
  template <class Source>
  using medoid_searcher = typename mpi::detail::medoid_searcher_of<Source>::type;
};

static_assert(has_medoid_search<mpi_context, mpi::sharded_distances>);

}  // namespace imgsim
