// How well separated groups are, judged by the centroids of their points: the two indices that most reports on
// clustering give. Both are in the Euclidean space of the embeddings, whatever metric made the groups.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include <imgsim/cluster/k_means.hpp>
#include <imgsim/cluster/rows_by_label.hpp>
#include <imgsim/core/context.hpp>
#include <imgsim/core/element.hpp>
#include <imgsim/core/error.hpp>
#include <imgsim/core/tensor.hpp>
#include <imgsim/core/view.hpp>

namespace imgsim {

struct centroid_indices {
  /// Calinski and Harabasz (1974, doi:10.1080/03610927408827101): dispersion between groups over dispersion within
  /// them, (B / (K - 1)) / (W / (M - K)). Larger is better; infinite where the groups are single places.
  double calinski_harabasz = 0;
  /// Davies and Bouldin (1979, doi:10.1109/TPAMI.1979.4766909): the mean over the groups of the worst
  /// (s_i + s_j) / |c_i - c_j|, s the mean distance to the own centroid. Smaller is better; infinite where two groups
  /// have one centroid.
  double davies_bouldin = 0;

  /// Not for a single group, nor where every point is one: then both are 0.
  [[nodiscard]] bool are_defined() const noexcept { return calinski_harabasz != 0 || davies_bouldin != 0; }
};

namespace detail {

/// |a - b| of [D] each, in float64. Eight sums side by side, so that an addition need not wait for the last one.
template <class T>
[[nodiscard]] inline double distance_between(const T* a, const double* b, std::size_t dimension) noexcept {
  constexpr std::size_t kLanes = 8;
  double sums[kLanes] = {};
  const auto add = [&](std::size_t i, std::size_t lane) {
    const double difference = static_cast<double>(a[i]) - b[i];
    sums[lane] += difference * difference;
  };
  std::size_t i = 0;
  for (; i + kLanes <= dimension; i += kLanes)
    for (std::size_t lane = 0; lane < kLanes; ++lane) add(i + lane, lane);
  for (std::size_t lane = 0; i < dimension; ++i, ++lane) add(i, lane);
  return std::sqrt(std::accumulate(sums, sums + kLanes, 0.0));
}

}  // namespace detail

/// Both indices of one partition of the points after another. Groups that have the members of a group of the partition
/// before are not summed again, nor compared with one another: in a sweep over K most stay as they are. The work is
/// done by the context's host threads, whatever its device; [K, D] float64 of two partitions are held.
template <execution_context Context>
class centroid_judge {
 public:
  /// `rows` [M, D], which must outlive the object. Throws invalid_argument where a value is not finite.
  template <element_matrix Rows>
  centroid_judge(Context context, const Rows& rows)
      : context_(std::move(context)), points_(detail::float_rows(rows, converted_)) {
    detail::check_finite(points_, "the list of points");
  }

  centroid_judge(const centroid_judge&) = delete;  // the points may refer to what is held here
  centroid_judge& operator=(const centroid_judge&) = delete;

  /// Of `labels` [M], all below `k`. Groups without points do not count; where fewer than two have points, or every
  /// point is a group, both are 0. O(M + m D + (1 + n) K D), m the members and n the number of groups that the last
  /// partition did not have or for which the worst group has changed; the result is the same as if none came before.
  /// Throws invalid_argument where the labels are not M or one is `k` or more.
  [[nodiscard]] centroid_indices operator()(std::span<const std::uint32_t> labels, std::size_t k) {
    IMGSIM_EXPECTS(labels.size() == points_.extent(0), labels.size(), " labels for points ", shape_text(points_));
    for (const std::uint32_t label : labels)
      IMGSIM_EXPECTS(label < k, "label ", label, " where there are ", k, " groups");
    summary now(labels, k, points_.extent(1));
    const auto groups = static_cast<std::size_t>(
        std::ranges::count_if(now.members, [](const auto& members) { return !members.empty(); }));
    if (groups < 2 || groups == labels.size()) return {};
    const std::vector<std::size_t> unknown = keep_known(now);
    sum_up(now, unknown);
    find_worst(now);
    last_ = std::move(now);
    summed_ = unknown.size();

    const auto count = static_cast<double>(groups);
    const auto size = static_cast<double>(labels.size());
    const double within = std::accumulate(last_.squares.begin(), last_.squares.end(), 0.0);
    return {.calinski_harabasz = within > 0 ? between() / (count - 1) * (size - count) / within
                                            : std::numeric_limits<double>::infinity(),
            .davies_bouldin = std::accumulate(last_.worst.begin(), last_.worst.end(), 0.0) / count};
  }

