// What each point knows of the medoids: the nearest, the second nearest, and the sums over the points that follow.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include <imgsim/cluster/fixed_point.hpp>
#include <imgsim/cpu/cluster/swap_scan.hpp>

namespace imgsim::cpu {

/// M points and K medoids, by position. A change costs O(M), and O(K) for each point that loses one of its two.
///
/// For those, remove() and replace() are given read(points, use) of the medoids that are there after the change: see
/// rows_of_medoids (cluster/medoid_distances.hpp).
class point_assignment {
 public:
  static constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

  point_assignment() = default;
  /// No medoid; every point counts as being at distance `largest`, which no distance exceeds.
  point_assignment(std::size_t size, float largest, const fixed_point& unit)
      : largest_(largest),
        unit_(unit),
        labels_(size, kNone),
        second_labels_(size, kNone),
        nearest_(size, largest),
        second_(size, largest),
        terms_(size, point_terms{unit.quantise(largest), unit.quantise(largest), kNone}),
        cost_(unit.quantise(largest) * static_cast<std::int64_t>(size)) {}

  /// In units of fixed_point.
  [[nodiscard]] std::int64_t cost() const noexcept { return cost_; }
  [[nodiscard]] std::span<const std::int64_t> removal_losses() const noexcept { return removal_losses_; }
  [[nodiscard]] std::span<const std::uint32_t> labels() const noexcept { return labels_; }
  [[nodiscard]] std::span<const float> nearest() const noexcept { return nearest_; }
  [[nodiscard]] std::span<const float> second_nearest() const noexcept { return second_; }
  [[nodiscard]] const point_terms* terms() const noexcept { return terms_.data(); }

  /// One more medoid, at the last position.
  void add(const float* distances) {
    const auto position = static_cast<std::uint32_t>(removal_losses_.size());
    removal_losses_.push_back(0);
    for (std::size_t o = 0; o < labels_.size(); ++o) insert(o, position, distances[o]);
  }

  /// The medoid at `position` goes, those above move down by one.
  template <class Read>
  void remove(std::size_t position, Read&& read) {
    // What goes is taken out of the sums under the old positions, before those above move down.
    seekers_.clear();
    for (std::size_t o = 0; o < labels_.size(); ++o) {
      if (labels_[o] != position && second_labels_[o] != position) continue;
      subtract(o);
      if (labels_[o] == position) promote_second(o);
      seekers_.push_back(static_cast<std::uint32_t>(o));
    }
    removal_losses_.erase(removal_losses_.begin() + static_cast<std::ptrdiff_t>(position));
    const auto move_down = [&](std::uint32_t& label) { label -= label != kNone && label > position ? 1 : 0; };
    for (std::size_t o = 0; o < labels_.size(); ++o) {
      move_down(labels_[o]);
      move_down(second_labels_[o]);
      terms_[o].label = labels_[o];
    }
    find_second_of_seekers(read);
  }

  /// Another medoid comes to `position`, at `distances` [M].
  template <class Read>
  void replace(std::size_t at, const float* distances, Read&& read) {
    const auto position = static_cast<std::uint32_t>(at);
    seekers_.clear();
    for (std::size_t o = 0; o < labels_.size(); ++o) {
      const float d = distances[o];
      if (labels_[o] != position && second_labels_[o] != position) {
        insert(o, position, d);
        continue;
      }
      subtract(o);
      if (labels_[o] == position) {
        if (!precedes(d, position, second_[o], second_labels_[o])) {
          promote_second(o);
          seekers_.push_back(static_cast<std::uint32_t>(o));
          continue;
        }
        nearest_[o] = d;
      } else if (precedes(d, position, nearest_[o], labels_[o])) {
        demote_nearest(o);
        nearest_[o] = d;
        labels_[o] = position;
      } else if (d <= second_[o]) {
        second_[o] = d;
      } else {
        seekers_.push_back(static_cast<std::uint32_t>(o));
        continue;
      }
      accumulate(o);
    }
    find_second_of_seekers(read);
  }

 private:
  static bool precedes(float d, std::uint32_t position, float other, std::uint32_t other_position) noexcept {
    return d < other || (d == other && position < other_position);
  }

  /// Takes a point's part out of the sums, and puts it back after its nearest or second nearest has changed.
  void subtract(std::size_t o) noexcept {
    const point_terms& point = terms_[o];
    cost_ -= point.nearest;
    if (point.label != kNone) removal_losses_[point.label] -= point.second - point.nearest;
  }
  void accumulate(std::size_t o) noexcept {
    terms_[o] = {unit_.quantise(nearest_[o]), unit_.quantise(second_[o]), labels_[o]};
    const point_terms& point = terms_[o];
    cost_ += point.nearest;
    if (point.label != kNone) removal_losses_[point.label] += point.second - point.nearest;
  }

  void promote_second(std::size_t o) noexcept {
    nearest_[o] = second_[o];
    labels_[o] = second_labels_[o];
  }
  void demote_nearest(std::size_t o) noexcept {
    second_[o] = nearest_[o];
    second_labels_[o] = labels_[o];
  }

  /// A medoid that the point did not know comes at distance `d`.
  void insert(std::size_t o, std::uint32_t position, float d) noexcept {
    if (!precedes(d, position, second_[o], second_labels_[o])) return;
    subtract(o);
    if (precedes(d, position, nearest_[o], labels_[o])) {
      demote_nearest(o);
      nearest_[o] = d;
      labels_[o] = position;
    } else {
      second_[o] = d;
      second_labels_[o] = position;
    }
    accumulate(o);
  }

  /// For the points that lost their second nearest medoid: one medoid after the other, since a walk over all medoids
  /// for each point misses the cache at every step.
  template <class Read>
  void find_second_of_seekers(Read&& read) {
    for (const std::uint32_t o : seekers_) {
      second_[o] = largest_;
      second_labels_[o] = kNone;
    }
    if (seekers_.empty()) return;
    read(std::span<const std::uint32_t>(seekers_), [this](std::uint32_t position, const auto& distance) {
      for (std::size_t i = 0; i < seekers_.size(); ++i) {
        const std::uint32_t o = seekers_[i];
        const float d = distance(i);
        if (position == labels_[o] || !precedes(d, position, second_[o], second_labels_[o])) continue;
        second_[o] = d;
        second_labels_[o] = position;
      }
    });
    for (const std::uint32_t o : seekers_) accumulate(o);
  }

  float largest_ = 0;
  fixed_point unit_;
  std::vector<std::uint32_t> labels_, second_labels_;
  std::vector<float> nearest_, second_;
  std::vector<point_terms> terms_;
  std::int64_t cost_ = 0;
  std::vector<std::int64_t> removal_losses_;
  std::vector<std::uint32_t> seekers_;  // workspace: points without a second nearest medoid
};

}  // namespace imgsim::cpu
