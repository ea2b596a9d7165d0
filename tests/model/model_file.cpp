#include <imgsim/model/model_file.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <limits>
#include <string>
#include <tuple>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <imgsim/core/random.hpp>
#include <imgsim/cpu/context.hpp>
#include <imgsim/cpu/network.hpp>
#include <imgsim/embedding/fit_embedding.hpp>
#include <imgsim/model/encoder.hpp>
#include <imgsim/model/presets.hpp>
#include <support/reason.hpp>
#include <support/temporary_folder.hpp>

BOOST_AUTO_TEST_SUITE(model_file)

namespace {

imgsim::architecture tiny() {
  imgsim::architecture description{.name = "tiny", .height = 8, .width = 12};
  description.encoder = {{imgsim::convolution{.filters = 4, .stride = {2, 2}}, "down"}, {imgsim::relu{}}};
  description.decoder = {{imgsim::transposed_convolution{.filters = 3, .stride = {2, 2}}}, {imgsim::sigmoid{}}};
  description.embedding.centre = true;
  description.embedding.whiten = 3;
  description.embedding.normalise = true;
  return description;
}

imgsim::tensor<std::uint8_t, 4> photos(std::size_t count, std::uint64_t seed) {
  imgsim::tensor<std::uint8_t, 4> pixels({count, 8, 12, 3});
  imgsim::random_stream random(seed);
  for (std::uint8_t& value : pixels) value = static_cast<std::uint8_t>(random.below(256));
  return pixels;
}

/// A model of random weights whose embedding is fitted to a few photos.
imgsim::model_file sample() {
  const imgsim::cpu_context cpu(1);
  imgsim::autoencoder network(cpu, tiny(), imgsim::precision::float32, 3);
  const auto pixels = photos(20, 1);
  imgsim::tensor<float, 2> features({20, network.feature_size()});
  network.encode(pixels.view(), features.view());
  return {.description = tiny(),
          .state = network.state(),
          .embedding = imgsim::fit_embedding(cpu, features.view(), tiny().embedding),
          .metadata = {{"preset", "tiny"}, {"seed", "3"}, {"photos", "20"}}};
}

/// With every statistic, and weights of one kind of photos or two.
imgsim::model_file sample_of_parts(std::size_t kinds) {
  imgsim::model_file model = sample();
  model.description.embedding.statistics = {imgsim::photo_statistic::colour, imgsim::photo_statistic::edges,
                                            imgsim::photo_statistic::texture};
  imgsim::random_stream random(kinds);
  const auto matrix = [&](std::size_t rows, std::size_t columns) {
    imgsim::tensor<float, 2> out({rows, columns});
    for (float& value : out) value = static_cast<float>(std::abs(random.normal()));
    return out;
  };
  for (const imgsim::photo_statistic statistic : model.description.embedding.statistics) {
    const std::size_t width = imgsim::entry_of(statistic).width;
    model.embedding.parts.push_back(
        {.raw = width, .mean = std::vector<float>(width, 0.1F), .projection = matrix(6, width)});
  }
  model.embedding.weighting.weights = imgsim::tensor<float, 2>({kinds, 4});
  std::ranges::fill(model.embedding.weighting.weights, 0.25F);
  if (kinds > 1) {
    model.embedding.weighting.centres = matrix(kinds, model.embedding.dimension());
    for (std::size_t g = 0; g < kinds; ++g)
      imgsim::detail::scale_to_length(model.embedding.weighting.centres.view().row(g), model.embedding.dimension(),
                                      1.0);
  }
  return model;
}

bool same_bytes(const imgsim::tensor<float, 2>& a, const imgsim::tensor<float, 2>& b) {
  return a.extents() == b.extents() && std::equal(a.begin(), a.end(), b.begin());
}
bool same_bytes(const imgsim::embedding_transform& a, const imgsim::embedding_transform& b) {
  return a.normalise == b.normalise && same_bytes(a.weighting.centres, b.weighting.centres) &&
         same_bytes(a.weighting.weights, b.weighting.weights) &&
         std::ranges::equal(a.parts, b.parts, [](const auto& one, const auto& other) {
           return one.raw == other.raw && one.mean == other.mean && same_bytes(one.projection, other.projection);
         });
}

}  // namespace

