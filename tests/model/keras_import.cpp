#include <imgsim/model/keras_import.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <fstream>
#include <numeric>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <boost/test/unit_test.hpp>

#include <imgsim/cpu/context.hpp>
#include <imgsim/cpu/network.hpp>
#include <imgsim/embedding/npy.hpp>
#include <imgsim/model/encoder.hpp>
#include <imgsim/model/photo_source.hpp>
#include <model/keras_writer.hpp>
#include <support/reason.hpp>
#include <support/temporary_folder.hpp>
#include <support/test_data.hpp>

namespace {

using imgsim_test::keras_writer;
using nlohmann::json;

json layer(const std::string& kind, const std::string& name, json config = json::object()) {
  config["name"] = name;
  return {{"class_name", kind}, {"config", config}, {"name", name}};
}

json input(std::vector<std::size_t> extents) {
  json shape = json::array({nullptr});
  for (const std::size_t extent : extents) shape.push_back(extent);
  return layer("InputLayer", "in", {{"batch_input_shape", shape}});
}

json sequential(const json& layers) {
  return layer("Sequential", "model", {{"layers", layers}});
}

json conv(const std::string& kind, const std::string& name, std::size_t filters, std::size_t stride,
          const char* activation) {
  return layer(kind, name,
               {{"filters", filters},
                {"kernel_size", {3, 3}},
                {"strides", {stride, stride}},
                {"padding", "same"},
                {"activation", activation}});
}

/// As it would come from a file, where counts are unsigned numbers.
imgsim::keras::imported_chain import_text(const json& model) {
  return imgsim::keras::import_chain(json::parse(model.dump()));
}

/// The reason for which a model of these layers is refused.
std::string refusal(const json& layers) {
  try {
    std::ignore = import_text(sequential(layers));
  } catch (const imgsim::invalid_argument& reason) {
    return reason.what();
  }
  return "";
}

/// Photos named 0.jpg, 1.jpg, ... in the order of their numbers, encoded.
imgsim::tensor<float, 2> encode_numbered(const imgsim::model_file& model, std::size_t count) {
  const imgsim::cpu_context cpu;
  imgsim::photo_encoder encoder(cpu, model);
  std::vector<std::string> paths;
  for (std::size_t i = 0; i < count; ++i) paths.push_back(std::to_string(i) + ".jpg");
  imgsim::photo_loader loader(imgsim_test::data_folder() / "animals256", paths, {.height = 256, .width = 256});
  imgsim::tensor<float, 2> encodings({count, encoder.dimension()});
  std::size_t done = 0;
  while (const auto batch = loader.next()) {
    BOOST_REQUIRE(batch->skipped.empty());
    encoder.encode(batch->pixels.view(), encodings.view().slice(done, batch->rows.size()));
    done += batch->rows.size();
  }
  return encodings;
}

imgsim::model_file import_seed(const char* name) {
  return imgsim::import_keras(imgsim_test::data_folder() / "keras_seed" / name);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(keras_import)

BOOST_AUTO_TEST_CASE(the_published_autoencoder_has_the_presets_layers, *imgsim_test::needs_data("keras_seed")) {
  const imgsim::model_file model = import_seed("trained_autoencoder.h5");
  BOOST_TEST(model.description.encoder.size() == 9u);
  BOOST_TEST(model.description.decoder.size() == 11u);
  BOOST_TEST(model.description.encoder.back().name == "encoder");
  BOOST_TEST(model.description.kernel_l2 == 0.01);
  BOOST_TEST((model.description.loss == imgsim::loss_kind::binary_cross_entropy));
  BOOST_TEST(model.embedding.dimension() == 4096u);
  BOOST_TEST(model.metadata.at("keras_version") == "2.4.0");
}

BOOST_AUTO_TEST_CASE(encodings_equal_keras,
                     *imgsim_test::needs_data("keras_seed") * imgsim_test::needs_data("animals256")) {
  const auto expected = imgsim::read_npy<float>(imgsim_test::data_folder() / "keras_seed" / "encodings_first64.npy");
  for (const char* name : {"trained_autoencoder.h5", "trained_encoder.h5"}) {
    BOOST_TEST_CONTEXT(name) {
      const auto encodings = encode_numbered(import_seed(name), 64);
      BOOST_REQUIRE((encodings.extents() == expected.extents()));
      float largest = 0.0F;
      float difference = 0.0F;
      for (std::size_t i = 0; i < expected.size(); ++i) {
        largest = std::max(largest, std::abs(expected.data()[i]));
        difference = std::max(difference, std::abs(expected.data()[i] - encodings.data()[i]));
      }
      BOOST_TEST_MESSAGE(name << ": " << difference / largest << " relative");
      BOOST_TEST(difference <= 1e-4F * largest);
    }
  }
}

BOOST_AUTO_TEST_CASE(nearest_photos_equal_keras,
                     *imgsim_test::needs_data("keras_seed") * imgsim_test::needs_data("animals256")) {
  constexpr std::size_t kPhotos = 4738;
  const auto encodings = encode_numbered(import_seed("trained_encoder.h5"), kPhotos);
  std::ifstream file(imgsim_test::data_folder() / "keras_seed" / "nearest_10_of_46_and_397.json");
  const json expected = json::parse(file);
  const auto cosine = [&](std::size_t a, std::size_t b) {
    double product = 0.0, squares_a = 0.0, squares_b = 0.0;
    for (std::size_t j = 0; j < encodings.extent(1); ++j) {
      const double x = encodings(a, j), y = encodings(b, j);
      product += x * y;
      squares_a += x * x;
      squares_b += y * y;
    }
    return product / std::sqrt(squares_a * squares_b);
  };
  for (const std::size_t query : {46, 397}) {
    std::vector<double> similarity(kPhotos);
    for (std::size_t i = 0; i < kPhotos; ++i) similarity[i] = cosine(query, i);
    std::vector<std::size_t> order(kPhotos);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return similarity[a] > similarity[b]; });
    const auto nearest = expected.at(std::to_string(query)).get<std::vector<std::size_t>>();
    order.resize(nearest.size());
    BOOST_TEST(order == nearest, boost::test_tools::per_element());
  }
}

