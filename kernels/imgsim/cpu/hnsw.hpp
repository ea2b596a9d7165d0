// Graphs of near neighbours (search/neighbour_graph.hpp), built by hnswlib: HNSW of Malkov and Yashunin (2018,
// doi:10.1109/TPAMI.2018.2889473). Needs its headers on the include path (Debian: libhnswlib-dev).
#pragma once

// hnswlib's hand-written vector code prefetches by the entry after the last of a list, which may lie beyond the memory
// of the list. The distances are imgsim's own, so that nothing else of it is missed.
#ifndef NO_MANUAL_VECTORIZATION
#define NO_MANUAL_VECTORIZATION
#define IMGSIM_DEFINED_NO_MANUAL_VECTORIZATION
#endif
#include <hnswlib/hnswlib.h>
#ifdef IMGSIM_DEFINED_NO_MANUAL_VECTORIZATION
#undef IMGSIM_DEFINED_NO_MANUAL_VECTORIZATION
#undef NO_MANUAL_VECTORIZATION
#endif

#include <algorithm>
#include <array>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <stop_token>
#include <utility>
#include <vector>

#include <imgsim/core/element.hpp>
#include <imgsim/core/error.hpp>
#include <imgsim/core/macros.hpp>
#include <imgsim/core/tensor.hpp>
#include <imgsim/core/view.hpp>
#include <imgsim/cpu/context.hpp>
#include <imgsim/cpu/search/canonical_tiles.hpp>
#include <imgsim/cpu/simd.hpp>
#include <imgsim/metric/cosine.hpp>
#include <imgsim/metric/euclidean.hpp>
#include <imgsim/search/neighbour_graph.hpp>

namespace imgsim {

struct hnsw_options {
  std::size_t links = 16;        // rows that a row is linked to in the layers above; twice as many below
  std::size_t candidates = 200;  // among which a row's links are chosen
  std::uint64_t seed = 0;
  std::function<void(std::size_t done, std::size_t total)> on_progress = {};  // rows
  std::stop_token stop = {};
};

namespace cpu {

/// The squared Euclidean distance of two rows of floats, in float32: near enough to choose links by.
struct squared_distance_body {
  const float* a;
  const float* b;
  std::size_t depth;
  float* out;

  template <class Isa>
  IMGSIM_ALWAYS_INLINE void run() const {
    using floats = vector<float, Isa::float_lanes>;
    constexpr std::size_t kSums = 4;
    floats sums[kSums] = {};
    std::size_t i = 0;
    for (; i + kSums * Isa::float_lanes <= depth; i += kSums * Isa::float_lanes) {
#pragma GCC unroll 4
      for (std::size_t s = 0; s < kSums; ++s) {
        floats left, right;
        load(left, a + i + s * Isa::float_lanes);
        load(right, b + i + s * Isa::float_lanes);
        sums[s] += (left - right) * (left - right);
      }
    }
    float lanes[Isa::float_lanes];
    store(lanes, (sums[0] + sums[1]) + (sums[2] + sums[3]));
    float total = 0;
    for (const float lane : lanes) total += lane;
    for (; i < depth; ++i) total += (a[i] - b[i]) * (a[i] - b[i]);
    *out = total;
  }
};

/// What hnswlib asks of a space.
class hnsw_space final : public hnswlib::SpaceInterface<float> {
 public:
  explicit hnsw_space(std::size_t depth) : measure_{depth, best_simd_level()} {}

  std::size_t get_data_size() override { return measure_.depth * sizeof(float); }
  hnswlib::DISTFUNC<float> get_dist_func() override { return &distance; }
  void* get_dist_func_param() override { return &measure_; }

 private:
  struct measure {
    std::size_t depth;
    simd_level level;
  };

  static float distance(const void* a, const void* b, const void* parameter) {
    const auto* how = static_cast<const measure*>(parameter);
    float value = 0;
    expand(squared_distance_body{static_cast<const float*>(a), static_cast<const float*>(b), how->depth, &value},
           how->level);
    return value;
  }

