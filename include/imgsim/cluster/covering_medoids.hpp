// Groups with a guarantee: every point within a distance of its medoid.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <numeric>
#include <optional>
#include <queue>
#include <span>
#include <stop_token>
#include <utility>
#include <vector>

#include <imgsim/cluster/backend.hpp>
#include <imgsim/cluster/cover_bound.hpp>
#include <imgsim/cluster/k_medoids.hpp>
#include <imgsim/core/context.hpp>
#include <imgsim/core/error.hpp>

namespace imgsim {

struct covering_options {
  double max_distance = 0;  // of a point from its medoid
  /// Over all candidates for a better medoid, once the cover is found; 0 leaves the medoids of the greedy rule, but for
  /// needless ones.
  std::size_t max_passes = std::numeric_limits<std::size_t>::max();
  /// Points looked at, then covered, then counted for the least K: of 3 M. What follows is not told.
  std::function<void(std::size_t done, std::size_t total)> on_progress = {};
  std::stop_token stop = {};
};

struct covering_result {
  k_medoids_result groups;  // its swaps and passes are those after the greedy rule; `converged` is not claimed
  /// Fewer groups cannot do, where distances are symmetric: by points of which no two are within the distance of one,
  /// or by least_cover() (cover_bound.hpp).
  std::size_t least_k = 0;
};

namespace detail {

/// Looks for a cover; the medoids so far are those of the search.
template <medoid_search Search>
class cover_finder {
 public:
  cover_finder(Search& search, const covering_options& options)
      : search_(search),
        options_(options),
        size_(search.size()),
        prices_(size_),
        reached_(size_),
        covers_(size_),
        own_(size_) {
    // The search counts what lies below a price: that of a point to be covered is the float above the largest float
    // within the distance.
    constexpr double kLargest = std::numeric_limits<float>::max();
    within_ = static_cast<float>(std::min(options.max_distance, kLargest));
    if (static_cast<double>(within_) > options.max_distance) within_ = std::nextafter(within_, -1.0f);
    price_ = std::nextafter(within_, std::numeric_limits<float>::infinity());
  }

  /// Takes the point that covers the most points not covered yet, ties to the smaller row, until all are covered.
  void cover_greedily() {
    std::ranges::fill(prices_, price_);
    std::priority_queue<candidate> queue;  // what one covers may be out of date, then it is too large
    std::vector<std::size_t> rows;
    for (std::size_t first = 0; first < size_; first += rows.size()) {
      throw_if_stopped(options_.stop, kWork);
      rows.resize(std::min(kRowsTogether, size_ - first));
      std::iota(rows.begin(), rows.end(), first);
      read_ahead(search_, rows);
      for (const std::size_t row : rows) {
        const std::span<const std::uint32_t> ball = ball_of(row);
        covers_[row] = ball.size();
        queue.push({covers_[row], row});
        if (balls_) balls_->add(ball);
        if (balls_ && balls_->entries() > kMostEntries) balls_.reset();
      }
      tell(first + rows.size());
    }
    std::vector<std::size_t> medoids;
    for (std::size_t covered = 0; covered < size_;) {
      throw_if_stopped(options_.stop, kWork);
      const candidate best = queue.top();
      queue.pop();
      const std::size_t covers = reach(best.row);
      if (const candidate now{covers, best.row}; !queue.empty() && now < queue.top()) {
        queue.push(now);
        continue;
      }
      medoids.push_back(best.row);
      covered += covers;
      for (std::size_t o = 0; o < size_; ++o)
        if (reached_[o] != 0) prices_[o] = kNoMatter;
      tell(size_ + covered);
    }
    search_.assign(medoids);
  }

  /// Fewer medoids cannot cover all.
  [[nodiscard]] std::size_t least_medoids() {
    const std::size_t apart = count_apart();
    return balls_ ? std::max(apart, least_cover(*std::exchange(balls_, std::nullopt))) : apart;
  }

