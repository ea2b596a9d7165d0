// What a search, or a whole algorithm, says on its way, as text: one body for every backend, so that two records are
// equal where the backends agree to the last bit, and else the first line that differs says in what.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <imgsim/cluster/choose_k.hpp>
#include <imgsim/cluster/cost_bound.hpp>
#include <imgsim/cluster/covering_medoids.hpp>
#include <imgsim/cluster/k_medoids.hpp>
#include <imgsim/cluster/sampled_k_medoids.hpp>
#include <imgsim/cluster/silhouette_medoids.hpp>
#include <imgsim/core/random.hpp>

namespace imgsim_test {

class record {
 public:
  /// Floating-point numbers are written so that every bit shows.
  template <class... Values>
  void say(const char* what, const Values&... values) {
    std::ostringstream line;
    line << what << std::hexfloat;
    (write(line, values), ...);
    lines.push_back(line.str());
  }
  std::vector<std::string> lines;

 private:
  template <class Value>
  static void write(std::ostream& line, const Value& value) {
    if constexpr (std::is_convertible_v<Value, std::string_view> || std::is_arithmetic_v<Value>) {
      line << ' ' << value;
    } else {
      for (const auto& each : value) line << ' ' << each;
    }
  }
};

/// How far a walk goes.
struct walk_plan {
  std::uint64_t seed = 0;
  std::size_t k = 3;
  std::size_t steps = 6;                // random changes
  std::size_t window = 17;              // candidates between two looks
  std::vector<std::size_t> start = {};  // medoids that a silhouette walk begins with; empty: k random ones
};

template <class Search>
void say_state(record& to, const Search& search) {
  to.say("medoids", search.medoids());
  to.say("cost", search.cost());
  to.say("removal losses", search.removal_losses());
  to.say("labels", search.labels());
  to.say("nearest", search.nearest());
  to.say("second", search.second_nearest());
}

template <class Search>
void say_addition(record& to, Search& search, std::span<const std::size_t> candidates,
                  std::span<const std::size_t> points) {
  const auto best = search.best_addition(candidates, points);
  if (best)
    to.say("best addition", best->candidate, best->gain);
  else
    to.say("no addition");
}

/// Everything that a K-medoids search can be asked, on the way of a few medoids, random changes, and FasterPAM's swaps
/// one by one. M is at least k and 1.
template <class Search>
record walk_of(Search& search, const walk_plan& plan) {
  imgsim::random_stream random(plan.seed);
  const std::size_t size = search.size();
  record to;
  to.say("largest", search.largest_distance(), search.unit().scale());
  say_state(to, search);
  for (std::size_t k = 0; k < std::min<std::size_t>(plan.k, 2); ++k) {
    const auto best = search.best_addition({}, {});
    to.say("best addition", best->candidate, best->gain);
    search.add(best->candidate);
    say_state(to, search);
  }
  const std::vector<std::size_t> some = random.permutation(size);
  const std::span few(some.data(), (size + 1) / 2);
  say_addition(to, search, few, few.subspan(few.size() / 2));
  say_addition(to, search, few, {});
  say_addition(to, search, {}, few);

  std::vector<float> prices(size);
  for (float& price : prices) price = static_cast<float>(random.uniform()) * search.largest_distance();
  std::vector<std::int64_t> savings(size);
  search.savings(prices, savings);
  to.say("savings", savings);
  std::vector<std::uint32_t> counts(size, 7);
  search.count_reached(few, prices, counts);
  search.count_reached(few.first(1), prices, counts);
  search.count_reached(std::span<const std::size_t>(), prices, counts);
  to.say("counts", counts);

  for (std::size_t step = 0; step < plan.steps; ++step) {
    const std::size_t k = search.medoids().size();
    std::size_t row = random.below(size);
    while (k < size && search.is_medoid(row)) row = (row + 1) % size;
    const std::uint64_t choice = random.below(4);
    if (choice == 0 && k < size)
      search.add(row);
    else if (choice == 1 && k > 1)
      search.remove(random.below(k));
    else if (k < size)
      search.swap({.position = random.below(k), .candidate = row, .change = 0});
    say_state(to, search);
  }

