#include "pipeline/probability_options.hpp"

#include <imgsim/metric/cosine.hpp>

namespace imgsim::app {

void describe(option_set& options, probability_options& target) {
  options.flag("probability", target.wanted, "also tell the probability of being views of one photo");
  options.real("prior", "P", target.prior, {1e-12, 1 - 1e-12},
               "share of the pairs asked about that are views of one photo");
}

void check(const probability_options& given, const option_set& options, const std::vector<std::string>& metrics) {
  if (!given.wanted && options.was_typed("prior")) throw usage_error("--prior is of --probability, which is not given");
  if (given.wanted && metrics != std::vector<std::string>{std::string(cosine::name)})
    throw usage_error("--probability is told from the cosine similarity: leave out --metric");
}

void add_probabilities(match_list& list, const score_calibration& calibration, double prior) {
  for (const match& m : list.matches) list.probabilities.push_back(calibration.probability(m.similarity, prior));
}

}  // namespace imgsim::app