BOOST_AUTO_TEST_CASE(reads_back_bit_for_bit) {
  const imgsim_test::temporary_folder folder;
  const auto path = folder.path() / "m.safetensors";
  const imgsim::model_file model = sample();
  imgsim::write_model(path, model);
  const imgsim::model_file back = imgsim::read_model(path);
  BOOST_TEST((back.description == model.description));
  BOOST_TEST((back.state == model.state));
  BOOST_TEST(back.embedding.dimension() == 3u);
  BOOST_TEST(same_bytes(back.embedding, model.embedding));
  BOOST_TEST(back.embedding.normalise);
  BOOST_TEST(back.metadata.at("preset") == "tiny");
  BOOST_TEST(back.metadata.at("imgsim_version") == imgsim::version);
  BOOST_TEST(!back.metadata.contains("architecture"));

  imgsim::write_model(folder.path() / "again.safetensors", back);
  BOOST_TEST(imgsim::model_hash(path) == imgsim::model_hash(folder.path() / "again.safetensors"));
  BOOST_TEST(imgsim::model_hash(path).size() == 32u);
}

BOOST_AUTO_TEST_CASE(reads_back_parts_and_their_weights) {
  const imgsim_test::temporary_folder folder;
  const auto path = folder.path() / "m.safetensors";
  for (const std::size_t kinds : {0u, 1u, 2u}) {
    imgsim::model_file model = sample_of_parts(std::max<std::size_t>(kinds, 1));
    if (kinds == 0) model.embedding.weighting.weights = {};  // joined as they are
    imgsim::write_model(path, model);
    const imgsim::model_file back = imgsim::read_model(path);
    BOOST_TEST((back.description == model.description));
    BOOST_TEST(same_bytes(back.embedding, model.embedding));

    const auto pixels = photos(5, 2);
    imgsim::photo_encoder encoder(imgsim::cpu_context(2), back);
    imgsim::tensor<float, 2> all({5, encoder.dimension()}), again({5, encoder.dimension()});
    encoder.encode(pixels.view(), all.view());
    imgsim::photo_encoder(imgsim::cpu_context(1), model).encode(pixels.view(), again.view());
    BOOST_TEST(std::memcmp(all.data(), again.data(), all.size() * sizeof(float)) == 0);
  }
}

BOOST_AUTO_TEST_CASE(parts_that_do_not_fit_are_refused_with_a_reason) {
  imgsim::tensor_file good = imgsim::to_tensor_file(sample_of_parts(2));
  good.metadata.erase("tensor_hash");
  BOOST_REQUIRE_NO_THROW(std::ignore = imgsim::to_model(good));
  using tensor = imgsim::named_tensor;
  const struct {
    const char* name;
    const char* reason;
    std::function<void(tensor&)> damage;
  } table[] = {
      {"embedding.weights", "embedding.weights", [](tensor& t) { t.shape = {4, 2}; }},
      {"embedding.weights", "do not fit 2 kinds of 4 parts", [](tensor& t) { t.shape = {1, 4}, t.values.resize(4); }},
      {"embedding.weights", "do not fit 2 kinds of 4 parts", [](tensor& t) { t.name = "elsewhere"; }},
      {"embedding.weights", "a weight of -0.5", [](tensor& t) { t.values[3] = -0.5F; }},
      {"embedding.weights", "not to 1", [](tensor& t) { t.values[3] = 0.5F; }},
      {"embedding.weights", "not finite", [](tensor& t) { t.values[3] = INFINITY; }},
      {"embedding.kinds", "do not fit 1 kinds of 4 parts", [](tensor& t) { t.name = "elsewhere"; }},
      {"embedding.kinds", "embedding.kinds",
       [](tensor& t) { t.shape[1] -= 1, t.values.resize(t.shape[0] * t.shape[1]); }},
      {"embedding.kinds", "has length", [](tensor& t) { t.values[2] = 2.0F; }},
      {"embedding.colour.mean", "embedding.colour.mean", [](tensor& t) { t.shape = {3}, t.values.resize(3); }},
      {"embedding.edges.projection", "embedding.edges.projection",
       [](tensor& t) { std::swap(t.shape[0], t.shape[1]); }},
      {"embedding.edges.projection", "embedding.kinds",
       [](tensor& t) { t.shape[0] -= 1, t.values.resize(t.shape[0] * t.shape[1]); }},
  };
  for (const auto& row : table) {
    BOOST_TEST_CONTEXT(row.name << ": " << row.reason) {
      imgsim::tensor_file damaged = good;
      row.damage(*std::ranges::find(damaged.tensors, row.name, &tensor::name));
      const std::string text = imgsim_test::complaint_of([&] { std::ignore = imgsim::to_model(damaged); });
      BOOST_TEST(text.find(row.reason) != std::string::npos, text);
    }
  }
}