BOOST_AUTO_TEST_CASE(a_model_of_models_with_dense_code_and_batch_norm) {
  const imgsim_test::temporary_folder folder;
  const auto path = folder.path() / "nested.h5";
  {
    keras_writer file(path);
    const json encoder = {
        {"class_name", "Functional"},
        {"name", "first"},
        {"config",
         {{"name", "first"},
          {"layers",
           {input({8, 8, 3}), conv("Conv2D", "down", 4, 2, "linear"), layer("LeakyReLU", "leaky", {{"alpha", 0.2}}),
            layer("BatchNormalization", "norm",
                  {{"axis", {3}}, {"momentum", 0.9}, {"epsilon", 0.01}, {"scale", false}}),
            layer("Dropout", "drop"), layer("Flatten", "flat"), layer("Dense", "latent", {{"units", 5}})}}}}};
    json nested = encoder;
    std::string before;
    for (json& item : nested["config"]["layers"]) {
      item["inbound_nodes"] = json::array();
      if (!before.empty()) item["inbound_nodes"].push_back(json::array({json::array({before, 0, 0, json::object()})}));
      before = item["name"];
    }
    const json decoder = sequential({layer("Dense", "wide", {{"units", 64}, {"activation", "relu"}}),
                                     layer("Reshape", "image", {{"target_shape", {4, 4, 4}}}),
                                     conv("Conv2DTranspose", "up", 3, 2, "sigmoid")});
    json second = decoder;
    second["config"]["name"] = "second";
    file.config(sequential({nested, second}));
    file.loss("mse");
    file.layer("first", {{"down/kernel:0", {3, 3, 3, 4}},
                         {"down/bias:0", {4}},
                         {"norm/beta:0", {4}},
                         {"norm/moving_mean:0", {4}},
                         {"norm/moving_variance:0", {4}},
                         {"latent/kernel:0", {64, 5}},
                         {"latent/bias:0", {5}}});
    file.layer("second",
               {{"wide/kernel:0", {5, 64}}, {"wide/bias:0", {64}}, {"up/kernel:0", {3, 3, 3, 4}}, {"up/bias:0", {3}}});
  }
  const imgsim::model_file model = imgsim::import_keras(path);
  const imgsim::architecture& description = model.description;
  BOOST_TEST(description.height == 8u);
  BOOST_REQUIRE(description.encoder.size() == 5u);
  BOOST_TEST((description.encoder[1].operation == imgsim::layer_operation(imgsim::leaky_relu{0.2})));
  BOOST_TEST((description.encoder[2].operation == imgsim::layer_operation(imgsim::batch_normalization{0.9, 0.01})));
  BOOST_TEST(description.encoder[4].name == "latent");
  BOOST_TEST(description.decoder.size() == 5u);
  BOOST_TEST((description.loss == imgsim::loss_kind::mean_squared_error));
  BOOST_TEST(model.embedding.dimension() == 5u);
  const auto values = [&](const std::string& name) {
    return std::ranges::find(model.state, name, &imgsim::named_tensor::name)->values;
  };
  BOOST_TEST(values("encoder.2.gamma") == std::vector<float>(4, 1.0F), boost::test_tools::per_element());
  BOOST_TEST(values("encoder.2.beta") == (std::vector<float>{1, 2, 3, 4}), boost::test_tools::per_element());
  BOOST_TEST(values("decoder.3.kernel").size() == 108u);

  const imgsim::cpu_context cpu(1);
  imgsim::photo_encoder encoder(cpu, imgsim::import_keras(path));
  BOOST_TEST(encoder.dimension() == 5u);
}