  /// Drops medoids that the others make needless, the first of them first; how many.
  std::size_t drop_needless() {
    const std::size_t before = search_.medoids().size();
    for (std::size_t position = 0; search_.medoids().size() > 1;) {
      find_own_positions();
      std::vector<bool> is_needed(search_.medoids().size(), false);
      for (std::size_t o = 0; o < size_; ++o)
        if (const std::optional<std::size_t> sole = sole_medoid(o)) is_needed[*sole] = true;
      while (position < is_needed.size() && is_needed[position]) ++position;
      if (position == is_needed.size()) break;
      search_.remove(position);
    }
    return before - search_.medoids().size();
  }

  /// Takes swaps that lower the cost and leave all covered, until a turn brings none.
  void improve(swap_outcome& outcome) {
    const swap_outcome more = improve_by_swaps(search_,
                                               {.max_passes = options_.max_passes - outcome.passes,
                                                .max_swaps = std::numeric_limits<std::size_t>::max(),
                                                .stop = options_.stop,
                                                .on_progress = nullptr},
                                               [&](const medoid_swap& swap) { return leaves_all_covered(swap); });
    outcome.swaps += more.swaps;
    outcome.passes += more.passes;
  }

 private:
  static constexpr const char* kWork = "the cover";
  static constexpr float kNoMatter = -std::numeric_limits<float>::infinity();  // below every distance

  static constexpr std::size_t kMostEntries = std::size_t{1} << 25;
  static constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();

  struct candidate {
    std::size_t covers;
    std::size_t row;
    bool operator<(const candidate& other) const {
      return covers != other.covers ? covers < other.covers : row > other.row;
    }
  };

  /// The points within the distance of `row`, while all have a price; until the next call.
  [[nodiscard]] std::span<const std::uint32_t> ball_of(std::size_t row) {
    if (balls_ && row < balls_->size()) return balls_->of(row);
    static_cast<void>(reach(row));
    ball_.clear();
    for (std::size_t o = 0; o < size_; ++o)
      if (reached_[o] != 0) ball_.push_back(static_cast<std::uint32_t>(o));
    return ball_;
  }

  /// Points of which no two are within the distance of one: each needs a medoid of its own. Those that few reach first.
  [[nodiscard]] std::size_t count_apart() {
    std::ranges::fill(prices_, price_);
    std::vector<std::size_t> order(size_);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, {}, [&](std::size_t row) { return covers_[row]; });
    std::vector<bool> is_used(size_, false);  // as the medoid of a point that was counted
    std::size_t apart = 0;
    std::vector<std::size_t> rows;
    for (std::size_t next = 0; next < size_;) {
      throw_if_stopped(options_.stop, kWork);
      for (rows.clear(); next < size_ && rows.size() < kRowsTogether; ++next)
        if (!is_used[order[next]]) rows.push_back(order[next]);
      if (!balls_) read_ahead(search_, rows);
      for (const std::size_t row : rows) {
        if (is_used[row]) continue;  // by one before it
        const std::span<const std::uint32_t> ball = ball_of(row);
        if (std::ranges::any_of(ball, [&](std::uint32_t o) { return is_used[o]; })) continue;
        ++apart;
        for (const std::uint32_t o : ball) is_used[o] = true;
      }
      tell(2 * size_ + next);
    }
    return apart;
  }

  /// Of the points with a price, those within the distance of `row`, itself included, are marked; how many.
  std::size_t reach(std::size_t row) {
    std::ranges::fill(reached_, 0u);
    search_.count_reached(std::span(&row, 1), prices_, reached_);
    if (prices_[row] != kNoMatter) reached_[row] = 1;
    return std::accumulate(reached_.begin(), reached_.end(), std::size_t{0});
  }

  /// Before sole_medoid(), whenever the medoids have changed.
  void find_own_positions() {
    std::ranges::fill(own_, kNone);
    for (std::size_t position = 0; position < search_.medoids().size(); ++position)
      own_[search_.medoids()[position]] = position;
  }

