#include <imgsim/model/trainer.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <span>
#include <stop_token>
#include <string>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <imgsim/cpu/context.hpp>
#include <imgsim/cpu/network.hpp>
#include <support/temporary_folder.hpp>

BOOST_AUTO_TEST_SUITE(trainer)

namespace {

constexpr std::size_t kPhotos = 22;
constexpr std::size_t kBatch = 4;  // six batches an epoch, the last of two photos

imgsim::architecture tiny() {
  imgsim::architecture description{.name = "tiny", .height = 8, .width = 8};
  description.encoder = {{imgsim::convolution{.filters = 6, .stride = {2, 2}}},
                         {imgsim::relu{}},
                         {imgsim::batch_normalization{}},
                         {imgsim::flatten{}},
                         {imgsim::dense{.units = 8}}};
  description.decoder = {{imgsim::dense{.units = 64}},
                         {imgsim::reshape{4, 4, 4}},
                         {imgsim::transposed_convolution{.filters = 3, .stride = {2, 2}}},
                         {imgsim::sigmoid{}}};
  description.kernel_l2 = 1e-4;
  description.training = {.epochs = 3, .batch = kBatch, .learning_rate = 0.01};
  return description;
}

/// Photos of one colour ramp each, which a tiny network can learn.
imgsim::photos_in_memory ramps(std::size_t count, std::uint64_t seed) {
  imgsim::tensor<std::uint8_t, 4> pixels({count, 8, 8, 3});
  imgsim::random_stream random(seed);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t base = random.below(128), dy = random.below(8), dx = random.below(8);
    for (std::size_t y = 0; y < 8; ++y) {
      for (std::size_t x = 0; x < 8; ++x) {
        for (std::size_t c = 0; c < 3; ++c)
          pixels(i, y, x, c) = static_cast<std::uint8_t>(base + dy * y + dx * x + 5 * c);
      }
    }
  }
  return imgsim::photos_in_memory(std::move(pixels));
}

struct outcome {
  imgsim::training_result result;
  std::vector<imgsim::named_tensor> state;
  std::vector<imgsim::named_tensor> optimizer;
};

using network_type = imgsim::autoencoder<imgsim::cpu_context>;

/// One run on a fresh network.
outcome train_once(const imgsim::training_options& options, std::size_t threads = 1, std::size_t validation = 5,
                   const imgsim::architecture& description = tiny()) {
  const imgsim::cpu_context cpu(threads);
  network_type network(cpu, description, imgsim::precision::float32, 11);
  imgsim::photos_in_memory training = ramps(kPhotos, 1);
  imgsim::photos_in_memory held_out = ramps(validation, 2);
  imgsim::training_result result = imgsim::train(network, training, held_out, options);
  return {std::move(result), network.state(), network.optimizer_state()};
}

/// Equal in everything but the time taken.
void check_equal(const outcome& a, const outcome& b) {
  BOOST_TEST((a.state == b.state));
  BOOST_TEST((a.optimizer == b.optimizer));
  BOOST_TEST((a.result.best_state == b.result.best_state));
  BOOST_TEST(a.result.best_epoch == b.result.best_epoch);
  BOOST_REQUIRE(a.result.history.size() == b.result.history.size());
  for (std::size_t i = 0; i < a.result.history.size(); ++i) {
    BOOST_TEST(a.result.history[i].training_loss == b.result.history[i].training_loss);
    BOOST_TEST(a.result.history[i].validation_loss == b.result.history[i].validation_loss);
    BOOST_TEST(a.result.history[i].learning_rate == b.result.history[i].learning_rate);
  }
}

