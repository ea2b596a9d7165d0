// A gallery made ready for search on the CPU.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include <imgsim/core/element.hpp>
#include <imgsim/core/view.hpp>
#include <imgsim/cpu/context.hpp>
#include <imgsim/cpu/search/canonical_tiles.hpp>
#include <imgsim/cpu/search/packed_rows.hpp>
#include <imgsim/cpu/search/policy.hpp>

namespace imgsim::cpu {

/// Rows [M, D], which must outlive the object, with what a search would otherwise compute of them each time: squared
/// norms, and the packed rows where they fit in the policy's packed_bytes. Without a context: the rows alone, for one
/// search, which then computes as much as it needs.
template <real_element T>
class gallery {
 public:
  explicit gallery(matrix_view<const T> rows) : rows_(rows) {}

  gallery(const cpu_context& context, matrix_view<const T> rows, const search_policy& policy = {}) : rows_(rows) {
    if (rows.extent(0) <= rows_per_pack(rows.extent(1), policy)) {
      packed_ = pack_rows(context, rows, policy.level);
    } else {
      squared_norms_ = row_squared_norms(context, rows, policy.level);
    }
  }

  [[nodiscard]] matrix_view<const T> rows() const noexcept { return rows_; }
  /// All rows packed; none where they did not fit, or where nothing was prepared.
  [[nodiscard]] const packed_rows& packed() const noexcept { return packed_; }
  [[nodiscard]] bool is_packed() const noexcept { return packed_.rows == rows_.extent(0); }
  /// [M], or none.
  [[nodiscard]] std::span<const double> squared_norms() const noexcept {
    return is_packed() ? std::span(packed_.squared_norms).first(packed_.rows) : std::span(squared_norms_);
  }
  [[nodiscard]] normed_rows<T> normed() const noexcept { return {rows_, squared_norms()}; }

  /// Rows of `depth` elements that the policy allows to be packed at once: whole tiles, one at the least.
  [[nodiscard]] static std::size_t rows_per_pack(std::size_t depth, const search_policy& policy) noexcept {
    return whole_tiles(policy.packed_bytes / packed_rows::bytes_for_row(depth));
  }

 private:
  matrix_view<const T> rows_;
  packed_rows packed_;
  std::vector<double> squared_norms_;  // where the rows are not packed
};

}  // namespace imgsim::cpu