BOOST_AUTO_TEST_CASE(an_encoder_alone_encodes_and_does_not_train) {
  const imgsim_test::temporary_folder folder;
  const auto path = folder.path() / "encoder.h5";
  {
    keras_writer file(path);
    file.config(sequential({input({4, 4, 3}), conv("Conv2D", "a", 2, 2, "relu")}));
    file.layer("a", {{"a/kernel:0", {3, 3, 3, 2}}, {"a/bias:0", {2}}});
  }
  imgsim::write_model(folder.path() / "m.safetensors", imgsim::import_keras(path));
  const imgsim::model_file model = imgsim::read_model(folder.path() / "m.safetensors");
  BOOST_TEST(model.description.decoder.empty());
  const imgsim::cpu_context cpu(1);
  imgsim::autoencoder network(cpu, model.description, imgsim::precision::float32, 0);
  network.load_state(model.state);
  imgsim::tensor<std::uint8_t, 4> photos({1, 4, 4, 3});
  imgsim::tensor<float, 2> features({1, network.feature_size()});
  network.encode(photos.view(), features.view());
  BOOST_TEST(features(0, 0) == 1.0F);  // the bias
  BOOST_CHECK_THROW(network.train_step(photos.view(), {}), imgsim::invalid_argument);
  BOOST_CHECK_THROW(std::ignore = network.evaluate(photos.view()), imgsim::invalid_argument);
}

BOOST_AUTO_TEST_CASE(layers_that_cannot_be_represented_are_refused_by_name) {
  const auto changed = [](const char* field, const json& value) {
    json item = conv("Conv2D", "odd", 4, 1, "relu");
    item["config"][field] = value;
    return json{input({8, 8, 3}), item};
  };
  const std::pair<json, const char*> table[] = {
      {{input({8, 8, 3}), layer("LSTM", "odd")}, "kind"},
      {changed("activation", "swish"), "swish"},
      {changed("activation", json::object()), "activation"},
      {changed("dilation_rate", {2, 2}), "dilated"},
      {changed("groups", 2), "grouped"},
      {changed("data_format", "channels_first"), "channels first"},
      {changed("padding", "causal"), "causal"},
      {changed("filters", -1), "filters"},
      {changed("filters", nullptr), "filters"},
      {changed("strides", {1, 2, 3}), "strides"},
      {{input({8, 8, 3}), layer("UpSampling2D", "odd", {{"interpolation", "lanczos3"}})}, "lanczos3"},
      {{input({8, 8, 3}), layer("ReLU", "odd", {{"max_value", 6.0}})}, "max"},
      {{input({8, 8, 3}), layer("BatchNormalization", "odd", {{"axis", {1}}})}, "channels"},
      {{input({8, 8, 3}), layer("Reshape", "odd", {{"target_shape", {-1, 4}}})}, "target_shape"},
      {json::array({layer("InputLayer", "odd", {{"batch_input_shape", {nullptr, nullptr, nullptr, 3}}})}),
       "fixed size"}};
  for (const auto& [layers, reason] : table) {
    BOOST_TEST_CONTEXT(layers.dump()) {
      const std::string text = refusal(layers);
      BOOST_TEST(text.find("'odd'") != std::string::npos, text);
      BOOST_TEST(text.find(reason) != std::string::npos, text);
    }
  }
  BOOST_TEST(refusal(json::array()) != "");
  BOOST_TEST(refusal(json::array({conv("Conv2D", "a", 4, 1, "relu")})) != "");
  BOOST_CHECK_THROW(std::ignore = imgsim::keras::import_chain(json()), imgsim::invalid_argument);
  BOOST_CHECK_THROW(std::ignore = imgsim::keras::import_chain({{"class_name", 3}}), imgsim::invalid_argument);
}