BOOST_AUTO_TEST_CASE(an_embedding_does_not_depend_on_the_batch_or_the_threads) {
  const auto pixels = photos(37, 2);
  const imgsim::cpu_context two(2);
  imgsim::photo_encoder encoder(two, sample());
  BOOST_TEST(encoder.dimension() == 3u);
  imgsim::tensor<float, 2> all({37, 3});
  encoder.encode(pixels.view(), all.view());
  const imgsim::cpu_context one(1);
  imgsim::photo_encoder other(one, sample());
  for (std::size_t i = 0; i < 37; ++i) {
    imgsim::tensor<float, 2> alone({1, 3});
    other.encode(pixels.view().slice(i, 1), alone.view());
    BOOST_TEST(std::memcmp(alone.data(), all.view().row(i), 3 * sizeof(float)) == 0);
    double squares = 0.0;
    for (const float value : alone) squares += static_cast<double>(value) * value;
    BOOST_TEST(std::abs(squares - 1.0) <= 8.0 * std::numeric_limits<float>::epsilon());
  }
  imgsim::tensor<float, 2> none({0, 3});
  encoder.encode(pixels.view().slice(0, 0), none.view());
}

BOOST_AUTO_TEST_CASE(an_embedding_of_both_sides_is_that_of_the_mirror_image) {
  const auto pixels = photos(5, 2);
  imgsim::tensor<std::uint8_t, 4> turned({5, 8, 12, 3});
  std::ranges::copy(pixels, turned.begin());
  for (std::size_t i = 0; i < 5; ++i) imgsim::mirror(imgsim::photo_at(turned.view(), i));
  BOOST_TEST(turned.view()(3, 2, 0, 1) == pixels.view()(3, 2, 11, 1));
  const imgsim::cpu_context cpu(2);
  imgsim::model_file model = sample();
  const auto embeddings_of = [&](const imgsim::tensor<std::uint8_t, 4>& batch) {
    imgsim::photo_encoder encoder(cpu, model);
    imgsim::tensor<float, 2> embeddings({5, 3});
    encoder.encode(batch.view(), embeddings.view());
    return embeddings;
  };
  const auto upright = embeddings_of(pixels), of_turned = embeddings_of(turned);
  model.description.embedding.mirror = true;
  const auto both = embeddings_of(pixels), both_turned = embeddings_of(turned);
  BOOST_TEST(std::memcmp(both.data(), both_turned.data(), both.size() * sizeof(float)) == 0);
  for (std::size_t i = 0; i < 5; ++i) {
    BOOST_TEST(std::memcmp(upright.view().row(i), of_turned.view().row(i), 3 * sizeof(float)) != 0);
    std::vector<double> mean;
    double squares = 0.0;
    for (std::size_t d = 0; d < 3; ++d) {
      mean.push_back(0.5 * (static_cast<double>(upright(i, d)) + of_turned(i, d)));
      squares += mean[d] * mean[d];
    }
    // A rounding of the sum, of the squared length and its root, and of the product each.
    constexpr double kRounding = 8 * std::numeric_limits<float>::epsilon();
    for (std::size_t d = 0; d < 3; ++d)
      BOOST_TEST(std::abs(both(i, d) - mean[d] / std::sqrt(squares)) <= kRounding / std::sqrt(squares));
  }
}

