// The calibration of scores in a model's metadata: imgsim/evaluate/score_calibration.hpp.
#include <cmath>
#include <string>

#include <imgsim/core/file.hpp>
#include <imgsim/evaluate/score_calibration.hpp>

#include "../target.hpp"

namespace imgsim_fuzz {

namespace {

bool read_calibration(std::span<const std::byte> input) {
  return accepts([&] {
    const imgsim::score_calibration read = imgsim::parse_score_calibration(std::string(imgsim::text_of(input)));
    const imgsim::score_calibration again = imgsim::parse_score_calibration(imgsim::to_json(read).dump());
    must(again.scores == read.scores && again.log_odds == read.log_odds && again.positives == read.positives &&
             again.negatives == read.negatives,
         "a calibration comes back");
    double before = 0.0;
    for (const double score : {-1.0, -0.5, 0.0, 0.25, 0.5, 0.75, 0.999, 1.0}) {
      const double probability = read.probability(score, 0.5);
      must(probability >= before && probability <= 1.0, "a probability is from 0 to 1 and never falls");
      before = probability;
    }
    for (const double score : read.scores)
      must(!std::isnan(read.probability(score, 1e-9)), "a probability is a number");
  });
}

std::vector<bytes> calibration_seeds() {
  const double positives[] = {0.9, 0.8, 0.7, 0.95, 0.3};
  const double negatives[] = {0.1, -0.2, 0.4, 0.0, 0.75};
  return {bytes_of_text(imgsim::to_json(imgsim::fit_score_calibration(positives, negatives)).dump()),
          bytes_of_text(R"({"score":"cosine","positives":1,"negatives":1,"scores":[0],"log_odds":[0]})")};
}

}  // namespace

const target calibration_target{"calibration", read_calibration, calibration_seeds};

}  // namespace imgsim_fuzz
