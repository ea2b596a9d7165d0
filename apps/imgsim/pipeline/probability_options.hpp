// The options --probability and --prior, and what they do to a list of matches.
#pragma once

#include <string>
#include <vector>

#include "cli/option_set.hpp"
#include "pipeline/match_list.hpp"

#include <imgsim/evaluate/score_calibration.hpp>

namespace imgsim::app {

struct probability_options {
  bool wanted = false;
  double prior = 0.5;
};

/// How the help of a command says what a probability is.
inline constexpr const char* kProbabilityMeaning =
    "--probability adds the probability that two photos with this similarity are augmented views of one photo "
    "(cropped, "
    "mirrored, brighter or darker) rather than two photos drawn at random from those that the model was calibrated on, "
    "where a share --prior of the pairs asked about are views of one photo. It says nothing of what the photos show.";

void describe(option_set& options, probability_options& target);

/// Throws usage_error where a prior is given without --probability, or a metric that the calibration is not of.
void check(const probability_options& given, const option_set& options, const std::vector<std::string>& metrics);

void add_probabilities(match_list& list, const score_calibration& calibration, double prior);

}  // namespace imgsim::app
