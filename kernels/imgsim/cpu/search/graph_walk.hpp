// One walk over a graph of near neighbours: Malkov and Yashunin (2018, doi:10.1109/TPAMI.2018.2889473), algorithm 5 and
// what it calls. Similarities are canonical ones, computed for all rows that a row is linked to at once.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include <imgsim/core/element.hpp>
#include <imgsim/core/view.hpp>
#include <imgsim/cpu/search/candidates.hpp>
#include <imgsim/cpu/search/canonical.hpp>
#include <imgsim/cpu/simd.hpp>
#include <imgsim/metric/metric.hpp>
#include <imgsim/search/neighbour_graph.hpp>

namespace imgsim::cpu {

/// Rows that were seen: as large as the walk, not as the gallery.
class row_set {
 public:
  void clear() {
    std::ranges::fill(slots_, kFree);
    count_ = 0;
  }
  /// Whether it was not there yet.
  bool insert(std::uint32_t row) {
    if (2 * count_ >= slots_.size()) grow();
    std::uint32_t& slot = slots_[place_of(row)];
    if (slot == row) return false;
    slot = row;
    ++count_;
    return true;
  }

 private:
  static constexpr std::uint32_t kFree = std::numeric_limits<std::uint32_t>::max();

  [[nodiscard]] std::size_t place_of(std::uint32_t row) const noexcept {
    const std::size_t mask = slots_.size() - 1;
    std::size_t at = (row * 0x9e3779b97f4a7c15u) >> (64 - std::bit_width(mask));
    while (slots_[at] != kFree && slots_[at] != row) at = (at + 1) & mask;
    return at;
  }
  void grow() {
    const std::vector<std::uint32_t> before = std::move(slots_);
    slots_.assign(std::max<std::size_t>(2 * before.size(), 1024), kFree);
    for (const std::uint32_t row : before)
      if (row != kFree) slots_[place_of(row)] = row;
  }

  std::vector<std::uint32_t> slots_;  // a power of two, at most half of it taken
  std::size_t count_ = 0;
};

/// Used from one thread.
template <metric Metric, real_element T>
class graph_walk {
 public:
  graph_walk(const matrix_view<const T>& rows, const neighbour_graph_view& graph, simd_level level)
      : rows_(rows), graph_(graph), level_(level) {}

  /// The best rows of those that the walk sees, at most `breadth` >= 1, in no order. Rows whose key is NaN are none.
  [[nodiscard]] std::span<candidate> search(const T* query, double squared_norm, std::size_t breadth) {
    query_ = query;
    squared_norm_ = squared_norm;
    const std::size_t start = descend();
    seen_.clear();
    frontier_.clear();
    best_.clear();
    near_.assign(1, start);
    seen_.insert(static_cast<std::uint32_t>(start));
    take_near(breadth);
    while (!frontier_.empty()) {
      const candidate next = frontier_.front();
      if (best_.size() == breadth && candidate::better(best_.front(), next)) break;
      std::ranges::pop_heap(frontier_, is_worse);
      frontier_.pop_back();
      near_.clear();
      for (const std::int32_t other : imgsim::detail::listed(graph_.links.row(next.row), graph_.links.extent(1))) {
        const std::size_t row = imgsim::detail::graph_index(other, rows_.extent(0), "row");
        if (seen_.insert(static_cast<std::uint32_t>(row))) near_.push_back(row);
      }
      take_near(breadth);
    }
    return best_;
  }

  /// Similarities computed so far.
  [[nodiscard]] std::uint64_t compared() const noexcept { return compared_; }

 private:
  static bool is_worse(const candidate& a, const candidate& b) noexcept { return candidate::better(b, a); }

  /// Of the layers above, from each the row that is locally most similar; the one of the last.
  [[nodiscard]] std::size_t descend() {
    const matrix_view<const std::int32_t>& layers = graph_.layers;
    for (std::size_t line = 0;;) {
      near_.assign(1, row_of(line));
      double best = keys_of_near()[0];
      for (bool is_better = true; is_better;) {
        is_better = false;
        const std::span<const std::int32_t> lines = imgsim::detail::listed(layers.row(line) + 2, layers.extent(1) - 2);
        near_.clear();
        for (const std::int32_t other : lines)
          near_.push_back(row_of(imgsim::detail::graph_index(other, layers.extent(0), "line")));
        const std::span<const double> keys = keys_of_near();
        for (std::size_t i = 0; i < keys.size(); ++i) {
          if (!(keys[i] > best)) continue;
          best = keys[i];
          line = static_cast<std::size_t>(lines[i]);
          is_better = true;
        }
      }
      const std::optional<std::size_t> below = imgsim::detail::line_below(layers, line);
      if (!below) return row_of(line);
      line = *below;
    }
  }

  [[nodiscard]] std::size_t row_of(std::size_t line) const {
    return imgsim::detail::graph_index(graph_.layers(line, 0), rows_.extent(0), "row");
  }

  /// Keys of the rows of near_.
  [[nodiscard]] std::span<const double> keys_of_near() {
    pointers_.clear();
    for (const std::size_t row : near_) pointers_.push_back(rows_.row(row));
    keys_.resize(near_.size());
    if (near_.empty()) return keys_;
    expand(canonical_tile_body<Metric, T>{.rows = {&query_, 1},
                                          .row_squared_norms = {&squared_norm_, 1},
                                          .columns = pointers_,
                                          .column_squared_norms = {},
                                          .depth = rows_.extent(1),
                                          .keys = keys_.data(),
                                          .stride = keys_.size()},
           level_);
    compared_ += near_.size();
    return keys_;
  }

  /// Takes the rows of near_ that are among the best so far, which are also where the walk may go on.
  void take_near(std::size_t breadth) {
    const std::span<const double> keys = keys_of_near();
    for (std::size_t i = 0; i < keys.size(); ++i) {
      if (std::isnan(keys[i])) continue;
      const candidate found{keys[i], keys[i], near_[i]};
      if (best_.size() == breadth && !candidate::better(found, best_.front())) continue;
      frontier_.push_back(found);
      std::ranges::push_heap(frontier_, is_worse);
      if (best_.size() == breadth) {
        std::ranges::pop_heap(best_, candidate::better);
        best_.pop_back();
      }
      best_.push_back(found);
      std::ranges::push_heap(best_, candidate::better);
    }
  }

  matrix_view<const T> rows_;
  neighbour_graph_view graph_;
  simd_level level_;
  const T* query_ = nullptr;
  double squared_norm_ = 0;
  row_set seen_;
  std::vector<candidate> frontier_;  // a heap, the best first
  std::vector<candidate> best_;      // a heap, the worst first
  std::vector<std::size_t> near_;
  std::vector<const T*> pointers_;
  std::vector<double> keys_;
  std::uint64_t compared_ = 0;
};

}  // namespace imgsim::cpu