  /// The position of the only medoid within the distance of the point, itself where it is one; nothing where there are
  /// more.
  [[nodiscard]] std::optional<std::size_t> sole_medoid(std::size_t o) const {
    const std::size_t nearest = search_.labels()[o];
    const std::size_t position = own_[o] == kNone ? nearest : own_[o];
    const float others = position == nearest ? search_.second_nearest()[o] : search_.nearest()[o];
    return others > within_ ? std::optional(position) : std::nullopt;
  }

  [[nodiscard]] bool leaves_all_covered(const medoid_swap& swap) {
    find_own_positions();
    std::size_t dependent = 0;
    for (std::size_t o = 0; o < size_; ++o) {
      const bool depends = o != swap.candidate && sole_medoid(o) == swap.position;
      prices_[o] = depends ? price_ : kNoMatter;
      dependent += depends ? 1 : 0;
    }
    return reach(swap.candidate) == dependent;
  }

  void tell(std::size_t done) const {
    if (options_.on_progress) options_.on_progress(done, 3 * size_);
  }

  Search& search_;
  const covering_options& options_;
  std::size_t size_;
  float within_ = 0, price_ = 0;
  std::vector<float> prices_;
  std::vector<std::uint32_t> reached_;
  std::vector<std::uint32_t> ball_;
  std::vector<std::size_t> covers_;                 // points that each row reaches
  std::optional<ball_lists> balls_{std::in_place};  // while they are not too many
  std::vector<std::size_t> own_;                    // position of a point that is a medoid, else kNone
};

}  // namespace detail

/// Medoids such that every point of `source` is within `max_distance` of its nearest, as few as the greedy rule finds:
/// the next medoid is the point that covers the most points not covered yet, ties to the smaller row. That is at most
/// 1 + ln M times the fewest (Chvatal, 1979, doi:10.1287/moor.4.3.233). Medoids that the others made needless are
/// dropped; then each point in turn takes the place of the medoid for which that lowers the cost most, where all stay
/// covered, until none does: a point whose best place would uncover another is passed over, so that a cheaper cover one
/// swap away may remain. A point's own distance counts as 0, so that K = M always does.
///
/// O(M^2) for the first look at every point, for the least K and for each of a few passes of swaps; each medoid that is
/// chosen has the points looked at again whose cover may still be the largest, O(K M^2) at the worst and few of them
/// as a rule. Memory beyond the source O(M) on a CPU, and the points within the distance of each where these are up to
/// 2^25, 4 bytes each; with more, the least K is looser. Deterministic.
///
/// Throws invalid_argument where max_distance is negative or NaN, or a distance is not finite; cancelled on a stop.
template <execution_context Context, class Source>
[[nodiscard]] covering_result covering_medoids(const Context& context, const Source& source,
                                               const covering_options& options) {
  static_assert(has_medoid_search<Context, Source>,
                "no K-medoids for this context and source: include the backend's cluster header "
                "(imgsim/cpu/cluster.hpp, imgsim/cuda/cluster.cuh)");
  detail::expect_same_request(context, {std::bit_cast<std::uint64_t>(options.max_distance), options.max_passes});
  IMGSIM_EXPECTS(options.max_distance >= 0, "the largest distance within a group cannot be ", options.max_distance);
  medoid_searcher_for<Context, Source> search(context, source);
  if (search.size() == 0) return {};
  detail::cover_finder finder(search, options);
  finder.cover_greedily();
  covering_result result{.groups = {}, .least_k = finder.least_medoids()};
  detail::swap_outcome outcome;
  finder.drop_needless();
  do finder.improve(outcome);
  while (finder.drop_needless() > 0);
  result.groups = detail::read_result(search, outcome);
  for (const std::size_t medoid : result.groups.medoids) result.groups.distances[medoid] = 0;
  result.groups.cost = std::accumulate(result.groups.distances.begin(), result.groups.distances.end(), 0.0);
  return result;
}

}  // namespace imgsim
