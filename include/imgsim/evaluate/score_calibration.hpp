// What a similarity says: from scores of pairs that are one thing and of pairs that are not, the odds that a score
// gives. Only the order of scores is relied on: the likelihood ratio is the best one that never falls as the score
// rises (isotonic regression; Zadrozny and Elkan, 2002, doi:10.1145/775047.775151, by pooling adjacent violators).
//
// No sample shows odds beyond its size. So one positive pair below all scores and one negative above all are counted
// as seen (Laplace's rule, as in Platt's targets, 1999): n negatives never give odds over n + 1.
//
//   const auto calibration = imgsim::fit_score_calibration(scores_of_one_thing, scores_of_two);
//   calibration.probability(0.83, 0.5);
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <imgsim/core/error.hpp>
#include <imgsim/core/json.hpp>

namespace imgsim {

/// Log odds against the score: linear between knots, level beyond the first and last.
struct score_calibration {
  std::vector<double> scores;    ///< ascending
  std::vector<double> log_odds;  ///< natural logarithm of the likelihood ratio at each score; never falling
  std::size_t positives = 0;     ///< pairs that it was fitted to
  std::size_t negatives = 0;

  /// ln of (density of the score among positive pairs / among negative pairs). NaN for NaN.
  [[nodiscard]] double log_likelihood_ratio(double score) const {
    if (std::isnan(score)) return score;
    const auto above = std::ranges::upper_bound(scores, score);
    if (above == scores.begin()) return log_odds.front();
    if (above == scores.end()) return log_odds.back();
    const auto i = static_cast<std::size_t>(above - scores.begin());
    const double along = (score - scores[i - 1]) / (scores[i] - scores[i - 1]);
    return log_odds[i - 1] + along * (log_odds[i] - log_odds[i - 1]);
  }

  /// Of being a positive pair, where a share `prior`, in (0, 1), of all pairs that are asked about is.
  [[nodiscard]] double probability(double score, double prior) const {
    return 1.0 / (1.0 + std::exp(-log_likelihood_ratio(score)) * (1.0 - prior) / prior);
  }
};

/// Fits to scores of pairs of both kinds, in any order; larger scores speak for a positive pair. Throws
/// invalid_argument where there are none of a kind, or one is not finite. O(n log n).
[[nodiscard]] inline score_calibration fit_score_calibration(std::span<const double> positives,
                                                             std::span<const double> negatives) {
  IMGSIM_EXPECTS(!positives.empty() && !negatives.empty(), "scores are calibrated by pairs of both kinds, not by ",
                 positives.size(), " and ", negatives.size());
  struct block {
    double score_sum = 0, positive = 0, negative = 0;
    [[nodiscard]] double weight() const noexcept { return positive + negative; }
    /// As positive / negative, without dividing by zero.
    [[nodiscard]] bool is_above(const block& other) const noexcept {
      return positive * other.negative > other.positive * negative;
    }
    void join(const block& other) noexcept {
      score_sum += other.score_sum;
      positive += other.positive;
      negative += other.negative;
    }
  };
  struct scored {
    double score;
    bool is_positive;
  };
  std::vector<scored> pairs;
  for (const double score : positives) pairs.push_back({score, true});
  for (const double score : negatives) pairs.push_back({score, false});
  for (const scored& pair : pairs) IMGSIM_EXPECTS(std::isfinite(pair.score), "a score to calibrate by is not finite");
  std::ranges::sort(pairs, {}, &scored::score);
  const double positive_weight = 1.0 / static_cast<double>(positives.size() + 1);
  const double negative_weight = 1.0 / static_cast<double>(negatives.size() + 1);

  std::vector<block> blocks;
  for (std::size_t i = 0; i < pairs.size();) {
    const double score = pairs[i].score;
    block tied{};
    if (i == 0) tied.positive += positive_weight;
    for (; i < pairs.size() && pairs[i].score == score; ++i)
      (pairs[i].is_positive ? tied.positive : tied.negative) +=
          pairs[i].is_positive ? positive_weight : negative_weight;
    if (i == pairs.size()) tied.negative += negative_weight;
    tied.score_sum = score * tied.weight();
    while (!blocks.empty() && !tied.is_above(blocks.back())) {
      tied.join(blocks.back());
      blocks.pop_back();
    }
    blocks.push_back(tied);
  }
  score_calibration fitted{.scores = {}, .log_odds = {}, .positives = positives.size(), .negatives = negatives.size()};
  for (const block& one : blocks) {
    fitted.scores.push_back(one.score_sum / one.weight());
    fitted.log_odds.push_back(std::log(one.positive / one.negative));
  }
  return fitted;
}

[[nodiscard]] inline nlohmann::json to_json(const score_calibration& calibration) {
  return {{"score", "cosine"},
          {"positives", calibration.positives},
          {"negatives", calibration.negatives},
          {"scores", calibration.scores},
          {"log_odds", calibration.log_odds}};
}

/// Reads what to_json makes. Throws invalid_argument where `text` is no calibration.
[[nodiscard]] inline score_calibration parse_score_calibration(const std::string& text) {
  const nlohmann::json json = nlohmann::json::parse(text, nullptr, false);
  const auto is_list = [&](const char* name) {
    return json.contains(name) && json[name].is_array() && !json[name].empty() &&
           std::ranges::all_of(json[name], [](const nlohmann::json& value) { return value.is_number(); });
  };
  IMGSIM_EXPECTS(json.is_object() && json.contains("score") && is_text(json["score"], "cosine") && is_list("scores") &&
                     is_list("log_odds") && json["scores"].size() == json["log_odds"].size() &&
                     json.value("positives", nlohmann::json()).is_number_unsigned() &&
                     json.value("negatives", nlohmann::json()).is_number_unsigned(),
                 "the calibration of its scores is damaged");
  score_calibration calibration{.scores = json["scores"].get<std::vector<double>>(),
                                .log_odds = json["log_odds"].get<std::vector<double>>(),
                                .positives = json["positives"].get<std::size_t>(),
                                .negatives = json["negatives"].get<std::size_t>()};
  IMGSIM_EXPECTS(std::ranges::is_sorted(calibration.scores) && std::ranges::is_sorted(calibration.log_odds) &&
                     std::ranges::adjacent_find(calibration.scores) == calibration.scores.end(),
                 "the calibration of its scores does not rise");
  constexpr double kMost = 1e100;  // products of differences stay far from overflow
  const auto within = [](const std::vector<double>& list) { return list.front() >= -kMost && list.back() <= kMost; };
  IMGSIM_EXPECTS(within(calibration.scores) && within(calibration.log_odds),
                 "the calibration of its scores holds numbers out of their range");
  return calibration;
}

}  // namespace imgsim
