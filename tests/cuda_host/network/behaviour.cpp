// What a network on a CUDA device promises beyond its arithmetic.
#include <algorithm>
#include <array>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cuda_host/network/operations.hpp"
#include "cuda_host/runtime/faults.hpp"
#include "model/network_cases.hpp"

namespace {

using namespace imgsim;
using namespace imgsim_test;

constexpr std::size_t kPhotoSide = 16;

/// The default preset with half of its levels and few channels.
architecture small_default() {
  const auto convolve = [](std::size_t filters, std::size_t stride) {
    return convolution{.filters = filters, .stride = {stride, stride}, .bias = false};
  };
  architecture a{.name = "small", .height = kPhotoSide, .width = kPhotoSide};
  a.encoder = {{convolve(8, 2)},  {batch_normalization{}}, {leaky_relu{}, "level_1"},
               {convolve(12, 2)}, {batch_normalization{}}, {leaky_relu{}, "level_2"}};
  a.decoder = {{upsampling{}}, {convolve(8, 1)}, {batch_normalization{}},
               {leaky_relu{}}, {upsampling{}},   {convolution{.filters = 3}},
               {sigmoid{}}};
  a.embedding.taps = {{.layer = "level_1", .pool = pool_kind::generalised_mean},
                      {.layer = "level_2", .pool = pool_kind::mean, .grid = 3}};
  return a;
}

struct outcome {
  std::vector<named_tensor> state, optimizer;
  std::vector<double> losses;

