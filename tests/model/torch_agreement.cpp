// Training, step by step, against what PyTorch recorded: see torch_fixture.py.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <imgsim/cpu/context.hpp>
#include <imgsim/cpu/network.hpp>
#include <imgsim/model/safetensors.hpp>

namespace {

using imgsim::named_tensor;
using nlohmann::json;

struct recording {
  imgsim::tensor_file file;

  [[nodiscard]] json value(const char* key) const { return json::parse(file.metadata.at(key)); }
  [[nodiscard]] std::vector<named_tensor> state(const std::string& prefix) const {
    std::vector<named_tensor> tensors;
    for (const named_tensor& tensor : file.tensors)
      if (tensor.name.starts_with(prefix))
        tensors.push_back({tensor.name.substr(prefix.size()), tensor.shape, tensor.values});
    return tensors;
  }
};

/// The formula of torch_fixture.py.
imgsim::tensor<std::uint8_t, 4> photos(std::size_t step, std::size_t batch, std::size_t height, std::size_t width) {
  imgsim::tensor<std::uint8_t, 4> pixels({batch, height, width, 3});
  for (std::size_t i = 0; i < batch; ++i)
    for (std::size_t y = 0; y < height; ++y)
      for (std::size_t x = 0; x < width; ++x)
        for (std::size_t c = 0; c < 3; ++c)
          pixels(i, y, x, c) =
              static_cast<std::uint8_t>((37 * i + 11 * y + 17 * x + (3 + i) * x * y + 83 * c + 29 * step) % 256);
  return pixels;
}

void check_close(double actual, double expected, double bound, const std::string& what) {
  BOOST_TEST(std::abs(actual - expected) <= bound, what << ": " << actual << " instead of " << expected << ", off by "
                                                        << std::abs(actual - expected) << ", allowed " << bound);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(torch_agreement)

BOOST_DATA_TEST_CASE(steps_of_adam_agree, boost::unit_test::data::make({"maxpool", "strided_dense", "conv_transpose"}),
                     name) {
  const recording recorded{imgsim::read_safetensors(std::filesystem::path(IMGSIM_TEST_SOURCE_DIR) / "model" / "torch" /
                                                    (std::string(name) + ".safetensors"))};
  const json adam = recorded.value("adam");
  const imgsim::adam_step step{.learning_rate = adam["learning_rate"],
                               .beta1 = adam["beta1"],
                               .beta2 = adam["beta2"],
                               .epsilon = adam["epsilon"]};
  const auto steps = recorded.value("steps").get<std::size_t>();
  const auto batch = recorded.value("batch").get<std::size_t>();

  const imgsim::cpu_context cpu(2);
  imgsim::autoencoder network(cpu, imgsim::parse_architecture(recorded.value("architecture")),
                              imgsim::precision::float32, 0);
  network.load_state(recorded.state("first/"));
  const auto batch_of = [&](std::size_t s) { return photos(s, batch, network.height(), network.width()); };

  // A gradient in float32 is off by some eps * |g|: kRoundings for sums of thousands of terms of both signs. Adam
  // divides by |g| + epsilon, so that a step moves a weight by at most learning_rate / epsilon times that too far or
  // too little; a change of the weights changes the loss by at most sum |g| times as much.
  constexpr double kRoundings = 32.0;
  constexpr double kEpsilon = std::numeric_limits<float>::epsilon();
  const double gradient_error = kRoundings * kEpsilon * recorded.value("largest_gradient").get<double>();
  const double weight_error_per_step = step.learning_rate * gradient_error / step.epsilon + kEpsilon;
  const auto gradient_sum = recorded.value("gradient_sum").get<double>();
  const auto loss_bound = [&](double loss, std::size_t steps_done) {
    return kRoundings * kEpsilon * std::abs(loss) +
           gradient_sum * weight_error_per_step * static_cast<double>(steps_done);
  };

  const json losses = recorded.value("losses");
  for (std::size_t s = 0; s < steps; ++s) {
    const imgsim::step_loss loss = network.train_step(batch_of(s).view(), step);
    const std::string what = "step " + std::to_string(s);
    check_close(loss.data, losses[s][0], loss_bound(losses[s][0], s), what + ", loss of the pixels");
    check_close(loss.penalty, losses[s][1], loss_bound(losses[s][1], s), what + ", penalty");
  }
  const imgsim::step_loss evaluated = network.evaluate(batch_of(steps).view());
  const json expected = recorded.value("evaluated");
  check_close(evaluated.data, expected[0], loss_bound(expected[0], steps), "inference, loss of the pixels");
  check_close(evaluated.penalty, expected[1], loss_bound(expected[1], steps), "inference, penalty");

  const std::vector<named_tensor> state = network.state();
  const std::vector<named_tensor> last = recorded.state("last/");
  BOOST_REQUIRE(state.size() == last.size());
  for (const named_tensor& tensor : last) {
    const auto found = std::ranges::find(state, tensor.name, &named_tensor::name);
    BOOST_REQUIRE((found != state.end()));
    BOOST_TEST_REQUIRE(found->shape == tensor.shape, boost::test_tools::per_element());
    double worst = 0.0;
    for (std::size_t i = 0; i < tensor.values.size(); ++i)
      worst = std::max(worst, std::abs(static_cast<double>(found->values[i]) - tensor.values[i]));
    check_close(worst, 0.0, weight_error_per_step * static_cast<double>(steps), tensor.name);
  }
}

BOOST_AUTO_TEST_SUITE_END()
