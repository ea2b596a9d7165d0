#include "commands/compare.hpp"

#include <array>
#include <iostream>
#include <limits>

#include "device/compute.hpp"
#include "pipeline/calibrate.hpp"
#include "pipeline/encode.hpp"
#include "pipeline/match_list.hpp"
#include "pipeline/model_files.hpp"
#include "pipeline/photo_input.hpp"

#include <imgsim/core/path_text.hpp>
#include <imgsim/report/number.hpp>

namespace imgsim::app {

command_help compare_command::help() const {
  return {.usage = "A B --model FILE [options]",
          .about =
              "Prints how similar two photos are to the model: for cosine from -1 to 1, for euclidean the negative "
              "distance; larger is more alike. With --threshold the exit code answers, so that a script can ask. " +
              std::string(kProbabilityMeaning),
          .examples = {"imgsim compare a.jpg b.jpg --model photos.safetensors",
                       "imgsim compare a.jpg b.jpg --model photos.safetensors --threshold 0.9 && echo alike",
                       "imgsim compare a.jpg b.jpg --model photos.safetensors --probability"},
          .exit_codes = {"without --threshold:  0  done    1  failed    2  wrong usage",
                         "with --threshold T:   0  the similarity is at least T    1  it is below T",
                         "                      2  wrong usage or failed: there is no answer"}};
}

void compare_command::describe(option_set& options) {
  options.path("model", "FILE", model_, "model made by imgsim train or import-keras").required();
  options.custom(
             "metric", "NAME", [this](const std::string& text) { metric_ = parse_metric(text); }, metric_choices())
      .offers(known_metrics())
      .defaults_to(metric_);
  options.real("threshold", "T", threshold_,
               {std::numeric_limits<double>::lowest(), std::numeric_limits<double>::max()},
               "answer by exit code: 0 where the similarity is at least T, 1 where it is below");
  app::describe(options, probability_);
  app::describe(options, limits_);
  options.positional({.metavar = "photos", .target = &photos_, .least = 2, .most = 2, .kind = value_kind::file});
}

void compare_command::validate(const option_set& options) {
  check_photo_arguments(photos_);
  check(probability_, options, {metric_});
}

exit_code compare_command::run(session& session) {
  const model_file model = load_model(model_);
  std::optional<score_calibration> calibration;
  if (probability_.wanted) {
    calibration = stored_calibration(model, model_);
    if (!calibration)
      throw io_error(model_,
                     "holds no calibration of its scores, being imported or of an older imgsim: train it again, or "
                     "index photos with it and ask with imgsim query --probability");
  }
  std::vector<rgb_image> images;
  for (const std::string& photo : photos_) images.push_back(read_photo_argument(session, photo, limits_));
  const std::unique_ptr<encoder> encoder = session.device().open_encoder(model);
  const std::array<const rgb_image*, 2> both{&images[0], &images[1]};
  const tensor<float, 2> embeddings = encode_images(*encoder, both);
  const matrix_view<const float> rows = embeddings.view();
  float similarity = 0;
  session.device().similarity_matrix(rows.slice(0, 1), rows.slice(1, 1), metric_, {&similarity, {1, 1}});
  const bool reached = !threshold_ || similarity >= *threshold_;
  if (session.wants_json()) {
    json document{{"a", path_to_text(photos_[0])},
                  {"b", path_to_text(photos_[1])},
                  {"metric", metric_},
                  {"similarity", similarity}};
    if (calibration) {
      document["probability"] = calibration->probability(similarity, probability_.prior);
      document["prior"] = probability_.prior;
    }
    if (threshold_) {
      document["threshold"] = *threshold_;
      document["similar"] = reached;
    }
    session.print(document);
  } else {
    std::cout << fixed_text(similarity, 6) << '\n';
    if (calibration)
      std::cout << "probability " << probability_text(calibration->probability(similarity, probability_.prior), 6)
                << " (prior " << general_text(probability_.prior) << ")\n";
  }
  return reached ? exit_code::done : exit_code::failed;
}

}  // namespace imgsim::app
