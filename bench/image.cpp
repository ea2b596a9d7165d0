// Decoding and resizing, on one thread. The photos are rendered: smooth colour with some detail, as JPEG quality 90.
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include <benchmark/benchmark.h>

#include <imgsim/core/random.hpp>
#include <imgsim/image/decode.hpp>
#include <imgsim/image/encode.hpp>
#include <imgsim/image/resize.hpp>

namespace {

imgsim::rgb_image rendered_photo(std::size_t side) {
  imgsim::rgb_image photo{side, side, std::vector<std::uint8_t>(side * side * 3)};
  imgsim::random_stream random(1);
  for (std::size_t y = 0; y < side; ++y)
    for (std::size_t x = 0; x < side; ++x)
      for (std::size_t c = 0; c < 3; ++c) {
        const double wave = std::sin(0.02 * static_cast<double>((c + 1) * x)) * std::cos(0.03 * static_cast<double>(y));
        photo.pixels[(y * side + x) * 3 + c] = static_cast<std::uint8_t>(128 + 90 * wave + 12 * random.uniform());
      }
  return photo;
}

void decode_jpeg(benchmark::State& state) {
  const auto photo = rendered_photo(static_cast<std::size_t>(state.range(0)));
  const auto file = imgsim::encode_jpeg(photo.view(), 90);
  for (auto _ : state) benchmark::DoNotOptimize(imgsim::decode_image(file).pixels.data());
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(decode_jpeg)->ArgName("side")->Arg(256)->Arg(512)->Arg(2048)->Unit(benchmark::kMillisecond);

void resize(benchmark::State& state) {
  const auto from = static_cast<std::size_t>(state.range(0)), to = static_cast<std::size_t>(state.range(1));
  const auto photo = rendered_photo(from);
  imgsim::rgb_image small{to, to, std::vector<std::uint8_t>(to * to * 3)};
  for (auto _ : state) imgsim::resize_bilinear(photo.view(), small.view());
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(resize)
    ->ArgNames({"from", "to"})
    ->Args({512, 256})
    ->Args({512, 128})
    ->Args({2048, 256})
    ->Args({128, 256})
    ->Unit(benchmark::kMillisecond);

}  // namespace
