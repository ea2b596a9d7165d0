// Runs that do more than reconstruct: views, masks, an invariance term, a mean of weights, a time budget.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <imgsim/cpu/context.hpp>
#include <imgsim/cpu/network.hpp>
#include <imgsim/model/trainer.hpp>
#include <support/temporary_folder.hpp>

BOOST_AUTO_TEST_SUITE(training_recipes)

namespace {

using namespace imgsim;

constexpr std::size_t kPhotos = 22;

const training_recipe kEverything{.augment = {.crop = 0.5, .flip = 0.5, .rotation = 5, .colour = 0.2, .blur = 0.2},
                                  .mask = 0.2,
                                  .invariance = 0.1,
                                  .ema = 0.9};

architecture tiny(const training_recipe& recipe) {
  architecture description{.name = "tiny", .height = 8, .width = 8};
  description.encoder = {{convolution{.filters = 6, .stride = {2, 2}}}, {batch_normalization{}}, {relu{}, "seen"}};
  description.decoder = {{transposed_convolution{.filters = 3, .stride = {2, 2}}}, {sigmoid{}}};
  description.embedding.taps = {{.layer = "seen", .pool = pool_kind::mean}};
  description.training = {.epochs = 3, .batch = 4, .learning_rate = 0.01, .recipe = recipe};
  return description;
}

photos_in_memory noise(std::size_t count, std::uint64_t seed) {
  tensor<std::uint8_t, 4> pixels({count, 8, 8, 3});
  random_stream random(seed);
  for (std::uint8_t& value : pixels) value = static_cast<std::uint8_t>(random.below(256));
  return photos_in_memory(std::move(pixels));
}

struct outcome {
  training_result result;
  std::vector<named_tensor> state, optimizer;
};

outcome run(const training_options& options, const training_recipe& recipe, std::size_t threads = 1,
            std::size_t photos = kPhotos) {
  autoencoder<cpu_context> network(cpu_context(threads), tiny(recipe), precision::float32, 11);
  photos_in_memory training = noise(photos, 1), validation = noise(7, 2);
  training_result result = train(network, training, validation, options);
  return {std::move(result), network.state(), network.optimizer_state()};
}

void check_equal(const outcome& a, const outcome& b) {
  BOOST_TEST((a.state == b.state));
  BOOST_TEST((a.optimizer == b.optimizer));
  BOOST_TEST((a.result.best_state == b.result.best_state));
  BOOST_REQUIRE(a.result.history.size() == b.result.history.size());
  for (std::size_t i = 0; i < a.result.history.size(); ++i) {
    BOOST_TEST(a.result.history[i].training_loss == b.result.history[i].training_loss);
    BOOST_TEST(a.result.history[i].validation_loss == b.result.history[i].validation_loss);
  }
}

training_options saved_in(const imgsim_test::temporary_folder& folder, training_options options = {}) {
  options.checkpoints = checkpoints_of(folder.path() / "m.safetensors");
  return options;
}

std::string refusal(training_options options, const training_recipe& recipe) {
  options.resume = true;
  try {
    std::ignore = run(options, recipe);
  } catch (const io_error& reason) {
    return reason.what();
  }
  return "";
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

BOOST_AUTO_TEST_CASE(threads_do_not_change_a_byte) {
  const outcome one = run({.epochs = 3}, kEverything);
  for (const std::size_t threads : {2, 3}) check_equal(one, run({.epochs = 3}, kEverything, threads));
}

BOOST_AUTO_TEST_CASE(every_part_of_a_recipe_changes_the_weights) {
  const auto without = [](const std::function<void(training_recipe&)>& change) {
    training_recipe recipe = kEverything;
    change(recipe);
    return run({.epochs = 2}, recipe).result.best_state;
  };
  const auto all = run({.epochs = 2}, kEverything).result.best_state;
  BOOST_TEST((all != without([](auto& r) { r.augment.colour = 0; })));
  BOOST_TEST((all != without([](auto& r) { r.mask = 0; })));
  BOOST_TEST((all != without([](auto& r) { r.invariance = 0; })));
  BOOST_TEST((all != without([](auto& r) { r.ema = 0; })));
}

BOOST_AUTO_TEST_CASE(stopped_anywhere_and_resumed_equals_uninterrupted) {
  const training_options plain{.epochs = 4, .schedule = parse_schedule("cosine,warm_up=1"), .seed = 4};
  const outcome whole = run(plain, kEverything);
  // Six batches an epoch, and a look at the weights each eight.
  for (const std::vector<std::size_t>& stops : {std::vector<std::size_t>{1}, {6}, {8}, {9, 15}, {3, 12, 23}}) {
    BOOST_TEST_CONTEXT("first stop after " << stops[0]) {
      const imgsim_test::temporary_folder folder;
      training_options options = saved_in(folder, plain);
      std::size_t batches = 0;
      for (const std::size_t stop_after : stops) {
        std::stop_source source;
        options.stop = source.get_token();
        options.on_batch = [&](const batch_progress&) {
          if (++batches == stop_after) source.request_stop();
        };
        BOOST_TEST(run(options, kEverything).result.stopped);
        options.resume = true;
      }
      options.stop = {};
      options.on_batch = {};
      check_equal(whole, run(options, kEverything, 2));
    }
  }
}

BOOST_AUTO_TEST_CASE(the_mean_of_weights_is_kept_and_judged) {
  training_recipe recipe;
  recipe.ema = 0.9;
  const outcome plain = run({.epochs = 6}, {}), mean = run({.epochs = 6}, recipe);
  BOOST_TEST((plain.state == mean.state));  // the network itself learns alike
  BOOST_TEST((mean.result.best_state != mean.state));
  for (const epoch_record& record : mean.result.history) {
    const double own = plain.result.history[record.epoch - 1].validation_loss;
    if (record.epoch == 1) BOOST_TEST(record.validation_loss == own);  // the mean begins there
    if (record.epoch > 2) BOOST_TEST(record.validation_loss != own);
  }
  // By its definition, from the weights after each eighth of the steps, from the sixth on.
  std::vector<std::vector<float>> seen;
  autoencoder<cpu_context> network(cpu_context(1), tiny({}), precision::float32, 11);
  photos_in_memory training = noise(kPhotos, 1), validation = noise(0, 2);
  std::size_t step = 0;
  training_options options{.epochs = 6};
  options.on_batch = [&](const batch_progress&) {
    if (++step == 6 || (step > 6 && step % 8 == 0)) seen.push_back(network.state()[0].values);
  };
  std::ignore = train(network, training, validation, options);
  const double keep = std::pow(0.9, 8);
  BOOST_REQUIRE(mean.result.best_epoch == 6u);
  for (std::size_t i = 0; i < seen[0].size(); ++i) {
    double expected = seen[0][i];
    for (std::size_t s = 1; s < seen.size(); ++s) expected = keep * expected + (1 - keep) * seen[s][i];
    BOOST_TEST(std::abs(static_cast<double>(mean.result.best_state[0].values[i]) - expected) <= 1e-6);
  }
}

BOOST_AUTO_TEST_CASE(validation_sees_the_whole_loss_of_the_same_views) {
  // With a rate that changes no weight, and batch norm's statistics left alone, each epoch is judged alike.
  architecture description = tiny({.augment = {.crop = 0.5}, .invariance = 0.5});
  std::erase_if(description.encoder,
                [](const layer_spec& layer) { return std::holds_alternative<batch_normalization>(layer.operation); });
  autoencoder<cpu_context> network(cpu_context(1), description, precision::float32, 11);
  photos_in_memory training = noise(kPhotos, 1), validation = noise(4, 2);
  const auto history = train(network, training, validation, {.epochs = 2, .learning_rate = 1e-30, .seed = 3}).history;
  BOOST_TEST(history[0].validation_loss == history[1].validation_loss);
  BOOST_TEST(history[0].training_loss != history[1].training_loss);  // other views
  thread_pool pool(1);
  training_views views(pool, validation, description.training.recipe, 8, 8, 4, 3);
  views.begin(0, std::vector<std::size_t>{0, 1, 2, 3});
  const training_batch batch = views.next();
  BOOST_TEST(network.evaluate(batch.photos, 0.5).total() == history[0].validation_loss);
  BOOST_TEST(network.evaluate(batch.photos, 0.5).invariance > 0.0);
}

BOOST_AUTO_TEST_CASE(a_run_ends_when_it_gets_no_better) {
  // A rate so large that the first epochs are the best.
  const training_options options{.epochs = 200, .learning_rate = 0.3, .patience = 4};
  const outcome found = run(options, {});
  BOOST_TEST(!found.result.stopped);
  BOOST_TEST(found.result.history.size() < 200u);
  BOOST_TEST(found.result.history.size() == found.result.best_epoch + 4);
}

BOOST_AUTO_TEST_CASE(a_run_of_another_recipe_is_not_resumed) {
  const imgsim_test::temporary_folder folder;
  const training_options options = saved_in(folder, {.epochs = 1});
  std::ignore = run(options, kEverything);
  BOOST_TEST(refusal(options, kEverything) == "");
  const auto changed = [&](const std::function<void(training_recipe&)>& change) {
    training_recipe recipe = kEverything;
    change(recipe);
    return refusal(options, recipe);
  };
  BOOST_TEST(has(changed([](auto& r) { r.mask = 0.5; }), "mask 0.2, now it is 0.5"));
  BOOST_TEST(has(changed([](auto& r) { r.mask = 0; }), "mask 0.2, now there is none"));
  BOOST_TEST(has(changed([](auto& r) { r.augment.crop = 0.7; }), "crop=0.5"));
  BOOST_TEST(has(changed([](auto& r) { r.invariance = 0; }), "invariance 0.1, now there is none"));
  BOOST_TEST(has(changed([](auto& r) { r.ema = 0.5; }), "ema 0.9, now it is 0.5"));
  training_options limited = options;
  limited.seconds = 10;
  BOOST_TEST(has(refusal(limited, kEverything), "seconds unknown, now it is 10"));
}

BOOST_AUTO_TEST_CASE(a_plain_run_says_nothing_of_recipes) {
  const imgsim_test::temporary_folder folder;
  const training_options options = saved_in(folder, {.epochs = 1});
  std::ignore = run(options, {});
  const checkpoint saved = read_checkpoint(options.checkpoints.last);
  for (const char* name : {"augment", "mask", "invariance", "ema", "seconds"}) BOOST_TEST(!saved.run.contains(name));
  BOOST_TEST(saved.average.empty());
  BOOST_TEST(!to_json(saved.description)["training"].contains("schedule"));
}

BOOST_AUTO_TEST_CASE(a_time_budget_is_kept_and_its_schedule_comes_down) {
  training_options options{.seconds = 0.5, .schedule = cosine_schedule{}};
  const auto begin = std::chrono::steady_clock::now();
  const outcome found = run(options, kEverything);
  const double took = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  BOOST_TEST(!found.result.stopped);
  BOOST_TEST(took < 5.0);  // a loaded machine may keep the process waiting
  double recorded = 0.0;
  for (const epoch_record& record : found.result.history) recorded += record.seconds;
  BOOST_TEST(recorded <= took);
  const std::size_t epochs = found.result.history.size();  // 1 where the machine was busy
  BOOST_TEST((epochs == 1 || found.result.history.front().learning_rate > found.result.history.back().learning_rate));
  if (found.result.history.size() > 10) BOOST_TEST(found.result.history.back().learning_rate < 1e-3);
}

BOOST_AUTO_TEST_CASE(a_run_with_a_budget_can_be_stopped_and_resumed) {
  const imgsim_test::temporary_folder folder;
  training_options options = saved_in(folder, {.seconds = 1, .schedule = cosine_schedule{}});
  std::stop_source source;
  options.stop = source.get_token();
  std::size_t batches = 0;
  options.on_batch = [&](const batch_progress&) {
    if (++batches == 8) source.request_stop();
  };
  BOOST_TEST(run(options, {}).result.stopped);
  BOOST_TEST(read_checkpoint(options.checkpoints.last).position > 0.0);
  options.stop = {};
  options.on_batch = {};
  options.resume = true;
  const outcome found = run(options, {});
  BOOST_TEST(!found.result.stopped);
  BOOST_TEST(found.result.history.back().learning_rate < 0.01);
}

BOOST_AUTO_TEST_CASE(what_makes_no_sense_is_refused) {
  BOOST_CHECK_THROW(std::ignore = run({.epochs = 1}, {.invariance = 1.0}), invalid_argument);
  BOOST_CHECK_THROW(std::ignore = run({.seconds = -1.0}, {}), invalid_argument);
  BOOST_CHECK_THROW(std::ignore = run({.epochs = 1, .batch = 1}, kEverything), invalid_argument);
  BOOST_CHECK_THROW(std::ignore = run({.seconds = 1.0, .record_seconds = false}, {}), invalid_argument);
  architecture flat = tiny({.augment = {.crop = 0.5}, .invariance = 1.0});
  flat.embedding.taps = {{}};
  autoencoder<cpu_context> network(cpu_context(1), flat, precision::float32, 0);
  photos_in_memory photos = noise(4, 1);
  BOOST_CHECK_THROW(std::ignore = train(network, photos, photos, {.epochs = 1}), invalid_argument);
}

BOOST_AUTO_TEST_CASE(epochs_and_batches_follow_the_number_of_photos_where_asked) {
  const training_defaults plain;
  for (const std::size_t photos : {1, 30, 5000, 1'000'000}) {
    BOOST_TEST(default_epochs(plain, photos) == 20u);
    BOOST_TEST(default_batch(plain, photos) == 32u);
  }
  const training_defaults free{.epochs = 0};
  BOOST_TEST(default_epochs(free, 0) == 100u);
  BOOST_TEST(default_epochs(free, 30) == 100u);  // four steps each
  BOOST_TEST(default_epochs(free, 320) == 40u);  // ten
  BOOST_TEST(default_epochs(free, 640) == 20u);
  for (const std::size_t photos : {1660, 3200, 8000}) BOOST_TEST(default_epochs(free, photos) == 8u);
  BOOST_TEST(default_epochs(free, 10'000) == 6u);
  BOOST_TEST(default_epochs(free, 50'000) == 5u);
  BOOST_TEST(default_batch(free, 1) == 8u);
  BOOST_TEST(default_batch(free, 60) == 15u);
  BOOST_TEST(default_batch(free, 50'000) == 32u);
  BOOST_TEST(default_batch({.epochs = 0, .batch = 4}, 1) == 4u);
}

BOOST_AUTO_TEST_SUITE_END()
