// Encoding and training with each preset, photos in memory, batch 32. "time/photo" is what bench/compare.sh sets beside
// PyTorch.
#include <cstddef>
#include <string>

#include <benchmark/benchmark.h>

#include <imgsim/cpu/context.hpp>
#include <imgsim/cpu/network.hpp>
#include <imgsim/model/autoencoder.hpp>
#include <imgsim/model/presets.hpp>

#include "random_rows.hpp"

namespace {

constexpr std::size_t kBatch = 32;

void per_photo(benchmark::State& state) {
  state.counters["time/photo"] = benchmark::Counter(
      static_cast<double>(kBatch), benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

void encode(benchmark::State& state, const std::string& preset, imgsim::precision arithmetic) {
  const imgsim::cpu_context context;
  imgsim::autoencoder network(context, imgsim::preset(preset), arithmetic, 0);
  const auto photos = imgsim_bench::random_photos(kBatch, network.height());
  imgsim::tensor<float, 2> features({kBatch, network.feature_size()});
  for (auto _ : state) network.encode(photos.view(), features.view());
  per_photo(state);
}

void train_step(benchmark::State& state, const std::string& preset, imgsim::precision arithmetic) {
  const imgsim::cpu_context context;
  imgsim::autoencoder network(context, imgsim::preset(preset), arithmetic, 0);
  const auto photos = imgsim_bench::random_photos(kBatch, network.height());
  for (auto _ : state) benchmark::DoNotOptimize(network.train_step(photos.view(), {}).data);
  per_photo(state);
}

[[maybe_unused]] const bool registered = [] {
  for (const std::string_view name : imgsim::preset_names()) {
    for (const auto& [label, arithmetic] :
         {std::pair{"float32", imgsim::precision::float32}, std::pair{"bfloat16", imgsim::precision::bfloat16}}) {
      const std::string axes = "/" + std::string(name) + "/" + label;
      benchmark::RegisterBenchmark(("encode" + axes).c_str(), encode, std::string(name), arithmetic)
          ->Unit(benchmark::kMillisecond)
          ->UseRealTime();
      benchmark::RegisterBenchmark(("train_step" + axes).c_str(), train_step, std::string(name), arithmetic)
          ->Unit(benchmark::kMillisecond)
          ->UseRealTime();
    }
  }
  return true;
}();

}  // namespace