  /// Groups of the last partition with indices that were summed: those that the partition before did not have.
  [[nodiscard]] std::size_t summed_groups() const noexcept { return summed_; }

 private:
  static constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();

  struct summary {
    std::vector<std::uint32_t> labels;              // [M]
    std::vector<std::vector<std::size_t>> members;  // [K] rows, ascending
    tensor<double, 2> centroids;                    // [K, D]
    std::vector<double> spread;                     // [K] mean distance to the centroid
    std::vector<double> squares;                    // [K] sum of the squares of these distances
    std::vector<double> worst;                      // [K] the largest (s_i + s_j) / |c_i - c_j|
    std::vector<std::size_t> worst_other;           // [K] a group j that has it; kNone where it is not known

    summary() = default;
    summary(std::span<const std::uint32_t> of_points, std::size_t k, std::size_t dimension)
        : labels(of_points.begin(), of_points.end()),
          members(rows_by_label(labels, k)),
          centroids({k, dimension}),
          spread(k, 0.0),
          squares(k, 0.0),
          worst(k, 0.0),
          worst_other(k, kNone) {}
  };

  /// Copies what is known from the last partition; returns the groups that are new.
  [[nodiscard]] std::vector<std::size_t> keep_known(summary& now) const {
    std::vector<std::size_t> unknown;
    std::vector<std::size_t> now_at(last_.members.size(), kNone);
    for (std::size_t group = 0; group < now.members.size(); ++group) {
      if (now.members[group].empty()) continue;
      const std::size_t before = last_.labels.empty() ? 0 : last_.labels[now.members[group].front()];
      if (last_.labels.empty() || last_.members[before] != now.members[group]) {
        unknown.push_back(group);
        continue;
      }
      std::ranges::copy_n(last_.centroids.view().row(before), static_cast<std::ptrdiff_t>(points_.extent(1)),
                          now.centroids.view().row(group));
      now.spread[group] = last_.spread[before];
      now.squares[group] = last_.squares[before];
      now_at[before] = group;
    }
    for (std::size_t before = 0; before < now_at.size(); ++before) {
      if (now_at[before] == kNone || now_at[last_.worst_other[before]] == kNone) continue;
      now.worst[now_at[before]] = last_.worst[before];
      now.worst_other[now_at[before]] = now_at[last_.worst_other[before]];
    }
    return unknown;
  }

  /// Threads share the columns of centroids, then the members: each sum has its order, whatever their number.
  void sum_up(summary& now, std::span<const std::size_t> groups) {
    constexpr std::size_t kColumns = 128;
    constexpr std::size_t kRows = 64;
    const std::size_t dimension = points_.extent(1);
    const std::size_t blocks = (dimension + kColumns - 1) / kColumns;
    context_.host_pool().for_each(groups.size() * blocks, [&](std::size_t part) {
      const std::size_t group = groups[part / blocks];
      const std::size_t begin = part % blocks * kColumns;
      const std::size_t end = std::min(dimension, begin + kColumns);
      const std::vector<std::size_t>& members = now.members[group];
      double* const centroid = now.centroids.view().row(group);
      for (const std::size_t row : members) {
        const float* point = points_.row(row);
        for (std::size_t i = begin; i < end; ++i) centroid[i] += static_cast<double>(point[i]);
      }
      for (std::size_t i = begin; i < end; ++i) centroid[i] /= static_cast<double>(members.size());
    });

    struct some_members {
      std::size_t group, begin, end;
    };
    std::vector<some_members> parts;
    for (const std::size_t group : groups)
      for (std::size_t begin = 0, size = now.members[group].size(); begin < size; begin += kRows)
        parts.push_back({group, begin, std::min(size, begin + kRows)});
    std::vector<double> distances(points_.extent(0));
    context_.host_pool().for_each(parts.size(), [&](std::size_t part) {
      const auto [group, begin, end] = parts[part];
      for (const std::size_t row : std::span(now.members[group]).subspan(begin, end - begin))
        distances[row] = detail::distance_between(points_.row(row), now.centroids.view().row(group), dimension);
    });
    for (const std::size_t group : groups) {
      for (const std::size_t row : now.members[group]) {
        now.squares[group] += distances[row] * distances[row];
        now.spread[group] += distances[row];
      }
      now.spread[group] /= static_cast<double>(now.members[group].size());
    }
  }

