// Training with targets of their own and an invariance term, on the CPU.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <imgsim/model/invariance.hpp>

#include "model/network_support.hpp"
#include "model/view_checks.hpp"

BOOST_AUTO_TEST_SUITE(network_views)

namespace {

using namespace imgsim;
using namespace imgsim_test;

const auto on_cpu = [](const architecture& description) {
  return network(cpu_context(2), description, precision::float32, 3);
};

std::vector<named_tensor> state_after_views(std::string_view name, std::size_t threads, precision arithmetic) {
  network net(cpu_context(threads), small_preset(name), arithmetic, 5);
  const auto photos = waves(22), targets = waves(22, 12);
  for (int step = 0; step < 2; ++step)
    (void)net.train_step({.photos = constant(photos), .targets = constant(targets), .invariance = 0.1}, {});
  return net.state();
}

template <class F>
std::string refusal(F&& f) {
  try {
    f();
  } catch (const invalid_argument& e) {
    return e.what();
  }
  return "(no complaint)";
}

}  // namespace

BOOST_AUTO_TEST_CASE(gradients_equal_central_differences) {
  for (const network_case& c : view_cases())
    for (const std::size_t count : {2, 5}) check_view_gradients(on_cpu, c, count, 12);
}

BOOST_AUTO_TEST_CASE(gradients_of_the_default_preset) {
  check_view_gradients(on_cpu, {"default", preset("default", {.size = 32})}, 3, 1);
}

BOOST_AUTO_TEST_CASE(equal_bytes_on_any_number_of_threads) {
  for (const precision arithmetic : {precision::float32, precision::bfloat16}) {
    if (arithmetic == precision::bfloat16 && !has_bfloat16()) continue;
    const std::vector<named_tensor> one = state_after_views("default", 1, arithmetic);
    BOOST_TEST((state_after_views("default", 2, arithmetic) == one));
    BOOST_TEST((state_after_views("default", 3, arithmetic) == one));
  }
}

BOOST_AUTO_TEST_CASE(bfloat16_follows_float32, *needs_bfloat16()) {
  const auto photos = waves(12);
  const training_batch batch{.photos = constant(photos), .targets = constant(photos), .invariance = 1.0};
  network exact(cpu_context(1), small_preset("default"), precision::float32, 5);
  network rounded(cpu_context(1), small_preset("default"), precision::bfloat16, 5);
  const double expected = exact.train_step(batch, {}).invariance;
  BOOST_TEST(rounded.train_step(batch, {}).invariance == expected, boost::test_tools::tolerance(0.1));
}

BOOST_AUTO_TEST_CASE(without_a_term_a_step_is_what_it_was) {
  const auto photos = waves(7);
  network one(cpu_context(1), small_preset("default"), precision::float32, 5);
  network other(cpu_context(1), small_preset("default"), precision::float32, 5);
  const step_loss plain = one.train_step(constant(photos), {});
  const step_loss batch = other.train_step({.photos = constant(photos), .targets = constant(photos)}, {});
  BOOST_TEST(plain.total() == batch.total());
  BOOST_TEST(batch.invariance == 0.0);
  BOOST_TEST((one.state() == other.state()));
}

BOOST_AUTO_TEST_CASE(views_come_to_agree) {
  network net(cpu_context(2), small_preset("default"), precision::float32, 5);
  auto photos = waves(16);
  const std::size_t half = photos.size() / 2;
  for (std::size_t i = 0; i < half; ++i) photos.data()[half + i] = static_cast<std::uint8_t>(255 - photos.data()[i]);
  const training_batch batch{.photos = constant(photos), .targets = constant(photos), .invariance = 1.0};
  const double first = net.train_step(batch, {}).invariance;
  double last = first;
  for (int step = 0; step < 30; ++step) last = net.train_step(batch, {}).invariance;
  BOOST_TEST(last < 0.5 * first);
}

BOOST_AUTO_TEST_CASE(evaluation_compares_the_features_that_encode_gives) {
  network net(cpu_context(1), small_preset("default"), precision::float32, 5);
  const auto photos = waves(10);
  tensor<float, 2> features({10, net.feature_size()});
  net.encode(constant(photos), features.view());
  // The default's first three taps pool whole layers.
  const matrix_view<const float> compared(features.data(), {10, net.view_size()}, {net.feature_size(), 1});
  BOOST_TEST(net.view_size() == 64u + 96u + 128u);
  const step_loss loss = net.evaluate(constant(photos), 3.0);
  BOOST_TEST(loss.invariance == 3.0 * invariance_loss()(compared));
  BOOST_TEST(loss.data == net.evaluate(constant(photos)).data);
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_is_refused) {
  const auto photos = waves(4), fewer = waves(3);
  const auto train = [](std::string_view name, const training_batch& batch) {
    return refusal([&] {
      network net(cpu_context(1), small_preset(name), precision::float32, 5);
      (void)net.train_step(batch, {});
    });
  };
  const auto has = [](const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; };
  BOOST_TEST(has(train("default", {.photos = constant(photos), .targets = constant(fewer)}), "4 photos"));
  BOOST_TEST(
      has(train("default", {.photos = constant(fewer), .targets = constant(fewer), .invariance = 1}), "two views"));
  BOOST_TEST(
      has(train("default", {.photos = constant(photos), .targets = constant(photos), .invariance = -1}), "at least 0"));
  BOOST_TEST(has(train("maxpool-16-8-4", {.photos = constant(photos), .targets = constant(photos), .invariance = 1}),
                 "pools a whole layer"));
}

BOOST_AUTO_TEST_SUITE_END()
