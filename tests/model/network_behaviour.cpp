// What a network promises beyond its arithmetic: training works, equal bytes on any number of threads, state that comes
// back, and errors that say what is wrong.
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "model/network_support.hpp"

namespace {

using namespace imgsim;
using namespace imgsim_test;

struct outcome {
  std::vector<named_tensor> state, optimizer;
  std::vector<double> losses;
  std::vector<float> features;

  bool operator==(const outcome&) const = default;
};

outcome train_a_little(std::string_view name, std::size_t threads, precision arithmetic) {
  const cpu_context cpu(threads);
  network net(cpu, small_preset(name), arithmetic, 5);
  const auto photos = waves(21);
  outcome result;
  for (int step = 0; step < 3; ++step) result.losses.push_back(net.train_step(constant(photos), {}).total());
  result.losses.push_back(net.evaluate(constant(photos)).total());
  tensor<float, 2> features({21, net.feature_size()});
  net.encode(constant(photos), features.view());
  result.features.assign(features.begin(), features.end());
  result.state = net.state();
  result.optimizer = net.optimizer_state();
  return result;
}

/// The message of the invalid_argument that f throws.
template <class F>
std::string complaint(F&& f) {
  try {
    f();
  } catch (const invalid_argument& e) {
    return e.what();
  }
  return "(no complaint)";
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(network_behaviour)

BOOST_AUTO_TEST_CASE(every_preset_learns_a_few_photos) {
  const auto photos = waves(8);
  for (const std::string_view name : preset_names()) {
    for (const precision arithmetic : {precision::float32, precision::bfloat16}) {
      if (arithmetic == precision::bfloat16 && !has_bfloat16()) continue;
      BOOST_TEST_CONTEXT(name << (arithmetic == precision::bfloat16 ? " bfloat16" : " float32")) {
        const cpu_context cpu(2);
        architecture a = small_preset(name);
        a.kernel_l2 = 0.0;
        network net(cpu, a, arithmetic, 1);
        const double first = net.train_step(constant(photos), {.learning_rate = 3e-3}).data;
        double last = first;
        for (int step = 0; step < 60; ++step) last = net.train_step(constant(photos), {.learning_rate = 3e-3}).data;
        // Cross entropy cannot fall below the entropy of the photos themselves.
        double least = 0.0;
        if (a.loss == loss_kind::binary_cross_entropy) {
          for (const std::uint8_t v : photos) {
            const double t = v / 255.0;
            if (t > 0 && t < 1)
              least -= (t * std::log(t) + (1 - t) * std::log(1 - t)) / static_cast<double>(photos.size());
          }
        }
        BOOST_TEST(last - least < 0.6 * (first - least));
        BOOST_TEST(last > least);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(equal_bytes_on_any_number_of_threads) {
  for (const std::string_view name : preset_names()) {
    for (const precision arithmetic : {precision::float32, precision::bfloat16}) {
      if (arithmetic == precision::bfloat16 && !has_bfloat16()) continue;
      BOOST_TEST_CONTEXT(name) {
        const outcome one = train_a_little(name, 1, arithmetic);
        BOOST_TEST((train_a_little(name, 2, arithmetic) == one));
        BOOST_TEST((train_a_little(name, 3, arithmetic) == one));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(the_callers_openmp_setting_stays) {
  const int before = omp_get_max_threads();
  omp_set_num_threads(3);
  (void)train_a_little("maxpool-16-8-4", 2, precision::float32);
  BOOST_TEST(omp_get_max_threads() == 3);
  omp_set_num_threads(before);
}

BOOST_AUTO_TEST_CASE(bytes_and_floats_of_the_same_photo_agree) {
  const cpu_context cpu(2);
  network net(cpu, small_preset("default"), precision::float32, 1);
  const auto bytes = waves(5);
  tensor<float, 4> floats(bytes.extents());
  std::ranges::transform(bytes, floats.begin(), [](std::uint8_t v) { return static_cast<float>(v) / 255.0f; });
  tensor<float, 2> a({5, net.feature_size()}), b({5, net.feature_size()});
  net.encode(constant(bytes), a.view());
  net.encode(std::as_const(floats).view(), b.view());
  BOOST_TEST(std::ranges::equal(a, b));
  BOOST_TEST(net.evaluate(constant(bytes)).data == net.evaluate(std::as_const(floats).view()).data);
}

BOOST_AUTO_TEST_CASE(photos_and_features_may_be_strided) {
  const cpu_context cpu(2);
  network net(cpu, small_preset("maxpool-16-8-4"), precision::float32, 1);
  const auto photos = waves(6);
  const std::size_t per_photo = kSide * kSide * 3;
  const view<const std::uint8_t, 4> every_other(photos.data(), {3, kSide, kSide, 3}, {2 * per_photo, kSide * 3, 3, 1});
  tensor<float, 2> dense_rows({6, net.feature_size()}), wide({3, net.feature_size() + 5});
  net.encode(constant(photos), dense_rows.view());
  net.encode(every_other, matrix_view<float>(wide.data(), {3, net.feature_size()}, {net.feature_size() + 5, 1}));
  for (std::size_t b = 0; b < 3; ++b) {
    BOOST_TEST(std::equal(dense_rows.view().row(2 * b), dense_rows.view().row(2 * b) + net.feature_size(),
                          wide.view().row(b)));
    BOOST_TEST(wide(b, net.feature_size() + 4) == 0.0f);
  }
}

BOOST_AUTO_TEST_CASE(state_comes_back_bit_for_bit_and_training_goes_on_alike) {
  const cpu_context cpu(2);
  const auto photos = waves(9);
  network first(cpu, small_preset("default"), precision::float32, 1);
  network second(cpu, small_preset("default"), precision::float32, 2);
  for (int step = 0; step < 3; ++step) (void)first.train_step(constant(photos), {});
  BOOST_TEST((first.state() != second.state()));
  second.load_state(first.state());
  second.load_optimizer_state(first.optimizer_state());
  BOOST_TEST((first.state() == second.state()));
  BOOST_TEST((first.optimizer_state() == second.optimizer_state()));
  for (int step = 0; step < 2; ++step) {
    BOOST_TEST(first.train_step(constant(photos), {}).data == second.train_step(constant(photos), {}).data);
  }
  BOOST_TEST((first.state() == second.state()));
}

BOOST_AUTO_TEST_CASE(state_of_another_network_is_refused_and_changes_nothing) {
  const cpu_context cpu(1);
  network net(cpu, small_preset("default"), precision::float32, 1);
  const std::vector<named_tensor> good = net.state();

  std::vector<named_tensor> renamed = good;
  renamed[1].name = "encoder.1.delta";
  BOOST_TEST(contains(complaint([&] { net.load_state(renamed); }), "encoder.1.gamma"));
  std::vector<named_tensor> reshaped = good;
  std::swap(reshaped[0].shape[2], reshaped[0].shape[3]);
  BOOST_TEST(contains(complaint([&] { net.load_state(reshaped); }), "[3, 3, 32, 3]"));
  std::vector<named_tensor> short_of_values = good;
  short_of_values[0].values.pop_back();
  BOOST_TEST(contains(complaint([&] { net.load_state(short_of_values); }), "encoder.0.kernel"));
  std::vector<named_tensor> extra = good;
  extra.push_back({"encoder.99.kernel", {1}, {1.0f}});
  BOOST_TEST(contains(complaint([&] { net.load_state(extra); }), "encoder.99.kernel"));
  std::vector<named_tensor> doubled = good;
  doubled.push_back(good.front());
  BOOST_TEST(contains(complaint([&] { net.load_state(doubled); }), "twice"));
  BOOST_TEST((net.state() == good));

  std::vector<named_tensor> moments = net.optimizer_state();
  moments[0].values[0] = 0.5f;
  BOOST_TEST(contains(complaint([&] { net.load_optimizer_state(moments); }), "no count"));
  moments = net.optimizer_state();
  moments.pop_back();
  BOOST_TEST(contains(complaint([&] { net.load_optimizer_state(moments); }), "second_moment"));
}

BOOST_AUTO_TEST_CASE(batch_norm_moves_its_statistics_as_keras_does) {
  const cpu_context cpu(2);
  architecture a{.name = "norm", .height = 5, .width = 4};
  a.encoder = {{batch_normalization{.momentum = 0.8}}};
  a.decoder = {{upsampling{{1, 1}}}};
  network net(cpu, a, precision::float32, 1);
  randomise(net, 2);
  const auto photos = random_photos(19, a, 3);
  const reference::parameters before = as_parameters(net.state());
  const reference::batch_statistics batch = reference::statistics_of(as_images(photos));
  (void)net.train_step(std::as_const(photos).view(), {});
  const reference::parameters after = as_parameters(net.state());
  const double count = 19 * 5 * 4;
  for (std::size_t c = 0; c < 3; ++c) {
    const double mean = 0.8 * before.at("encoder.0.moving_mean")[c] + 0.2 * batch.mean[c];
    const double variance =
        0.8 * before.at("encoder.0.moving_variance")[c] + 0.2 * batch.variance[c] * count / (count - 1.0);
    BOOST_TEST(std::fabs(after.at("encoder.0.moving_mean")[c] - mean) <= 1e-6);
    BOOST_TEST(std::fabs(after.at("encoder.0.moving_variance")[c] - variance) <= 1e-6);
  }
}

BOOST_AUTO_TEST_CASE(an_encoder_alone_encodes_and_nothing_else) {
  const cpu_context cpu(1);
  architecture whole = small_preset("maxpool-16-8-4");
  architecture half = whole;
  half.decoder.clear();
  network complete(cpu, whole, precision::float32, 1), encoder(cpu, half, precision::float32, 1);
  const auto photos = waves(3);
  tensor<float, 2> a({3, complete.feature_size()}), b({3, encoder.feature_size()});
  complete.encode(constant(photos), a.view());
  encoder.encode(constant(photos), b.view());
  BOOST_TEST(std::ranges::equal(a, b));
  BOOST_TEST(contains(complaint([&] { (void)encoder.train_step(constant(photos), {}); }), "without a decoder"));
}

BOOST_AUTO_TEST_CASE(equal_seeds_make_equal_networks) {
  const cpu_context cpu(1);
  const architecture a = small_preset("default");
  network first(cpu, a, precision::float32, 1), again(cpu, a, precision::float32, 1),
      other(cpu, a, precision::float32, 2);
  BOOST_TEST((first.state() == again.state()));
  BOOST_TEST((first.state() != other.state()));
  for (const named_tensor& t : first.state()) {
    if (!t.name.ends_with(".kernel")) continue;
    const double fans = static_cast<double>(t.shape[0] * t.shape[1] * (t.shape[2] + t.shape[3]));
    const double limit = std::sqrt(6.0 / fans);
    const auto [low, high] = std::ranges::minmax(t.values);
    BOOST_TEST(high <= limit);
    BOOST_TEST(low >= -limit);
    BOOST_TEST(high > 0.9 * limit);
  }
}

BOOST_AUTO_TEST_CASE(shapes_of_calls_are_checked) {
  const cpu_context cpu(1);
  network net(cpu, small_preset("maxpool-16-8-4"), precision::float32, 1);
  const auto photos = waves(2);
  tensor<float, 2> narrow({2, net.feature_size() - 1}), features({0, net.feature_size()});
  tensor<std::uint8_t, 4> wrong({2, kSide, kSide - 1, 3}), none({0, kSide, kSide, 3});
  BOOST_TEST(contains(complaint([&] { net.encode(constant(photos), narrow.view()); }), "[2, 63]"));
  BOOST_TEST(contains(complaint([&] { (void)net.train_step(constant(wrong), {}); }), "[2, 32, 31, 3]"));
  BOOST_TEST(contains(complaint([&] { (void)net.train_step(constant(none), {}); }), "at least one photo"));
  BOOST_TEST(contains(complaint([&] { (void)net.evaluate(constant(none)); }), "no photos"));
  net.encode(constant(none), features.view());
  const view<const std::uint8_t, 4> gaps(photos.data(), {1, kSide, kSide, 3}, {kSide * kSide * 6, kSide * 6, 3, 1});
  BOOST_TEST(contains(complaint([&] { (void)net.evaluate(gaps); }), "dense in memory"));
}

BOOST_AUTO_TEST_SUITE_END()
