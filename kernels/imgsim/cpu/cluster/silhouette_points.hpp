// What each point knows of the medoids where silhouettes are sought: the three nearest, the losses, and their sums.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include <imgsim/cluster/silhouette_loss.hpp>
#include <imgsim/core/error.hpp>

namespace imgsim::cpu {

/// M points and K >= 2 medoids, by position. For each point [M]: the distances to its three nearest medoids in order of
/// (distance, position), their positions (where there are two, the third is kNone and infinitely far), and the losses:
/// now, without the nearest, without the second. A change costs O(M), and O(K) for each point that loses one of its
/// three.
///
/// For those, remove() and replace() are given read(points, use) of the medoids that are there after the change: see
/// rows_of_medoids (cluster/medoid_distances.hpp). Where a distance to a nearest medoid is negative, what settles it
/// throws invalid_argument, and only clear() is of use then.
struct silhouette_points {
  static constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

  std::vector<float> nearest, second, third;
  std::vector<std::uint32_t> label, second_label, third_label;
  std::vector<std::int64_t> loss, without_nearest, without_second;

  std::int64_t total_loss = 0;
  std::vector<std::int64_t> removal_changes;  // [K] what the total changes by where the medoid at a position goes

  explicit silhouette_points(std::size_t size)
      : nearest(size),
        second(size),
        third(size),
        label(size),
        second_label(size),
        third_label(size),
        loss(size),
        without_nearest(size),
        without_second(size) {}

  [[nodiscard]] std::size_t size() const noexcept { return nearest.size(); }

  /// `medoids` are to come: each by insert() for every point, then settle_all().
  void clear(std::size_t medoids) {
    for (std::vector<float>* distances : {&nearest, &second, &third})
      std::ranges::fill(*distances, std::numeric_limits<float>::infinity());
    for (std::vector<std::uint32_t>* labels : {&label, &second_label, &third_label}) std::ranges::fill(*labels, kNone);
    total_loss = 0;
    removal_changes.assign(medoids, 0);
  }

  /// A medoid at distance `d` from point `o`, which does not know it.
  void insert(std::size_t o, std::uint32_t position, float d) noexcept {
    if (!precedes(d, position, third[o], third_label[o])) return;
    if (!precedes(d, position, second[o], second_label[o])) {
      third[o] = d;
      third_label[o] = position;
      return;
    }
    third[o] = second[o];
    third_label[o] = second_label[o];
    const bool first = precedes(d, position, nearest[o], label[o]);
    second[o] = first ? nearest[o] : d;
    second_label[o] = first ? label[o] : position;
    if (!first) return;
    nearest[o] = d;
    label[o] = position;
  }

  void settle_all() {
    for (std::size_t o = 0; o < size(); ++o) settle(o);
  }

  /// Another medoid comes to `position`, at `distances` [M].
  template <class Read>
  void replace(std::uint32_t position, const float* distances, Read&& read) {
    std::vector<std::uint32_t> seekers;
    for (std::size_t o = 0; o < size(); ++o) {
      const float d = distances[o];
      const bool knew = knows(o, position);
      if (!knew && !precedes(d, position, third[o], third_label[o])) continue;
      take_out(o);
      if (knew) {
        // Medoids that the point did not know come after the three that it knew, the old one at `position` among them.
        const bool among_three =
            precedes(d, position, third[o], third_label[o]) || (third_label[o] == position && d == third[o]);
        forget(o, position);
        if (!among_three) {
          seekers.push_back(static_cast<std::uint32_t>(o));
          continue;
        }
      }
      insert(o, position, d);
      settle(o);
    }
    find_third(seekers, read);
  }

  /// The medoid at `position` goes, those above move down by one; K >= 3 before.
  template <class Read>
  void remove(std::uint32_t position, Read&& read) {
    // What goes is taken out of the sums under the old positions, before those above move down.
    std::vector<std::uint32_t> seekers;
    for (std::size_t o = 0; o < size(); ++o) {
      if (!knows(o, position)) continue;
      take_out(o);
      forget(o, position);
      seekers.push_back(static_cast<std::uint32_t>(o));
    }
    removal_changes.erase(removal_changes.begin() + static_cast<std::ptrdiff_t>(position));
    for (std::vector<std::uint32_t>* labels : {&label, &second_label, &third_label})
      for (std::uint32_t& one : *labels) one -= one != kNone && one > position ? 1 : 0;
    find_third(seekers, read);
  }

 private:
  static bool precedes(float d, std::uint32_t position, float other, std::uint32_t other_position) noexcept {
    return d < other || (d == other && position < other_position);
  }

  [[nodiscard]] bool knows(std::size_t o, std::uint32_t position) const noexcept {
    return label[o] == position || second_label[o] == position || third_label[o] == position;
  }

  /// One of its three goes; the third is not known then.
  void forget(std::size_t o, std::uint32_t position) noexcept {
    if (label[o] == position) {
      nearest[o] = second[o];
      label[o] = second_label[o];
    }
    if (third_label[o] != position) {
      second[o] = third[o];
      second_label[o] = third_label[o];
    }
    third[o] = std::numeric_limits<float>::infinity();
    third_label[o] = kNone;
  }

  /// Takes a point's part out of the sums, and puts it back after its medoids have changed.
  void take_out(std::size_t o) noexcept {
    total_loss -= loss[o];
    removal_changes[label[o]] -= without_nearest[o] - loss[o];
    removal_changes[second_label[o]] -= without_second[o] - loss[o];
  }
  void settle(std::size_t o) {
    IMGSIM_EXPECTS(nearest[o] >= 0, "silhouettes need distances that are not negative");
    loss[o] = silhouette_loss(nearest[o], second[o]);
    without_nearest[o] = silhouette_loss(second[o], third[o]);
    without_second[o] = silhouette_loss(nearest[o], third[o]);
    total_loss += loss[o];
    removal_changes[label[o]] += without_nearest[o] - loss[o];
    removal_changes[second_label[o]] += without_second[o] - loss[o];
  }

  /// One medoid after the other, since a walk over all medoids for each point misses the cache at every step.
  template <class Read>
  void find_third(std::span<const std::uint32_t> seekers, Read&& read) {
    if (seekers.empty()) return;
    read(seekers, [&](std::uint32_t position, const auto& distance) {
      for (std::size_t i = 0; i < seekers.size(); ++i) {
        const std::uint32_t o = seekers[i];
        const float d = distance(i);
        if (position == label[o] || position == second_label[o]) continue;
        if (!precedes(d, position, third[o], third_label[o])) continue;
        third[o] = d;
        third_label[o] = position;
      }
    });
    for (const std::uint32_t o : seekers) settle(o);
  }
};

}  // namespace imgsim::cpu
