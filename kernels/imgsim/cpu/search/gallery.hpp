// A gallery made ready for search on the CPU.
#pragma once

#include <concepts>
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include <imgsim/core/element.hpp>
#include <imgsim/core/view.hpp>
#include <imgsim/cpu/context.hpp>
#include <imgsim/cpu/search/byte_rows.hpp>
#include <imgsim/cpu/search/byte_worth.hpp>
#include <imgsim/cpu/search/canonical_tiles.hpp>
#include <imgsim/cpu/search/packed_rows.hpp>
#include <imgsim/cpu/search/policy.hpp>
#include <imgsim/metric/cosine.hpp>

namespace imgsim::cpu {

/// Rows [M, D], which must outlive the object, with what a search would otherwise compute of them each time: squared
/// norms, and packed rows where they fit in the policy's limits: of bytes where these rule rows out, of float32 where
/// they do not, or where many queries are faster with float32. Without a context: the rows alone, for one search, which
/// then computes as much as it needs.
template <real_element T>
class gallery {
 public:
  explicit gallery(matrix_view<const T> rows) : rows_(rows) {}

  gallery(const cpu_context& context, matrix_view<const T> rows, const search_policy& policy = {}) : rows_(rows) {
    const std::size_t depth = rows.extent(1);
    if (policy.bytes != byte_use::never && byte_rows::holds(depth) && fits<byte_rows>(policy) &&
        (policy.bytes == byte_use::always || are_ruled_out<cosine>(context, rows, rows, 10, policy.kept_share, policy)))
      bytes_ = byte_rows::pack(context, rows, byte_rows::make_frame(rows), policy.level);
    const bool bytes_are_fastest = bytes_ && (policy.uses_vnni() || policy.bytes == byte_use::always);
    if (!bytes_are_fastest && fits<packed_rows>(policy)) floats_ = packed_rows::pack(context, rows, {}, policy.level);
    if (!bytes_ && !floats_) squared_norms_ = row_squared_norms(context, rows, policy.level);
  }

  [[nodiscard]] matrix_view<const T> rows() const noexcept { return rows_; }
  /// All rows packed; none where they did not fit or do not pay, or where nothing was prepared.
  template <class Rows>
  [[nodiscard]] const Rows* packed() const noexcept {
    if constexpr (std::same_as<Rows, byte_rows>)
      return bytes_ ? &*bytes_ : nullptr;
    else
      return floats_ ? &*floats_ : nullptr;
  }
  /// [M], or none.
  [[nodiscard]] std::span<const double> squared_norms() const noexcept {
    if (bytes_) return std::span(bytes_->squared_norms).first(bytes_->rows);
    if (floats_) return std::span(floats_->squared_norms).first(floats_->rows);
    return squared_norms_;
  }
  [[nodiscard]] normed_rows<T> normed() const noexcept { return {rows_, squared_norms()}; }

  /// Rows of `depth` elements that the policy allows to be packed at once: whole tiles, one at the least.
  template <class Rows>
  [[nodiscard]] static std::size_t rows_per_pack(std::size_t depth, const search_policy& policy) noexcept {
    return whole_tiles(Rows::budget(policy) / Rows::bytes_for_row(depth));
  }

 private:
  template <class Rows>
  [[nodiscard]] bool fits(const search_policy& policy) const noexcept {
    return rows_.extent(0) <= rows_per_pack<Rows>(rows_.extent(1), policy);
  }

  matrix_view<const T> rows_;
  std::optional<byte_rows> bytes_;
  std::optional<packed_rows> floats_;
  std::vector<double> squared_norms_;  // where the rows are not packed
};

}  // namespace imgsim::cpu
