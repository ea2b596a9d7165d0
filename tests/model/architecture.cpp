// Architectures as data: presets, JSON both ways, and the complaints about those that do not fit.
#include <functional>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include <imgsim/model/network_plan.hpp>
#include <imgsim/model/presets.hpp>

namespace {

using namespace imgsim;

std::string complaint(const std::function<void()>& f) {
  try {
    f();
  } catch (const invalid_argument& e) {
    return e.what();
  }
  return "(no complaint)";
}

architecture every_layer() {
  architecture a{.name = "every layer", .height = 8, .width = 8};
  a.encoder = {{convolution{4, {3, 2}, {2, 1}, padding_kind::valid, false}, "first"},
               {transposed_convolution{5, {1, 1}}},
               {max_pooling{{2, 3}, {1, 2}, padding_kind::same}},
               {upsampling{{2, 1}, interpolation_kind::bilinear}},
               {relu{}},
               {leaky_relu{0.25}},
               {sigmoid{}},
               {batch_normalization{0.5, 1e-4}},
               {generalised_mean_pooling{2.5, 2}},
               {flatten{}}};
  a.decoder = {{dense{8 * 8 * 3, false}}, {reshape{8, 8, 3}}};
  a.loss = loss_kind::binary_cross_entropy;
  a.kernel_l2 = 0.125;
  a.training = {7, 9, 0.25, cosine_schedule{.warm_up = 2}, {{0.5, 0.25, 10, 0.2, 0.1}, 0.3, 0.05, 0.99}};
  a.embedding = {.taps = {{"first", pool_kind::mean, 3.0, 2}, {"code", pool_kind::generalised_mean, 4.0, 1}},
                 .statistics = {photo_statistic::colour, photo_statistic::edges},
                 .centre = true,
                 .whiten = 12,
                 .shrinkage = 0.5,
                 .sampling_noise = 1.5,
                 .normalise = true,
                 .mirror = true};
  return a;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(architectures)

BOOST_AUTO_TEST_CASE(json_round_trip) {
  BOOST_TEST((parse_architecture(to_json(every_layer())) == every_layer()));
  for (const std::string_view name : preset_names()) {
    const architecture a = preset(name);
    BOOST_TEST(a.name == name);
    BOOST_TEST((parse_architecture(nlohmann::json::parse(to_json(a).dump())) == a));
    BOOST_TEST(plan_network(a).feature_size > 0);
  }
}

BOOST_AUTO_TEST_CASE(json_takes_defaults_and_square_extents) {
  const auto a = parse_architecture(nlohmann::json::parse(R"({"input": [4, 4, 3],
    "encoder": [{"type": "convolution", "filters": 2, "kernel": 5}], "decoder": [{"type": "convolution", "filters": 3}]})"));
  const auto& c = std::get<convolution>(a.encoder[0].operation);
  BOOST_TEST((c.kernel == extent_2d{5, 5}));
  BOOST_TEST((c.stride == extent_2d{1, 1}));
  BOOST_TEST(c.bias);
  BOOST_TEST(a.embedding.taps.size() == 1u);
}

BOOST_AUTO_TEST_CASE(bad_json_is_named) {
  const auto spoiled = [](const std::function<void(nlohmann::json&)>& spoil) {
    nlohmann::json json = to_json(every_layer());
    spoil(json);
    return complaint([&] { (void)parse_architecture(json); });
  };
  using json = nlohmann::json;
  BOOST_TEST(spoiled([](json& j) { j = 3; }) == "architecture: an object is needed");
  BOOST_TEST(spoiled([](json& j) { j.erase("encoder"); }) == "encoder: missing");
  BOOST_TEST(spoiled([](json& j) { j["input"] = {8, 8}; }) == "input: [height, width, channels] is needed");
  BOOST_TEST(spoiled([](json& j) { j["input"][1] = -8; }) ==
             "input[1]: a whole number from 0 to 4294967295 is needed, not -8");
  BOOST_TEST(spoiled([](json& j) { j["encoder"][0].erase("filters"); }) == "encoder[0].filters: missing");
  BOOST_TEST(spoiled([](json& j) { j["encoder"][0]["kernel"] = {1, 2, 3}; }) ==
             "encoder[0].kernel: [height, width] or one number is needed, not [1,2,3]");
  BOOST_TEST(spoiled([](json& j) { j["encoder"][0]["padding"] = "full"; }) ==
             "encoder[0].padding: 'full' is none of same, valid");
  BOOST_TEST(spoiled([](json& j) { j["encoder"][0]["bias"] = 1; }) ==
             "encoder[0].bias: true or false is needed, not 1");
  BOOST_TEST(spoiled([](json& j) { j["encoder"][5]["slop"] = 1; }) == "encoder[5].slop: unknown field");
  BOOST_TEST(spoiled([](json& j) { j["encoder"][4] = "relu"; }) == "encoder[4]: an object is needed");
  BOOST_TEST(spoiled([](json& j) { j["decoder"][0]["type"] = "lstm"; }) == "decoder[0].type: there is no layer 'lstm'");
  BOOST_TEST(spoiled([](json& j) { j["loss"] = 5; }) == "loss: a string is needed, not 5");
  BOOST_TEST(spoiled([](json& j) { j["embedding"]["statistics"][1] = "faces"; }) ==
             "embedding.statistics[1]: 'faces' is none of edges, texture, colour");
  BOOST_TEST(spoiled([](json& j) { j["embedding"]["taps"][1]["pool"] = "max"; }) ==
             "embedding.taps[1].pool: 'max' is none of flat, mean, generalised_mean");
  BOOST_TEST(spoiled([](json& j) { j["training"]["epochs"] = 1.5; }) ==
             "training.epochs: a whole number from 0 to 4294967295 is needed, not 1.5");
  BOOST_TEST(spoiled([](json& j) { j["training"]["schedule"] = "sine"; }) ==
             "training.schedule: there is no schedule 'sine'; known are constant, cosine, step, exponential, plateau");
  BOOST_TEST(spoiled([](json& j) { j["training"]["augment"]["crops"] = 1; }) ==
             "training.augment.crops: unknown field");
  BOOST_TEST(spoiled([](json& j) { j["training"]["mask"] = "half"; }) ==
             "training.mask: a number is needed, not \"half\"");
  BOOST_TEST(spoiled([](json& j) { j["extra"] = 1; }) == "extra: unknown field");
}

BOOST_AUTO_TEST_CASE(what_is_off_in_training_is_not_written) {
  const nlohmann::json plain = to_json(preset("maxpool-16-8-4"))["training"];
  BOOST_TEST(plain == (nlohmann::json{{"epochs", 20}, {"batch", 32}, {"learning_rate", 0.001}}));
  BOOST_TEST(to_json(preset("default"))["training"]["epochs"] == 0);
}

BOOST_AUTO_TEST_CASE(layers_that_do_not_fit_are_named) {
  const auto changed = [](const std::function<void(architecture&)>& change) {
    architecture a = preset("maxpool-16-8-4", {.size = 32});
    change(a);
    return complaint([&] { (void)plan_network(a); });
  };
  BOOST_TEST(changed([](architecture&) {}) == "(no complaint)");
  BOOST_TEST(changed([](architecture& a) {
               a.height = 33;
             }).find("the decoder's output is [32, 32, 3], the photos are [33, 32, 3]") == 0u);
  BOOST_TEST(changed([](architecture& a) { a.height = 0; }) == "the input size of an architecture must be positive");
  BOOST_TEST(changed([](architecture& a) { a.height = 3; }) ==
             "encoder.5: a window of 2 x 2 does not fit an input of [1, 16, 8]");
  BOOST_TEST(changed([](architecture& a) {
               a.decoder.pop_back();
               a.decoder.pop_back();
             }).find("the decoder's output is [32, 32, 16]") == 0u);
  BOOST_TEST(changed([](architecture& a) { a.encoder[0] = {convolution{}}; }) == "encoder.0: filters must be positive");
  BOOST_TEST(changed([](architecture& a) { a.encoder[0] = {convolution{.filters = 1, .stride = {0, 1}}}; }) ==
             "encoder.0: window and stride must be positive");
  BOOST_TEST(changed([](architecture& a) { a.encoder[1] = {dense{4}}; }) ==
             "encoder.1: a dense layer needs a flat input, not [32, 32, 16]; put flatten before it");
  BOOST_TEST(changed([](architecture& a) { a.encoder[1] = {leaky_relu{1.5}}; }) ==
             "encoder.1: slope 1.5 is not between 0 and 1");
  BOOST_TEST(changed([](architecture& a) { a.decoder[1] = {reshape{1, 2, 3}}; }) ==
             "decoder.1: [4, 4, 4] cannot be reshaped to [1, 2, 3]");
  BOOST_TEST(changed([](architecture& a) { a.decoder[1] = {upsampling{{40000, 40000}}}; }) ==
             "decoder.1: an output of [160000, 160000, 4] is too large");
  BOOST_TEST(changed([](architecture& a) { a.encoder.clear(); }) == "an architecture needs an encoder");
  BOOST_TEST(changed([](architecture& a) { a.kernel_l2 = -1; }) == "kernel_l2 must be >= 0");
  BOOST_TEST(changed([](architecture& a) { a.embedding.taps = {{.layer = "level_9"}}; }) ==
             "tap 'level_9' names no layer of the encoder");
  BOOST_TEST(changed([](architecture& a) { a.embedding.taps = {{.pool = pool_kind::mean, .grid = 5}}; }) ==
             "tap 'code': a grid of 5 does not fit a layer of [4, 4, 4]");
  BOOST_TEST(changed([](architecture& a) { a.embedding.taps.clear(); }) == "an embedding needs at least one tap");
  BOOST_TEST(changed([](architecture& a) {
               a.embedding.whiten = 8;
               a.embedding.statistics = {photo_statistic::texture, photo_statistic::texture};
             }) == "the statistic texture is in the embedding twice");
  BOOST_TEST(changed([](architecture& a) { a.embedding.statistics = {photo_statistic::texture}; }) ==
             "an embedding with photo statistics needs whitening: whiten must be above 0");
}

BOOST_AUTO_TEST_CASE(presets_have_their_published_shapes) {
  const network_plan maxpool = plan_network(preset("maxpool-16-8-4"));
  BOOST_TEST(maxpool.feature_size == 4096u);
  BOOST_TEST((maxpool.layers[maxpool.encoder_layers - 1].out == feature_shape{32, 32, 4}));
  BOOST_TEST(maxpool.trained_size() == 3947u);
  BOOST_TEST(plan_network(preset("strided-dense-16")).feature_size == 16u);
  BOOST_TEST(plan_network(preset("conv-transpose", {.latent = 33})).feature_size == 33u);
  BOOST_TEST((plan_network(preset("default", {.size = 64})).input == feature_shape{64, 64, 3}));
  BOOST_TEST(complaint([] { (void)preset("vgg"); }) ==
             "there is no preset 'vgg'; known are default, maxpool-16-8-4, strided-dense-16, conv-transpose");
  BOOST_TEST(complaint([] { (void)preset("default", {.size = 100}); }) ==
             "preset default needs a size from 32 on that is a multiple of 16, not 100");
  BOOST_TEST(complaint([] { (void)preset("default", {.latent = 5}); }) ==
             "preset default has no latent size to choose");
  BOOST_TEST(complaint([] { (void)preset("conv-transpose", {.latent = 0}); }) ==
             "preset conv-transpose needs a latent size above 0");
}

BOOST_AUTO_TEST_SUITE_END()