BOOST_AUTO_TEST_CASE(damaged_and_foreign_files_are_refused_with_a_reason) {
  imgsim::tensor_file good = imgsim::to_tensor_file(sample());
  good.metadata.erase("tensor_hash");  // as other programs write files: each fault has a reason of its own
  BOOST_REQUIRE_NO_THROW(std::ignore = imgsim::to_model(good));
  const auto tensor = [](imgsim::tensor_file& file, const char* name) -> imgsim::named_tensor& {
    return *std::ranges::find(file.tensors, name, &imgsim::named_tensor::name);
  };
  using file = imgsim::tensor_file;
  const auto edit = [](file& f, const char* field, const std::vector<unsigned>& value) {
    nlohmann::json architecture = nlohmann::json::parse(f.metadata.at("architecture"));
    architecture[nlohmann::json::json_pointer(field)] = value;
    f.metadata["architecture"] = architecture.dump();
  };
  const struct {
    const char* reason;
    std::function<void(file&)> damage;
  } table[] = {
      {"no imgsim-model file", [](file& f) { f.metadata.clear(); }},
      {"no imgsim-model file", [](file& f) { f.metadata["format"] = "imgsim-checkpoint"; }},
      {"update imgsim", [](file& f) { f.metadata["format_version"] = "2"; }},
      {"format version", [](file& f) { f.metadata["format_version"] = "one"; }},
      {"format version", [](file& f) { f.metadata["format_version"] = "0"; }},
      {"'architecture'", [](file& f) { f.metadata.erase("architecture"); }},
      {"not valid JSON", [](file& f) { f.metadata["architecture"] = "{"; }},
      {"", [](file& f) { f.metadata["architecture"] = "{}"; }},
      {"", [](file& f) { f.metadata["architecture"] = "[1, 2]"; }},
      {"preprocessing", [&](file& f) { edit(f, "/input", {4294967295u, 4294967295u, 3u}); }},
      {"too large", [&](file& f) { edit(f, "/encoder/0/kernel", {4294967295u, 4294967295u}); }},
      {"'preprocessing'", [](file& f) { f.metadata.erase("preprocessing"); }},
      {"preprocessing", [](file& f) { f.metadata["preprocessing"] = R"({"resize":"crop"})"; }},
      {"embedding", [](file& f) { f.metadata["embedding"] = "{}"; }},
      {"embedding", [](file& f) { f.metadata["embedding"] = "3"; }},
      {"features", [](file& f) { f.metadata["embedding"] = R"({"raw":7,"normalise":true})"; }},
      {"embedding.mean", [&](file& f) { tensor(f, "embedding.mean").values.pop_back(); }},
      {"embedding.projection", [&](file& f) { tensor(f, "embedding.projection").shape = {96, 3}; }},
      {"'encoder.0.kernel' is missing", [](file& f) { f.tensors.erase(f.tensors.begin()); }},
      {"the network needs [", [&](file& f) { tensor(f, "encoder.0.bias").shape = {2, 2}; }},
      {"'extra' is no part of the network", [](file& f) { f.tensors.push_back({"extra", {1}, {0.0F}}); }},
      {"not finite", [&](file& f) { tensor(f, "encoder.0.bias").values[0] = std::nanf(""); }},
      {"not finite", [&](file& f) { tensor(f, "embedding.mean").values[0] = INFINITY; }},
  };
  for (const auto& row : table) {
    BOOST_TEST_CONTEXT(row.reason) {
      file damaged = good;
      row.damage(damaged);
      const std::string text = imgsim_test::complaint_of([&] { std::ignore = imgsim::to_model(damaged); });
      BOOST_TEST(text.find(row.reason) != std::string::npos, text);
    }
  }
  BOOST_CHECK_THROW(std::ignore = imgsim::read_model("/nowhere/m.safetensors"), imgsim::io_error);
}

BOOST_AUTO_TEST_CASE(every_flipped_bit_of_the_weights_is_noticed) {
  const imgsim_test::temporary_folder folder;
  const auto path = folder.path() / "m.safetensors";
  imgsim::write_model(path, sample());
  const std::vector<std::byte> good = imgsim::read_file(path, 1 << 20);
  std::uint64_t header = 0;
  std::memcpy(&header, good.data(), sizeof header);
  for (std::size_t at = sizeof header + header; at < good.size(); at += 7) {
    std::vector<std::byte> damaged = good;
    damaged[at] ^= std::byte{1};  // the number stays finite, except in an exponent
    imgsim::write_file(path, damaged);
    BOOST_TEST(imgsim_test::reason_of([&] { std::ignore = imgsim::read_model(path); }).find("checksum") !=
               std::string::npos);
  }
}

BOOST_AUTO_TEST_CASE(a_model_whose_parts_do_not_fit_is_not_written) {
  imgsim::model_file model = sample();
  model.embedding.parts[0].raw = 5;
  BOOST_CHECK_THROW(std::ignore = imgsim::to_tensor_file(model), imgsim::invalid_argument);
  model = sample_of_parts(2);
  model.embedding.weighting.weights(1, 2) = 3.0F;
  BOOST_CHECK_THROW(std::ignore = imgsim::to_tensor_file(model), imgsim::invalid_argument);
  model = sample_of_parts(1);
  model.embedding.parts[2].mean.pop_back();
  BOOST_CHECK_THROW(std::ignore = imgsim::to_tensor_file(model), imgsim::invalid_argument);
  model = sample();
  model.state.pop_back();
  BOOST_CHECK_THROW(std::ignore = imgsim::to_tensor_file(model), imgsim::invalid_argument);
}

BOOST_AUTO_TEST_SUITE_END()
