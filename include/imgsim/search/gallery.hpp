// A gallery that is searched more than once.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <string>

#include <imgsim/core/context.hpp>
#include <imgsim/core/element.hpp>
#include <imgsim/core/error.hpp>
#include <imgsim/core/view.hpp>
#include <imgsim/search/backend.hpp>

namespace imgsim {

/// Rows [M, D] made ready for searches by top_n on one context: norms, a layout that the kernels read fast, on a device
/// the rows themselves where they came from the host. Rows that already are in the context's space are not copied and
/// must outlive the object. Memory: a float32 copy of the rows and a quarter more at the most (a quarter alone where
/// the CPU multiplies bytes fast and they tell the rows apart), within the backend's limit; O(M) beyond it.
///
///   const prepared_gallery gallery(context, embeddings);
///   const top_n_result found = top_n(context, gallery, queries, cosine{}, {.n = 10});
template <execution_context Context, real_element T>
class prepared_gallery {
  static_assert((detail::require_search_backend<Context>(), true));

 public:
  using backend_gallery = typename search_backend<Context>::template gallery<T>;

  template <element_matrix Rows>
    requires std::same_as<element_of<Rows>, T>
  prepared_gallery(const Context& context, const Rows& rows)
      : extents_(rows.extents()), state_(context, read_only_view<Rows>(rows)) {}

  [[nodiscard]] std::size_t size() const noexcept { return extents_[0]; }
  [[nodiscard]] std::size_t dimension() const noexcept { return extents_[1]; }
  /// For messages: "[4738, 4096]".
  [[nodiscard]] std::string shape() const { return detail::concat("[", size(), ", ", dimension(), "]"); }
  [[nodiscard]] const backend_gallery& backend() const noexcept { return state_; }

 private:
  std::array<std::size_t, 2> extents_;
  backend_gallery state_;
};

template <execution_context Context, element_matrix Rows>
prepared_gallery(const Context&, const Rows&) -> prepared_gallery<Context, element_of<Rows>>;

}  // namespace imgsim