  std::vector<std::size_t> start = random.permutation(size);
  start.resize(plan.k);
  search.assign(start);
  search.assign(search.medoids());  // its own
  for (std::size_t next = 0, unsuccessful = 0; unsuccessful < size;) {
    const std::size_t last = std::min({size, next + plan.window, next + (size - unsuccessful)});
    if (const auto better = search.first_improving_swap(next, last)) {
      to.say("swap", better->position, better->candidate, better->change);
      search.swap(*better);
      to.say("cost", search.cost());
      unsuccessful = 0;
      next = better->candidate + 1;
    } else {
      unsuccessful += last - next;
      next = last;
    }
    if (next == size) next = 0;
  }
  say_state(to, search);
  to.say("distance", search.distance_to(plan.k - 1, size / 2));
  search.assign({});
  say_state(to, search);
  return to;
}

/// The swaps for the silhouette, one by one, from 2 <= k < M medoids.
template <class Search>
record silhouette_walk_of(Search& search, const walk_plan& plan) {
  imgsim::random_stream random(plan.seed);
  const std::size_t size = search.size();
  record to;
  std::vector<std::size_t> medoids = plan.start.empty() ? random.permutation(size) : plan.start;
  medoids.resize(plan.k);
  search.assign(medoids);
  for (std::size_t next = 0, unsuccessful = 0; unsuccessful < size;) {
    const std::size_t last = std::min({size, next + plan.window, next + (size - unsuccessful)});
    to.say("medoids", search.medoids());
    to.say("loss", search.loss());
    to.say("removal changes", search.removal_changes());
    if (const auto better = search.first_improving_swap(next, last)) {
      to.say("swap", better->position, better->candidate, better->change);
      search.swap(*better);
      unsuccessful = 0;
      next = better->candidate + 1;
    } else {
      unsuccessful += last - next;
      next = last;
    }
    if (next == size) next = 0;
  }
  while (search.medoids().size() > 2) {
    search.remove(random.below(search.medoids().size()));
    to.say("medoids", search.medoids());
    to.say("loss", search.loss());
    to.say("removal changes", search.removal_changes());
  }
  search.assign(search.medoids());
  to.say("loss", search.loss());
  return to;
}

inline void say_groups(record& to, const imgsim::k_medoids_result& groups) {
  to.say("medoids", groups.medoids);
  to.say("labels", groups.labels);
  to.say("distances", groups.distances);
  to.say("cost", groups.cost, groups.swaps, groups.passes, groups.converged);
}

/// K-medoids from every kind of start, the sweep over K, the bound, the cover and FastCLARA, on M >= 10 points.
template <class Context, class Source>
record algorithms_of(const Context& context, const Source& source, std::uint64_t seed) {
  using namespace imgsim;
  record to;
  for (const auto start : {medoid_initialisation::build, medoid_initialisation::lab,
                           medoid_initialisation::k_means_plus_plus, medoid_initialisation::random}) {
    const k_medoids_result groups =
        k_medoids(context, source, {.k = 3, .initialisation = start, .seed = seed, .restarts = 2});
    say_groups(to, groups);
    if (start != medoid_initialisation::random) continue;
    const cost_bound bound = bound_cost(context, source, groups.medoids, {.iterations = 4});
    to.say("bound", bound.lower_bound, bound.cost, bound.iterations);
    const covering_result cover =
        covering_medoids(context, source, {.max_distance = groups.cost / static_cast<double>(source.size())});
    to.say("least", cover.least_k);
    say_groups(to, cover.groups);
  }
  const choose_k_result choice = choose_k(context, source, {.k_min = 1, .k_max = 4, .seed = seed});
  for (const k_choice& one : choice.curve) {
    to.say("curve", one.k, one.cost, one.sum_of_squares, one.medoid_silhouette);
    to.say("medoids", one.medoids);
  }
  to.say("verdict", choice.recommended_k, choice.verdict, choice.reason);
  for (const silhouette_choice& one : silhouette_medoids(context, source, {.k_min = 2, .k_max = 4, .seed = seed})) {
    to.say("silhouette", one.k, one.medoid_silhouette);
    to.say("medoids", one.medoids);
  }
  const sampled_k_medoids_result sampled = sampled_k_medoids(
      context, source,
      {.k = 2, .samples = 2, .sample_size = source.size() / 2, .candidates = 5, .bound_iterations = 2, .seed = seed});
  say_groups(to, sampled.groups);
  to.say("sampled", sampled.sampled_cost, sampled.sample_mean, sampled.sample_bound);
  return to;
}

}  // namespace imgsim_test
