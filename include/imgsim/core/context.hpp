// What every backend's context offers, and how an operation finds its backend.
//
// An operation's public header (search/top_n.hpp, cluster/k_medoids.hpp, ...) declares an empty primary template for
// the stage it belongs to, a concept that asks whether a backend has specialised it, and a function that checks its
// arguments and calls the specialisation. A backend is a folder under kernels/imgsim/ that specialises the stages:
//
//   search_backend<Context>    similarity tiles and top-N           (search/backend.hpp)
//   cluster_backend<Context>   K-medoids and k-means kernels        (cluster/backend.hpp)
//   network_backend<Context>   the layers of the autoencoder        (model/backend.hpp)
//
// A missing specialisation is one static_assert sentence at the call, never a silent detour over the CPU.
#pragma once

#include <concepts>
#include <string>

#include <imgsim/core/thread_pool.hpp>

namespace imgsim {

/// A cheap handle to where work runs: streams, library handles, workspace and host threads belong to the caller who
/// made it. Operations take it first, by const reference.
template <class C>
concept execution_context = requires(const C& context) {
  typename C::space;  // host_space or device_space: where its operations read and write
  { context.name() } -> std::convertible_to<std::string>;  // for messages: "cpu (2 threads, avx512)"
  { context.host_pool() } -> std::same_as<thread_pool&>;   // threads for work that stays on the host
};

}  // namespace imgsim