/// The reason for which resuming with `options` is refused.
std::string refusal(imgsim::training_options options, std::size_t validation = 5,
                    const imgsim::architecture& description = tiny()) {
  options.resume = true;
  try {
    std::ignore = train_once(options, 1, validation, description);
  } catch (const imgsim::io_error& reason) {
    return reason.what();
  }
  return "";
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_loss_falls_and_the_record_is_complete) {
  std::vector<imgsim::epoch_record> seen;
  std::size_t batches = 0;
  imgsim::training_options options{.epochs = 12};
  options.on_epoch = [&](const imgsim::epoch_record& record) { seen.push_back(record); };
  options.on_batch = [&](const imgsim::batch_progress& progress) {
    BOOST_TEST(progress.epoch == seen.size() + 1);
    BOOST_TEST(progress.epochs == 12u);
    BOOST_TEST(progress.batch == batches % 6 + 1);
    BOOST_TEST(progress.batches == 6u);
    ++batches;
  };
  const outcome run = train_once(options);
  const auto& history = run.result.history;
  BOOST_TEST(!run.result.stopped);
  BOOST_TEST(batches == 72u);
  BOOST_REQUIRE(history.size() == 12);
  BOOST_TEST(seen.size() == 12u);
  BOOST_TEST(history.back().training_loss < 0.5 * history.front().training_loss);
  BOOST_TEST(history.back().validation_loss < history.front().validation_loss);
  std::size_t best = 0;
  for (std::size_t i = 0; i < 12; ++i) {
    BOOST_TEST(history[i].epoch == i + 1);
    BOOST_TEST(history[i].learning_rate == 0.01);
    BOOST_TEST(history[i].seconds > 0.0);
    if (history[i].validation_loss < history[best].validation_loss) best = i;
  }
  BOOST_TEST(run.result.best_epoch == best + 1);
}

BOOST_AUTO_TEST_CASE(an_epoch_is_each_photo_once_in_an_order_from_the_seed) {
  struct watched {
    imgsim::photos_in_memory photos = ramps(kPhotos, 1);
    std::vector<std::size_t> asked = {};
    [[nodiscard]] std::size_t size() const { return photos.size(); }
    [[nodiscard]] std::string fingerprint() const { return photos.fingerprint(); }
    void plan(std::span<const std::size_t>, std::size_t) {}
    void load(std::span<const std::size_t> rows, imgsim::view<std::uint8_t, 4> out) {
      asked.insert(asked.end(), rows.begin(), rows.end());
      photos.load(rows, out);
    }
  };
  const auto orders = [](std::uint64_t seed) {
    const imgsim::cpu_context cpu(1);
    network_type network(cpu, tiny(), imgsim::precision::float32, 0);
    watched training;
    imgsim::photos_in_memory none = ramps(0, 2);
    imgsim::train(network, training, none, {.epochs = 2, .seed = seed});
    return training.asked;
  };
  const std::vector<std::size_t> asked = orders(1);
  BOOST_REQUIRE(asked.size() == 2 * kPhotos);
  std::vector<std::size_t> first(asked.begin(), asked.begin() + kPhotos), second(asked.begin() + kPhotos, asked.end());
  BOOST_TEST((first != second));
  BOOST_TEST((asked == orders(1)));
  BOOST_TEST((asked != orders(2)));
  for (auto* epoch : {&first, &second}) {
    std::ranges::sort(*epoch);
    for (std::size_t i = 0; i < kPhotos; ++i) BOOST_TEST((*epoch)[i] == i);
  }
}

BOOST_AUTO_TEST_CASE(a_folder_of_few_photos_is_said_to_be_one) {
  for (const std::size_t photos : {imgsim::kFewPhotos - 1, imgsim::kFewPhotos}) {
    network_type network(imgsim::cpu_context(1), tiny(), imgsim::precision::float32, 11);
    imgsim::photos_in_memory training = ramps(photos, 1), none = ramps(0, 2);
    BOOST_TEST(imgsim::train(network, training, none, {.epochs = 1, .batch = 100}).few_photos ==
               (photos < imgsim::kFewPhotos));
  }
}

