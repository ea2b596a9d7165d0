// How sure a mean over queries is: percentile intervals over resamples of the queries (Efron, 1979,
// doi:10.1214/aos/1176344552; for retrieval measures Sakai, 2006, doi:10.1145/1148170.1148261). They say how much the
// mean would vary with other queries of the same kind against the same gallery, not with another training.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <imgsim/core/error.hpp>
#include <imgsim/core/random.hpp>

namespace imgsim {

struct interval {
  double low = 0;
  double high = 0;

  friend bool operator==(const interval&, const interval&) = default;
};

struct bootstrap_options {
  std::uint64_t seed = 0;
  std::size_t resamples = 1000;
  double confidence = 0.95;
};

/// The interval of the mean of `values`, NaN left out. One value, or none, is its own interval. Equal seeds draw equal
/// queries, so that intervals of methods tried on the same queries go together. O(resamples * values).
[[nodiscard]] inline interval bootstrap_mean(std::span<const double> values, const bootstrap_options& options = {}) {
  IMGSIM_EXPECTS(options.resamples > 0 && options.confidence > 0 && options.confidence < 1,
                 "a bootstrap needs resamples and a confidence between 0 and 1");
  std::vector<double> means;
  means.reserve(options.resamples);
  random_stream random(options.seed, 0xb007);
  for (std::size_t sample = 0; sample < options.resamples && !values.empty(); ++sample) {
    double sum = 0;
    std::size_t count = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const double value = values[static_cast<std::size_t>(random.below(values.size()))];
      if (std::isnan(value)) continue;
      sum += value;
      ++count;
    }
    if (count > 0) means.push_back(sum / static_cast<double>(count));
  }
  if (means.empty()) return {};
  std::ranges::sort(means);
  const auto at = [&](double share) {
    return means[static_cast<std::size_t>(std::lround(share * static_cast<double>(means.size() - 1)))];
  };
  const double outside = (1 - options.confidence) / 2;
  return {.low = at(outside), .high = at(1 - outside)};
}

}  // namespace imgsim