BOOST_AUTO_TEST_CASE(branches_are_refused) {
  json model = {
      {"class_name", "Functional"},
      {"config",
       {{"name", "m"},
        {"layers", {input({8, 8, 3}), conv("Conv2D", "a", 3, 1, "relu"), conv("Conv2D", "b", 3, 1, "relu")}}}}};
  const auto feed = [&](std::size_t at, const std::vector<std::string>& from) {
    json node = json::array();
    for (const std::string& name : from) node.push_back({name, 0, 0, json::object()});
    model["config"]["layers"][at]["inbound_nodes"] = json::array({node});
  };
  feed(1, {"in"});
  feed(2, {"a"});
  BOOST_TEST(import_text(model).layers.size() == 4u);
  feed(2, {"in"});
  BOOST_CHECK_THROW(std::ignore = import_text(model), imgsim::invalid_argument);
  feed(2, {"a", "in"});
  BOOST_CHECK_THROW(std::ignore = import_text(model), imgsim::invalid_argument);
}

BOOST_AUTO_TEST_CASE(damaged_files_are_refused) {
  const imgsim_test::temporary_folder folder;
  const auto path = folder.path() / "x.h5";
  const json config = sequential({input({4, 4, 3}), conv("Conv2D", "a", 2, 1, "relu")});
  const auto refused = [&](const char* reason, const auto& write) {
    BOOST_TEST_CONTEXT(reason) {
      write();
      const std::string text = imgsim_test::reason_of([&] { std::ignore = imgsim::import_keras(path); });
      BOOST_TEST(text.find(reason) != std::string::npos, text);
    }
  };
  refused("cannot be opened", [&] {});
  refused("no HDF5", [&] { std::ofstream(path) << "hello"; });
  refused("model_config", [&] { keras_writer file(path); });
  refused("not valid JSON", [&] { keras_writer(path).text("/", "model_config", "{"); });
  refused("missing", [&] { keras_writer(path).config(config); });
  refused("no weights named 'bias'", [&] {
    keras_writer file(path);
    file.config(config);
    file.layer("a", {{"a/kernel:0", {3, 3, 3, 2}}});
  });
  refused("another shape", [&] {
    keras_writer file(path);
    file.config(config);
    file.layer("a", {{"a/kernel:0", {3, 3, 2, 2}}, {"a/bias:0", {2}}});
  });
  refused("is a link", [&] {
    keras_writer file(path);
    file.config(config);
    H5Lcreate_external("/etc/passwd", "/", file.id(), "/model_weights/a", H5P_DEFAULT, H5P_DEFAULT);
  });
  refused("channels", [&] {
    keras_writer file(path);
    file.config(sequential({input({4, 4, 1}), conv("Conv2D", "a", 2, 1, "relu")}));
  });
}

BOOST_AUTO_TEST_CASE(a_file_that_nobody_vouches_for_is_read_alike) {
  const imgsim_test::temporary_folder folder;
  const auto path = folder.path() / "x.h5";
  const auto reasons = [&] {
    return std::pair(imgsim_test::reason_of([&] { std::ignore = imgsim::import_keras(path); }),
                     imgsim_test::reason_of([&] { std::ignore = imgsim::import_untrusted_keras(path); }));
  };
  BOOST_TEST((reasons().first == reasons().second && !reasons().first.empty()));
  {
    keras_writer file(path);
    file.config(sequential({input({4, 4, 3}), conv("Conv2D", "a", 2, 1, "relu")}));
  }
  BOOST_TEST((reasons().first == reasons().second && !reasons().first.empty()));
  keras_writer(path).config(sequential({input({4, 4, 1}), conv("Conv2D", "a", 2, 1, "relu")}));
  BOOST_TEST((reasons().first == reasons().second && !reasons().first.empty()));
  {
    keras_writer file(path);
    file.config(sequential({input({4, 4, 3}), conv("Conv2D", "a", 2, 1, "relu")}));
    file.layer("a", {{"a/kernel:0", {3, 3, 3, 2}}, {"a/bias:0", {2}}});
  }
  const auto bytes = [](const imgsim::model_file& model) {
    return imgsim::to_safetensors(imgsim::to_tensor_file(model));
  };
  BOOST_TEST((bytes(imgsim::import_untrusted_keras(path)) == bytes(imgsim::import_keras(path))));
}

BOOST_AUTO_TEST_CASE(truncated_files_are_refused, *imgsim_test::needs_data("keras_seed")) {
  const auto bytes = imgsim::read_file(imgsim_test::data_folder() / "keras_seed" / "trained_encoder.h5", 1u << 24);
  const imgsim_test::temporary_folder folder;
  const auto path = folder.path() / "x.h5";
  for (const std::size_t parts : {0, 1, 3, 7}) {
    imgsim::write_file(path, std::span(bytes).first(bytes.size() * parts / 8));
    BOOST_CHECK_THROW(std::ignore = imgsim::import_keras(path), imgsim::io_error);
  }
}

BOOST_AUTO_TEST_SUITE_END()