  /// The sum over the points of the squared distance from their centroid to the mean of all.
  [[nodiscard]] double between() const {
    const std::size_t dimension = points_.extent(1);
    const auto size_of = [&](std::size_t group) { return static_cast<double>(last_.members[group].size()); };
    std::vector<double> mean(dimension, 0.0);
    for (std::size_t group = 0; group < last_.members.size(); ++group)
      for (std::size_t i = 0; i < dimension; ++i)
        mean[i] += last_.centroids(group, i) * (size_of(group) / static_cast<double>(points_.extent(0)));
    double sum = 0;
    for (std::size_t group = 0; group < last_.members.size(); ++group) {
      const double to_mean = detail::distance_between(last_.centroids.view().row(group), mean.data(), dimension);
      sum += size_of(group) * to_mean * to_mean;
    }
    return sum;
  }

  /// For each group the worst other one. Groups of which it is not known, the new ones among them, are compared with
  /// all: so the others are with the new ones.
  void find_worst(summary& now) const {
    constexpr std::size_t kTogether = 64;  // groups that are compared, then folded in order
    constexpr std::size_t kOthers = 64;    // that one thread compares with a group
    const std::size_t k = now.members.size();
    const std::size_t blocks = (k + kOthers - 1) / kOthers;
    std::vector<std::size_t> compared;
    std::vector<std::size_t> turn(k, kNone);  // position in `compared`
    for (std::size_t group = 0; group < k; ++group)
      if (now.worst_other[group] == kNone && !now.members[group].empty()) {
        turn[group] = compared.size();
        compared.push_back(group);
      }

    const auto likeness = [&](std::size_t group, std::size_t other) {
      const double apart =
          detail::distance_between(now.centroids.view().row(group), now.centroids.view().row(other), points_.extent(1));
      return apart > 0 ? (now.spread[group] + now.spread[other]) / apart : std::numeric_limits<double>::infinity();
    };
    const auto fold = [&](std::size_t group, std::size_t other, double value) {
      if (now.worst_other[group] != kNone && value <= now.worst[group]) return;
      now.worst[group] = value;
      now.worst_other[group] = other;
    };
    // A pair of compared groups is looked at in the turn of the later one.
    const auto looks_at = [&](std::size_t i, std::size_t other) {
      return !now.members[other].empty() && (turn[other] == kNone || turn[other] < i);
    };
    tensor<double, 2> found({std::min(compared.size(), kTogether), k});
    for (std::size_t first = 0; first < compared.size(); first += kTogether) {
      const std::size_t end = std::min(compared.size(), first + kTogether);
      context_.host_pool().for_each((end - first) * blocks, [&](std::size_t part) {
        const std::size_t i = part / blocks;
        const std::size_t begin = part % blocks * kOthers;
        for (std::size_t other = begin; other < std::min(k, begin + kOthers); ++other)
          if (looks_at(first + i, other)) found(i, other) = likeness(compared[first + i], other);
      });
      for (std::size_t i = first; i < end; ++i)
        for (std::size_t other = 0; other < k; ++other) {
          if (!looks_at(i, other)) continue;
          fold(compared[i], other, found(i - first, other));
          fold(other, compared[i], found(i - first, other));
        }
    }
  }

  Context context_;
  tensor<float, 2> converted_;
  matrix_view<const float> points_;
  summary last_;
  std::size_t summed_ = 0;
};

/// Both indices of `labels` [M], all below `k`, over `rows` [M, D]: those of a centroid_judge.
template <execution_context Context, element_matrix Rows>
[[nodiscard]] centroid_indices judge_by_centroids(const Context& context, const Rows& rows,
                                                  std::span<const std::uint32_t> labels, std::size_t k) {
  return centroid_judge(context, rows)(labels, k);
}

}  // namespace imgsim
