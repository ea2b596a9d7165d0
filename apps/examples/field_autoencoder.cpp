// The autoencoder on fields that are no photos: [B, C, H, W] floats of a simulation, with 64 channels.
//
// Each field is a mixture of three patterns, so that a code of eight numbers can hold it. The network is told as data
// (an architecture), trained for some steps, and its codes are searched: fields of one mixture find each other.
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <exception>
#include <vector>

#include <imgsim/core/mdspan.hpp>
#include <imgsim/core/random.hpp>
#include <imgsim/cpu/context.hpp>
#include <imgsim/cpu/network.hpp>
#include <imgsim/cpu/search.hpp>
#include <imgsim/metric/euclidean.hpp>
#include <imgsim/model/autoencoder.hpp>
#include <imgsim/search/top_n.hpp>

namespace {

constexpr std::size_t kFields = 96, kChannels = 64, kHeight = 16, kWidth = 16;
constexpr std::size_t kMixtures = 12;  // field b is one of mixture b % kMixtures

/// [B, C, H, W], as the simulation keeps it.
[[nodiscard]] std::vector<float> simulate() {
  imgsim::random_stream noise(7, 0);
  std::vector<float> fields;
  for (std::size_t b = 0; b < kFields; ++b)
    for (std::size_t c = 0; c < kChannels; ++c)
      for (std::size_t y = 0; y < kHeight; ++y)
        for (std::size_t x = 0; x < kWidth; ++x) {
          const auto mixture = static_cast<double>(b % kMixtures);
          const auto channel = static_cast<double>(c) / kChannels;
          const double u = static_cast<double>(x) / kWidth, v = static_cast<double>(y) / kHeight;
          const double value = std::sin(mixture) * std::cos(6 * (u + channel)) +
                               std::cos(2 * mixture) * std::sin(6 * (v - channel)) + std::sin(3 * mixture) * u * v;
          fields.push_back(static_cast<float>(value + 0.05 * (noise.uniform() - 0.5)));
        }
  return fields;
}

[[nodiscard]] imgsim::architecture description() {
  return {.name = "fields",
          .height = kHeight,
          .width = kWidth,
          .channels = kChannels,
          .encoder = {{imgsim::convolution{.filters = 32, .stride = {2, 2}}},
                      {imgsim::leaky_relu{}},
                      {imgsim::convolution{.filters = 16, .stride = {2, 2}}},
                      {imgsim::leaky_relu{}},
                      {imgsim::flatten{}},
                      {imgsim::dense{.units = 8}, "code"}},
          .decoder = {{imgsim::dense{.units = 4 * 4 * 16}},
                      {imgsim::reshape{4, 4, 16}},
                      {imgsim::leaky_relu{}},
                      {imgsim::transposed_convolution{.filters = 32, .stride = {2, 2}}},
                      {imgsim::leaky_relu{}},
                      {imgsim::transposed_convolution{.filters = kChannels, .stride = {2, 2}}}},
          // Fields are any numbers: the squared error, and no sigmoid at the end.
          .loss = imgsim::loss_kind::mean_squared_error,
          .embedding = {.taps = {{.layer = "code", .pool = imgsim::pool_kind::flat}}, .statistics = {}}};
}

}  // namespace

int main() try {
  const std::vector<float> simulated = simulate();

  // Networks read channels last. This is the one copy here, and it is asked for: a [B, C, H, W] array is not a view of
  // rows of channels. A code that has its channels last hands its own memory to train_step().
  const auto fields = imgsim::copy_of(
      imgsim::strided_array<const float, 4>{simulated.data(),
                                            {kFields, kHeight, kWidth, kChannels},
                                            {kChannels * kHeight * kWidth, kWidth, 1, kHeight * kWidth}});
  const imgsim::view<const float, 4> all = fields.view();

  const imgsim::cpu_context context(2);
  imgsim::autoencoder network(context, description(), imgsim::precision::float32, /*seed=*/0);
  const double before = network.evaluate(all).data;
  for (std::size_t epoch = 0; epoch < 30; ++epoch)
    for (std::size_t first = 0; first < kFields; first += 16)
      (void)network.train_step(all.slice(first, 16), {.learning_rate = 3e-3});
  const double after = network.evaluate(all).data;

  imgsim::tensor<float, 2> codes({kFields, network.feature_size()});
  network.encode(all, codes.view());
  const auto found = imgsim::top_n(context, codes.view(), codes.view(), imgsim::euclidean{},
                                   {.n = kFields / kMixtures - 1, .exclude_self = true});
  std::size_t right = 0;
  for (std::size_t b = 0; b < kFields; ++b)
    for (std::size_t rank = 0; rank < found.columns(); ++rank)
      right += static_cast<std::size_t>(found.rows(b, rank)) % kMixtures == b % kMixtures ? 1 : 0;
  const double share = static_cast<double>(right) / static_cast<double>(found.rows.size());
  std::printf("squared error %.4f before training, %.4f after; %.1f %% of the neighbours of codes are of one mixture\n",
              before, after, 100 * share);
  return after < 0.1 * before && share > 0.95 ? 0 : 1;
} catch (const std::exception& failure) {
  std::fprintf(stderr, "%s\n", failure.what());
  return 1;
}
