#include "commands/train.hpp"

#include <cmath>
#include <iostream>

#include "cli/text.hpp"
#include "pipeline/model_files.hpp"
#include "pipeline/output_path.hpp"
#include "pipeline/train_model.hpp"

#include <imgsim/core/file.hpp>
#include <imgsim/core/path_text.hpp>
#include <imgsim/model/presets.hpp>
#include <imgsim/report/escape.hpp>
#include <imgsim/report/number.hpp>

namespace imgsim::app {

namespace {

/// An option's value as `parse` reads it.
template <class Value>
std::function<void(const std::string&)> parsed_by(Value (*parse)(std::string_view), std::optional<Value>& target) {
  return [parse, &target](const std::string& text) {
    try {
      target = parse(text);
    } catch (const invalid_argument& reason) {
      throw usage_error(reason.what());
    }
  };
}

/// A name that ends in .json is always a file.
std::vector<std::string> choices_of_preset() {
  std::vector<std::string> choices(preset_names().begin(), preset_names().end());
  choices.emplace_back("a FILE.json");
  return choices;
}

bool is_json_file(const std::string& name) {
  return name.ends_with(".json");
}

}  // namespace

command_help train_command::help() const {
  return {.usage = "--images DIR --model FILE [options]",
          .about =
              "Trains a convolutional autoencoder on every photo under DIR (JPEG, PNG, WebP) and writes the model, "
              "with history.csv and loss.svg beside it (NAME.history.csv and NAME.loss.svg where those are of "
              "another model in the same folder). A part of the photos is kept for validation; folders that have "
              "train/, val/ and test/ are used as they are. After each epoch, and on Ctrl-C, the run is saved in "
              "NAME.last.safetensors and NAME.best.safetensors: the same command with --resume continues to the "
              "same result. They stay when the training is done, so that --resume with more --epochs can go on; "
              "delete them when it need not.",
          .examples = {"imgsim train --images photos --model photos.safetensors",
                       "imgsim train --images photos --model m.safetensors --preset maxpool-16-8-4 --epochs 10",
                       "imgsim train --images photos --model m.safetensors --preset my_network.json --resume"},
          .exit_codes = {"0  done", "1  failed, or stopped by Ctrl-C after saving a checkpoint", "2  wrong usage",
                         "3  done, but some photos were skipped (each is listed)"}};
}

void train_command::describe(option_set& options) {
  options.path("images", "DIR", images_, "folder of photos, searched at any depth").required();
  options.path("model", "FILE", model_, "the model to write, e.g. photos.safetensors").required();
  options
      .custom(
          "preset", "NAME",
          [this](const std::string& text) {
            if (!is_json_file(text)) expect_choice(text, choices_of_preset());
            preset_ = text;
          },
          "architecture: " + any_of_text(choices_of_preset()) + " that describes one")
      .offers({preset_names().begin(), preset_names().end()})
      .names_a(value_kind::file)
      .defaults_to(preset_);
  options.whole("size", "S", size_, {8, 4096}, "side that photos are resized to, in pixels")
      .defaults_to("the preset's");
  options.whole("latent", "L", latent_, {1, 65536}, "numbers in the code, for presets that let it be chosen")
      .defaults_to("the preset's");
  options.whole("epochs", "E", epochs_, {1, 1'000'000}, "passes over the photos")
      .instead_of("minutes")
      .defaults_to("the preset's; of default: 20, up to 100 for few photos, 5 for very many");
  options.whole("batch", "B", batch_, {1, 65536}, "photos a step")
      .defaults_to("the preset's; of default: 32, down to 8 for few photos");
  options.real("learning-rate", "R", learning_rate_, {1e-12, 1e3}, "of Adam").defaults_to("the preset's");
  options
      .real("minutes", "M", minutes_, {0.01, 1e6},
            "train for M minutes in place of --epochs: the schedule is laid out over them; decoding before and "
            "fitting the embedding after come on top; two such runs differ, so not with --deterministic")
      .instead_of("epochs")
      .defaults_to("none");
  options
      .custom("schedule", "TEXT", parsed_by(parse_schedule, schedule_),
              "learning rate over time: constant, cosine, step, exponential or plateau, with fields: "
              "cosine,warm_up=2")
      .offers({"constant", "cosine", "step", "exponential", "plateau"})
      .defaults_to("the preset's; cosine with --minutes");
  options
      .custom("augment", "TEXT", parsed_by(parse_augmentation, augment_),
              "train on views of the photos, others in each epoch: crop=0.8,flip=0.5,rotation=5,colour=0.5,blur=0.3 "
              "(least part of the area; probability; degrees; part; probability), or off")
      .defaults_to("the preset's");
  options
      .real("invariance", "W", invariance_, {0.0, 1e6},
            "weight of seeing the same in two views of a photo (Barlow Twins), beside the reconstruction; 0: off")
      .defaults_to("the preset's");
  options.real("mask", "PART", mask_, {0.0, 0.95}, "part of each photo that is hidden and has to be filled in; 0: off")
      .defaults_to("the preset's");
  options
      .real("ema", "KEEP", ema_, {0.0, 0.999999},
            "keep the running mean of the weights, of which KEEP stays in each step, e.g. 0.99; 0: off")
      .defaults_to("the preset's");
  options.whole("patience", "E", patience_, {0, 1'000'000},
                "end after E epochs in which the validation loss did not get better; 0: off");
  options.real("validation", "PART", validation_, {0.0, 0.9}, "part of the photos kept for validation");
  options.choice("precision", "P", precision_, {"float32", "bfloat16"}, "arithmetic: float32 or bfloat16");
  options.path("report", "FILE.html", report_, "also write a page with the loss of each epoch");
  options.flag("resume", resume_, "continue from the last checkpoint, NAME.last.safetensors");
}

void train_command::validate(const option_set&) {
  if (is_json_file(preset_) && (size_ || latent_))
    throw usage_error("--size and --latent belong to named presets; " + preset_ + " states its own");
  if (minutes_ > 0 && epochs_ > 0) throw usage_error("--minutes takes the place of --epochs: give one of them");
}

architecture train_command::choose_architecture() const {
  if (is_json_file(preset_)) return load_architecture(preset_);
  try {
    return preset(preset_, {.size = size_, .latent = latent_});
  } catch (const invalid_argument& reason) {
    throw usage_error(reason.what());
  }
}

architecture train_command::choose_training() const {
  architecture chosen = choose_architecture();
  training_recipe& recipe = chosen.training.recipe;
  recipe.augment = augment_.value_or(recipe.augment);
  recipe.mask = mask_.value_or(recipe.mask);
  recipe.invariance = invariance_.value_or(recipe.invariance);
  recipe.ema = ema_.value_or(recipe.ema);
  if (recipe.invariance > 0.0 && !recipe.augment.changes_photos())
    throw usage_error("without --augment two views of a photo do not differ: add --invariance 0");
  return chosen;
}

exit_code train_command::run(session& session) {
  if (precision_ == "bfloat16") session.keep_to_cpu();
  if (minutes_ > 0 && session.options().deterministic)
    throw usage_error("--minutes depends on how fast the machine is, --deterministic must not: give --epochs");
  const train_request request{.images = images_,
                              .model = model_,
                              .description = choose_training(),
                              .arithmetic = precision_ == "float32" ? precision::float32 : precision::bfloat16,
                              .minutes = minutes_,
                              .epochs = epochs_,
                              .batch = batch_,
                              .learning_rate = learning_rate_,
                              .schedule = minutes_ > 0 && !schedule_ ? cosine_schedule{} : schedule_,
                              .patience = patience_,
                              .validation = validation_,
                              .resume = resume_};
  if (report_) prepare_output_file(session, *report_, output_kind::page);
  const train_summary summary = train_model(session, request);
  if (session.is_dry_run()) {
    plan_training_files(session, model_);
    return session.finish_dry_run(summary.training_photos + summary.validation_photos);
  }
  if (summary.stopped) {
    std::string again = session.command_line();
    if (!resume_) again += " --resume";
    session.warn("stopped in epoch " + std::to_string(summary.history.size() + 1) + "; saved " +
                     summary.checkpoints.last.string() + "; continue with:",
                 again);
    return exit_code::failed;
  }
  if (report_) {
    write_file(*report_, to_page(request, summary));
    session.note("wrote " + report_->string());
  }
  const epoch_record& best = summary.history.at(summary.best_epoch - 1);
  if (session.wants_json()) {
    json document{{"model", path_to_text(summary.model.string())},
                  {"history", path_to_text(summary.history_file.string())},
                  {"plot", path_to_text(summary.plot.string())},
                  {"checkpoints",
                   {path_to_text(summary.checkpoints.last.string()), path_to_text(summary.checkpoints.best.string())}},
                  {"epochs", summary.history.size()},
                  {"best_epoch", summary.best_epoch},
                  {"training_loss", best.training_loss},
                  {"validation_loss", std::isnan(best.validation_loss) ? json(nullptr) : json(best.validation_loss)},
                  {"training_photos", summary.training_photos},
                  {"validation_photos", summary.validation_photos},
                  {"few_photos", summary.few_photos},
                  {"seed", session.options().seed},
                  {"skipped", session.skipped()}};
    session.print(document);
  } else {
    std::cout << printable_utf8(summary.model.string()) << ": best of " << count_text(summary.history.size(), "epoch")
              << " is number " << summary.best_epoch << ", loss " << general_text(best.training_loss, 5);
    if (!std::isnan(best.validation_loss)) std::cout << ", validation " << general_text(best.validation_loss, 5);
    std::cout << "\n"
              << printable_utf8(summary.history_file.string() + ", " + summary.plot.string())
              << ": the loss of each epoch\n"
              << printable_utf8(summary.checkpoints.last.string() + ", " + summary.checkpoints.best.string())
              << (minutes_ > 0 ? ": not needed any more\n"
                               : ": for --resume with more --epochs; not needed otherwise\n");
    std::filesystem::path index = model_;
    session.note("next: imgsim index --images " + shell_word(images_.string()) + " --model " +
                 shell_word(model_.string()) + " --index " + shell_word(index.replace_extension(".idx").string()));
  }
  return session.finish();
}

}  // namespace imgsim::app