BOOST_AUTO_TEST_CASE(losses_are_means_over_photos) {
  // With a rate that changes no weight, each epoch's loss is that of the fixed network over all photos.
  const imgsim::cpu_context cpu(1);
  imgsim::architecture description = tiny();
  std::erase_if(description.encoder, [](const imgsim::layer_spec& layer) {
    return std::holds_alternative<imgsim::batch_normalization>(layer.operation);
  });
  network_type network(cpu, description, imgsim::precision::float32, 0);
  imgsim::photos_in_memory photos = ramps(kPhotos, 1);
  const imgsim::step_loss expected = network.evaluate(photos.pixels());
  const auto result = imgsim::train(network, photos, photos, {.epochs = 1, .batch = 5, .learning_rate = 1e-30});
  const double bound = 64.0 * std::numeric_limits<float>::epsilon() * expected.total();
  BOOST_TEST(std::abs(result.history[0].training_loss - expected.total()) <= bound);
  BOOST_TEST(std::abs(result.history[0].validation_loss - expected.total()) <= bound);
}

BOOST_AUTO_TEST_CASE(threads_do_not_change_a_byte) {
  check_equal(train_once({.epochs = 2}, 1), train_once({.epochs = 2}, 2));
}

BOOST_AUTO_TEST_CASE(stopped_anywhere_and_resumed_equals_uninterrupted) {
  for (const char* schedule : {"constant", "cosine,warm_up=1", "plateau,patience=1,improvement=0.5"}) {
    const imgsim::training_options plain{.epochs = 3, .schedule = imgsim::parse_schedule(schedule), .seed = 4};
    const outcome whole = train_once(plain);
    // After these batches of the run: amid an epoch, at its end, and more than once.
    for (const std::vector<std::size_t>& stops : {std::vector<std::size_t>{1}, {6}, {8}, {12}, {3, 5, 17}}) {
      BOOST_TEST_CONTEXT(schedule << ", first stop after " << stops[0]) {
        const imgsim_test::temporary_folder folder;
        imgsim::training_options options = plain;
        options.checkpoints = imgsim::checkpoints_of(folder.path() / "m.safetensors");
        std::size_t batches = 0;
        for (const std::size_t stop_after : stops) {
          std::stop_source source;
          options.stop = source.get_token();
          options.on_batch = [&](const imgsim::batch_progress&) {
            if (++batches == stop_after) source.request_stop();
          };
          const outcome part = train_once(options);
          BOOST_TEST(part.result.stopped);
          BOOST_TEST(batches == stop_after);
          options.resume = true;
        }
        options.stop = {};
        options.on_batch = {};
        const outcome resumed = train_once(options, 2);
        BOOST_TEST(!resumed.result.stopped);
        check_equal(whole, resumed);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_stop_during_validation_loses_nothing) {
  const outcome whole = train_once({.epochs = 2});
  const imgsim_test::temporary_folder folder;
  imgsim::training_options options{.epochs = 2, .checkpoints = imgsim::checkpoints_of(folder.path() / "m.safetensors")};
  std::stop_source source;
  options.stop = source.get_token();
  options.on_batch = [&](const imgsim::batch_progress& progress) {
    if (progress.batch == progress.batches) source.request_stop();
  };
  BOOST_TEST(train_once(options).result.stopped);
  const imgsim::checkpoint saved = imgsim::read_checkpoint(options.checkpoints.last);
  BOOST_TEST(saved.batches == 6u);
  BOOST_TEST(saved.history.empty());
  options.stop = {};
  options.on_batch = {};
  options.resume = true;
  check_equal(whole, train_once(options));
}

BOOST_AUTO_TEST_CASE(a_stop_before_the_first_batch_can_be_resumed) {
  const outcome whole = train_once({.epochs = 1});
  const imgsim_test::temporary_folder folder;
  imgsim::training_options options{.epochs = 1, .checkpoints = imgsim::checkpoints_of(folder.path() / "m.safetensors")};
  std::stop_source source;
  source.request_stop();
  options.stop = source.get_token();
  const outcome none = train_once(options);
  BOOST_TEST(none.result.stopped);
  BOOST_TEST(none.result.best_epoch == 0u);
  options.stop = {};
  options.resume = true;
  check_equal(whole, train_once(options));
}

BOOST_AUTO_TEST_CASE(a_finished_run_can_go_on_for_longer) {
  const outcome whole = train_once({.epochs = 3});
  const imgsim_test::temporary_folder folder;
  imgsim::training_options options{.epochs = 1, .checkpoints = imgsim::checkpoints_of(folder.path() / "m.safetensors")};
  std::ignore = train_once(options);
  options.resume = true;
  BOOST_TEST(train_once(options).result.history.size() == 1u);
  options.epochs = 3;
  check_equal(whole, train_once(options));
}

BOOST_AUTO_TEST_CASE(another_run_is_not_resumed) {
  const imgsim_test::temporary_folder folder;
  imgsim::training_options options{.epochs = 1, .checkpoints = imgsim::checkpoints_of(folder.path() / "m.safetensors")};
  BOOST_TEST(has(refusal(options), "cannot be opened"));
  std::ignore = train_once(options);
  const auto changed = [&](const std::function<void(imgsim::training_options&)>& change) {
    imgsim::training_options other = options;
    change(other);
    return refusal(other);
  };
  BOOST_TEST(refusal(options) == "");
  BOOST_TEST(has(changed([](auto& o) { o.batch = 5; }), "batch 4, now it is 5"));
  BOOST_TEST(has(changed([](auto& o) { o.learning_rate = 0.02; }), "learning_rate 0.01, now it is 0.02"));
  BOOST_TEST(has(changed([](auto& o) { o.seed = 9; }), "seed 0, now it is 9"));
  BOOST_TEST(has(changed([](auto& o) { o.schedule = imgsim::step_schedule{}; }), "schedule"));
  BOOST_TEST(has(refusal(options, 4), "other validation photos"));
  BOOST_TEST(has(refusal(options, 0), "other validation photos"));
  imgsim::architecture wider = tiny();
  wider.kernel_l2 = 0.0;
  BOOST_TEST(has(refusal(options, 5, wider), "another architecture"));
  std::filesystem::remove(options.checkpoints.best);
  BOOST_TEST(has(refusal(options), "m.best.safetensors"));
  std::filesystem::rename(options.checkpoints.last, options.checkpoints.best);
  imgsim::write_file(options.checkpoints.last, "damaged");
  BOOST_TEST(has(refusal(options), "m.last.safetensors"));
}

BOOST_AUTO_TEST_CASE(checkpoints_hold_the_last_and_the_best_weights) {
  const imgsim_test::temporary_folder folder;
  const imgsim::training_options options{.epochs = 3,
                                         .checkpoints = imgsim::checkpoints_of(folder.path() / "a.b.safetensors")};
  BOOST_TEST(options.checkpoints.last.filename().string() == "a.b.last.safetensors");
  const outcome run = train_once(options);
  const imgsim::checkpoint last = imgsim::read_checkpoint(options.checkpoints.last);
  const imgsim::checkpoint best = imgsim::read_checkpoint(options.checkpoints.best);
  BOOST_TEST((last.state == run.state));
  BOOST_TEST((last.optimizer == run.optimizer));
  BOOST_TEST((best.state == run.result.best_state));
  BOOST_TEST(best.optimizer.empty());
  BOOST_TEST(last.history.size() == 3u);
  BOOST_TEST(best.history.size() == run.result.best_epoch);
}

BOOST_AUTO_TEST_CASE(a_loss_that_is_no_number_stops_with_advice) {
  BOOST_CHECK_EXCEPTION(std::ignore = train_once({.epochs = 50, .learning_rate = 1e30}), imgsim::training_diverged,
                        [](const auto& e) {
                          const std::string text = e.what();
                          return has(text, "epoch") && has(text, "batch") && has(text, "smaller than 1e+30");
                        });
}

BOOST_AUTO_TEST_CASE(bad_options_are_refused) {
  const auto refuses = [](const imgsim::training_options& options) {
    BOOST_CHECK_THROW(std::ignore = train_once(options), imgsim::invalid_argument);
  };
  refuses({.learning_rate = -1.0});
  refuses({.checkpoints = {.last = "/tmp/x", .best = {}}});
  refuses({.resume = true});
  const imgsim::cpu_context cpu(1);
  network_type network(cpu, tiny(), imgsim::precision::float32, 0);
  imgsim::photos_in_memory none = ramps(0, 1);
  BOOST_CHECK_THROW(imgsim::train(network, none, none, {}), imgsim::invalid_argument);
}

BOOST_AUTO_TEST_SUITE_END()