  bool operator==(const outcome&) const = default;
};

outcome train_a_little(const architecture& description, const cuda::network_policy& policy) {
  device_network net(description, 5, policy);
  const auto photos = waves(5, 3, description.height);
  outcome result;
  for (int step = 0; step < 2; ++step) result.losses.push_back(net.train_step(photos.view(), {}).total());
  const auto views = waves(6, 4, description.height), targets = waves(6, 5, description.height);
  result.losses.push_back(
      net.train_step({.photos = constant(views), .targets = constant(targets), .invariance = 0.1}, {}).total());
  result.losses.push_back(net.evaluate(photos.view()).total());
  result.state = net.state();
  result.optimizer = net.optimizer_state();
  return result;
}

/// A layer of each kind, as small as it gets.
architecture one_of_each() {
  architecture a{.name = "each", .height = 4, .width = 4};
  a.encoder = {{convolution{.filters = 4, .stride = {2, 2}}},
               {batch_normalization{}},
               {relu{}},
               {generalised_mean_pooling{3.0, 2}, "pooled"},
               {max_pooling{}},
               {flatten{}},
               {dense{2}}};
  a.decoder = {{dense{4}},
               {reshape{1, 1, 4}},
               {upsampling{{2, 2}, interpolation_kind::bilinear}},
               {transposed_convolution{.filters = 3, .stride = {2, 2}}},
               {sigmoid{}}};
  a.embedding.taps = {{.layer = "pooled", .pool = pool_kind::mean}, {}};
  return a;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(cuda_network_behaviour)

BOOST_AUTO_TEST_CASE(equal_bytes_from_run_to_run) {
  const architecture description = small_default();
  const outcome first = train_a_little(description, kSmallBatches);
  BOOST_TEST((first == train_a_little(description, kSmallBatches)));
  // The fake's first choices are not deterministic; only a caller who asks for them gets them.
  const cuda::network_policy any{.inference_batch = 4, .deterministic = false};
  BOOST_TEST((train_a_little(description, any) != train_a_little(description, any)));
}

BOOST_AUTO_TEST_CASE(features_do_not_depend_on_the_batch) {
  device_network net(small_default());
  randomise(net, 5);
  const auto photos = waves(9, 21, kPhotoSide);
  const auto all = constant(photos);
  tensor<float, 2> together({9, net.feature_size()}), alone({1, net.feature_size()});
  net.encode(all, together.view());
  BOOST_TEST(std::ranges::none_of(together, [](float value) { return value == 0.0f; }));  // all are there
  for (std::size_t i = 0; i < 9; ++i) {
    net.encode(all.slice(i, 1), alone.view());
    BOOST_TEST(std::memcmp(alone.data(), together.view().row(i), net.feature_size() * sizeof(float)) == 0);
  }
}

BOOST_AUTO_TEST_CASE(photos_and_features_may_have_strides) {
  device_network net(small_default());
  const auto photos = waves(6, 21, kPhotoSide);
  const auto all = constant(photos);
  const view<const std::uint8_t, 4> every_second(all.data(), {3, kPhotoSide, kPhotoSide, 3},
                                                 {2 * all.stride(0), all.stride(1), all.stride(2), all.stride(3)});
  tensor<float, 2> together({6, net.feature_size()}), some({3, net.feature_size() + 5});
  net.encode(all, together.view());
  net.encode(every_second, matrix_view<float>(some.data(), {3, net.feature_size()}, {net.feature_size() + 5, 1}));
  for (std::size_t i = 0; i < 3; ++i)
    BOOST_TEST(std::memcmp(some.view().row(i), together.view().row(2 * i), net.feature_size() * sizeof(float)) == 0);
}

BOOST_AUTO_TEST_CASE(batches_of_any_size_follow_each_other) {
  device_network net(small_default());
  for (const std::size_t batch : {3, 1, 6, 2}) {
    const auto photos = waves(batch, batch, kPhotoSide);
    BOOST_TEST(std::isfinite(net.train_step(photos.view(), {}).total()));
    BOOST_TEST(std::isfinite(net.evaluate(photos.view()).total()));
  }
}

BOOST_AUTO_TEST_CASE(a_state_comes_back) {
  const architecture description = small_default();
  const auto photos = waves(3, 4, kPhotoSide);
  device_network first(description, 1), second(description, 2);
  for (const named_tensor& moment : first.optimizer_state())
    if (moment.name != "step")
      for (const float value : moment.values) BOOST_TEST_REQUIRE(value == 0.0f);
  (void)first.train_step(photos.view(), {});
  second.load_state(first.state());
  second.load_optimizer_state(first.optimizer_state());
  (void)first.train_step(photos.view(), {});
  (void)second.train_step(photos.view(), {});
  BOOST_TEST((first.state() == second.state()));
  BOOST_TEST((first.optimizer_state() == second.optimizer_state()));
}

// The statistics that a step of training leaves are those that inference then uses.
BOOST_AUTO_TEST_CASE(inference_follows_training) {
  const architecture description = small_default();
  const auto photos = waves(3, 4, kPhotoSide);
  device_network net(description, 1), fresh(description, 2);
  const double before = net.evaluate(photos.view()).data;
  (void)net.train_step(photos.view(), {});
  fresh.load_state(net.state());
  const double after = net.evaluate(photos.view()).data;
  BOOST_TEST(after == fresh.evaluate(photos.view()).data);
  BOOST_TEST(after != before);
}

// A step that fails at its last kernel has moved the weights: what is made of them before must not be used again.
BOOST_AUTO_TEST_CASE(inference_follows_a_step_that_failed) {
  const architecture description = small_default();
  const auto photos = waves(3, 4, kPhotoSide);
  device_network net(description, 1), fresh(description, 2);
  (void)net.train_step(photos.view(), {});
  cuda_host::begin_faults();
  (void)net.train_step(photos.view(), {});
  std::size_t last = 0;
  for (std::size_t i = 0; i < cuda_host::calls_seen().size(); ++i)
    if (cuda_host::calls_seen()[i] == "cudaLaunchKernelExC") last = i + 1;
  cuda_host::begin_faults({.failing_call = last, .failing_function = {}, .failing_status = 0});
  BOOST_CHECK_THROW((void)net.train_step(photos.view(), {}), backend_error);
  cuda_host::begin_faults();
  fresh.load_state(net.state());
  BOOST_TEST(net.evaluate(photos.view()).data == fresh.evaluate(photos.view()).data);
}

BOOST_AUTO_TEST_CASE(tf32_is_for_those_who_ask) {
  const architecture description = preset("conv-transpose", {.size = kPhotoSide});
  const auto photos = waves(2, 4, kPhotoSide);
  device_network exact(description, 1),
      fast(description, 1, {.inference_batch = 4, .deterministic = true, .allow_tf32 = true});
  const double expected = exact.evaluate(photos.view()).data, found = fast.evaluate(photos.view()).data;
  BOOST_TEST(found != expected);
  BOOST_TEST(std::fabs(found - expected) <= 1e-2 * expected);
}

// Without a workspace cuDNN has no algorithm left that adds a bias and nothing else; it is then added after.
BOOST_AUTO_TEST_CASE(a_bias_is_added_with_or_without_workspace) {
  architecture a{.name = "bias", .height = 5, .width = 4};
  a.encoder = {{convolution{.filters = 3}}, {convolution{.filters = 2}}, {relu{}}};
  const tensor<float, 4> photos = random_photos(2, a, 4);
  device_network with(a, 1), without(a, 1, {.workspace_bytes = 0, .inference_batch = 4});
  randomise(with, 2);
  randomise(without, 2);
  tensor<float, 2> expected({2, with.feature_size()}), found(expected.extents());
  with.encode(photos.view(), expected.view());
  for (int turn = 0; turn < 2; ++turn) {
    without.encode(photos.view(), found.view());
    for (std::size_t i = 0; i < found.size(); ++i)
      BOOST_TEST_REQUIRE(std::fabs(found.data()[i] - expected.data()[i]) <= 0x1p-22f);
  }
}

BOOST_AUTO_TEST_CASE(max_pooling_hands_on_nan) {
  for (const bool overlapping : {false, true}) {
    architecture a{.name = "nan", .height = 4, .width = 6};
    a.encoder = {{max_pooling{.window = {2, 2}, .stride = overlapping ? extent_2d{1, 1} : extent_2d{2, 2}}}};
    device_network net(a);
    tensor<float, 4> photos({24, 4, 6, 3});
    std::ranges::fill(photos, -0.5f);
    for (std::size_t place = 0; place < 24; ++place)
      photos(place, place / 6, place % 6, std::size_t{1}) = std::numeric_limits<float>::quiet_NaN();
    tensor<float, 2> features({24, net.feature_size()});
    net.encode(std::as_const(photos).view(), features.view());
    const std::size_t step = overlapping ? 1 : 2, out_width = overlapping ? 5 : 3, out_height = overlapping ? 3 : 2;
    BOOST_REQUIRE_EQUAL(net.feature_size(), out_height * out_width * 3);
    for (std::size_t place = 0; place < 24; ++place)
      for (std::size_t i = 0; i < net.feature_size(); ++i) {
        const std::size_t y = i / 3 / out_width, x = i / 3 % out_width;
        const bool holds_it = i % 3 == 1 && place / 6 - y * step < 2 && place % 6 - x * step < 2;  // wraps before it
        BOOST_TEST_REQUIRE((holds_it ? std::isnan(features(place, i)) : features(place, i) == -0.5f));
      }
  }
}

BOOST_AUTO_TEST_CASE(refusals_say_why) {
  const auto complaint = [](auto&& f) -> std::string {
    try {
      f();
    } catch (const error& e) {
      return e.what();
    }
    return "(no complaint)";
  };
  const auto says = [](const std::string& text, const char* part) { return text.find(part) != std::string::npos; };
  BOOST_TEST(says(complaint([] { device_network(one_of_each(), 1, kSmallBatches, precision::bfloat16); }),
                  "computes networks in float32"));
  BOOST_TEST(says(complaint([] { device_network(one_of_each(), 1, {.inference_batch = 0}); }), "at least one photo"));
  const auto photos = waves(2, 1, 4);
  BOOST_TEST(says(complaint([&] {
                    device_network net(one_of_each(), 1, {.workspace_bytes = 8, .inference_batch = 4});
                    (void)net.train_step(photos.view(), {});
                  }),
                  "fits a workspace of 8 bytes and is deterministic"));
}

// Hundreds of runs: under ThreadSanitizer, which sees nothing new in them, of an encoder only.
BOOST_AUTO_TEST_CASE(every_failing_call_is_told_and_leaks_nothing) {
  constexpr bool kBriefly = std::string_view(IMGSIM_CUDA_HOST_BUILD) == "thread";
  architecture description = one_of_each();
  if (kBriefly) description.decoder.clear();
  const auto photos = waves(2, 1, 4);
  const auto wrong = cuda_host::walk_faults(
      [&] {
        device_network net(description, 1, {.inference_batch = 2});
        tensor<float, 2> features({2, net.feature_size()});
        net.encode(constant(photos), features.view());
        if (kBriefly) return;
        const tensor<float, 4> again = random_photos(2, description, 2);
        (void)net.train_step(constant(photos), {});
        (void)net.train_step({.photos = constant(photos), .targets = again.view(), .invariance = 1.0}, {});
        (void)net.evaluate(constant(photos));
        tensor<float, 4> out({2, 4, 4, 3});
        net.reconstruct(again.view(), out.view());
        (void)net.optimizer_state();
      },
      [](const std::string& function) {
        return function.find("Destroy") != std::string::npos || function == "cudaFreeAsync";
      });
  BOOST_TEST(wrong.empty(), (wrong.empty() ? "" : wrong.front()));
}

BOOST_AUTO_TEST_SUITE_END()