  measure measure_;
};

using hnsw_hierarchy = hnswlib::HierarchicalNSW<float>;

/// The lists of hnswlib, by its own numbers of the points, as a graph by the labels, which are the rows.
[[nodiscard]] inline neighbour_graph graph_of(const hnsw_hierarchy& built) {
  const std::size_t size = built.cur_element_count;
  const auto levels_of = [&](std::size_t point) { return static_cast<std::size_t>(built.element_levels_[point]); };
  const auto row_of = [&](std::size_t point) {
    return static_cast<std::int32_t>(built.getExternalLabel(static_cast<hnswlib::tableint>(point)));
  };
  const auto links_of = [&](std::size_t point, std::size_t level) {
    hnswlib::linklistsizeint* list =
        built.get_linklist_at_level(static_cast<hnswlib::tableint>(point), static_cast<int>(level));
    const auto* first = reinterpret_cast<const hnswlib::tableint*>(list + 1);
    return std::span(first, built.getListCount(list));
  };

  // Lines of the layers, from the topmost down; that of the entry is the first.
  const auto top = static_cast<std::size_t>(built.maxlevel_);
  std::vector<std::vector<std::size_t>> layers(top + 1);
  for (std::size_t point = 0; point < size; ++point)
    for (std::size_t level = 1; level <= levels_of(point); ++level) layers[level].push_back(point);
  const std::size_t entry = built.enterpoint_node_;
  neighbour_graph graph{tensor<std::int32_t, 2>({size, built.maxM0_}), {}};
  if (top == 0) {  // so few rows that there is no layer above: one line, of the entry alone
    graph.layers = tensor<std::int32_t, 2>({1, 2 + built.maxM_});
    std::ranges::fill(graph.layers, -1);
    graph.layers(0, 0) = row_of(entry);
  } else {
    std::iter_swap(layers[top].begin(), std::ranges::find(layers[top], entry));
    std::size_t lines = 0;
    for (const std::vector<std::size_t>& layer : layers) lines += layer.size();
    graph.layers = tensor<std::int32_t, 2>({lines, 2 + built.maxM_});
    std::ranges::fill(graph.layers, -1);
    std::vector<std::int32_t> line_of(size, -1);  // in the layer at hand
    std::vector<std::int32_t> line_above(size, -1);
    std::size_t next = 0;
    for (std::size_t level = top; level >= 1; --level) {
      std::swap(line_of, line_above);
      const std::size_t first = next;
      for (const std::size_t point : layers[level]) line_of[point] = static_cast<std::int32_t>(next++);
      for (std::size_t line = first; line < next; ++line) {
        const std::size_t point = layers[level][line - first];
        graph.layers(line, 0) = row_of(point);
        if (level < top && levels_of(point) > level)
          graph.layers(static_cast<std::size_t>(line_above[point]), 1) = static_cast<std::int32_t>(line);
        std::size_t at = 2;
        for (const hnswlib::tableint other : links_of(point, level)) graph.layers(line, at++) = line_of[other];
      }
    }
  }
  std::ranges::fill(graph.links, -1);
  for (std::size_t point = 0; point < size; ++point) {
    std::size_t at = 0;
    for (const hnswlib::tableint other : links_of(point, 0))
      graph.links(static_cast<std::size_t>(row_of(point)), at++) = row_of(other);
  }
  return graph;
}

}  // namespace cpu

/// A graph of the rows [M, D], M >= 1, by which approximate_top_n finds neighbours under the metric. About
/// O(M log M candidates D); memory: 4 D + 8 links bytes a row beside the graph. With one thread the graph is a function
/// of the rows and the options; with more it also depends on which thread came first.
///
/// Throws invalid_argument where there are no rows, 2^31 - 1 or more, links is not in [2, 1024] or a value is not
/// finite; cancelled on a stop.
template <element_matrix Rows, metric Metric>
  requires std::same_as<Metric, cosine> || std::same_as<Metric, euclidean>
[[nodiscard]] neighbour_graph build_hnsw_graph(const cpu_context& context, const Rows& given, Metric,
                                               const hnsw_options& options = {}) {
  const auto rows = read_only_view<Rows>(given);
  const std::size_t size = rows.extent(0), depth = rows.extent(1);
  IMGSIM_EXPECTS(size >= 1 && size < static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max()), "no graph of ",
                 size, " rows can be made");
  IMGSIM_EXPECTS(options.links >= 2 && options.links <= 1024, "a row is linked to 2 to 1024 others, not to ",
                 options.links);
  const std::vector<double> norms = cpu::row_squared_norms(context, rows, best_simd_level());
  for (std::size_t row = 0; row < size; ++row)
    IMGSIM_EXPECTS(std::isfinite(norms[row]), "row ", row, " holds a number that is not finite");

  cpu::hnsw_space space(depth);
  cpu::hnsw_hierarchy hierarchy(&space, size, options.links, options.candidates,
                                static_cast<std::size_t>(options.seed));
  const auto add = [&](std::size_t row) {
    // Between rows of length 1, the Euclidean distance is in the order of the cosine.
    const double scale = std::same_as<Metric, cosine> && norms[row] > 0 ? 1 / std::sqrt(norms[row]) : 1;
    std::vector<float> values(depth);
    for (std::size_t i = 0; i < depth; ++i) values[i] = static_cast<float>(to_double(rows(row, i)) * scale);
    hierarchy.addPoint(values.data(), row);
  };
  add(0);                               // where all others begin
  constexpr std::size_t kBlock = 1024;  // rows between two looks at a stop
  for (std::size_t first = 1; first < size; first += kBlock) {
    if (options.stop.stop_requested()) throw cancelled("the graph was not finished");
    const std::size_t count = std::min(kBlock, size - first);
    context.parallel_for(count, [&](std::size_t i) { add(first + i); });
    if (options.on_progress) options.on_progress(first + count, size);
  }
  return cpu::graph_of(hierarchy);
}

}  // namespace imgsim
