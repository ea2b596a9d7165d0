// imgsim's side of compare.py, which holds it against other libraries:
//
//   compare_peers encode PRESET FOLDER THREADS      writes photos.f32 and weights.safetensors, then features.f32
//   compare_peers train PRESET FOLDER THREADS       writes photos.f32 and weights.safetensors
//   compare_peers search FOLDER THREADS N QUERIES   reads gallery.npy, float32 [M, D]; its first rows are the queries
//
// The first line printed is "ready" with the loss of the first step (train). After that, each line read runs the work
// once and prints its seconds; the answer of a search is in rows.i64 and similarity.f32 after its first run. Photos and
// other raw files are little-endian, in C order.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include <imgsim/cpu/context.hpp>
#include <imgsim/cpu/network.hpp>
#include <imgsim/cpu/search.hpp>
#include <imgsim/embedding/npy.hpp>
#include <imgsim/metric/cosine.hpp>
#include <imgsim/model/autoencoder.hpp>
#include <imgsim/model/presets.hpp>
#include <imgsim/model/safetensors.hpp>
#include <imgsim/search/gallery.hpp>
#include <imgsim/search/top_n.hpp>

#include "random_rows.hpp"

namespace {

using std::filesystem::path;

constexpr std::size_t kBatch = 32;

template <class Values>
void write_raw(const path& file, const Values& values) {
  std::ofstream out(file, std::ios::binary);
  out.write(reinterpret_cast<const char*>(values.data()),
            static_cast<std::streamsize>(values.size() * sizeof(*values.data())));
}

template <class Work>
void run_for_each_line(Work&& work) {
  for (std::string line; std::getline(std::cin, line);) {
    const auto begin = std::chrono::steady_clock::now();
    work();
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    std::printf("%.9f\n", seconds.count());
    std::fflush(stdout);
  }
}

void say_ready(double loss) {
  std::printf("ready %.9g\n", loss);
  std::fflush(stdout);
}

void run_network(bool trains, const std::string& preset, const path& folder, std::size_t threads) {
  const imgsim::cpu_context context(threads);
  imgsim::autoencoder network(context, imgsim::preset(preset), imgsim::precision::float32, 0);
  const auto bytes = imgsim_bench::random_photos(kBatch, network.height());
  imgsim::tensor<float, 4> photos(bytes.extents());
  for (std::size_t i = 0; i < bytes.size(); ++i) photos.data()[i] = static_cast<float>(bytes.data()[i]) / 255.0f;
  write_raw(folder / "photos.f32", photos);
  imgsim::write_safetensors(folder / "weights.safetensors", {.tensors = network.state(), .metadata = {}});
  const auto read_only = imgsim::view<const float, 4>(photos.view());
  if (trains) {
    say_ready(network.train_step(read_only, {}).data);
    run_for_each_line([&] { (void)network.train_step(read_only, {}); });
  } else {
    imgsim::tensor<float, 2> features({kBatch, network.feature_size()});
    network.encode(read_only, features.view());
    write_raw(folder / "features.f32", features);
    say_ready(0.0);
    run_for_each_line([&] { network.encode(read_only, features.view()); });
  }
}

void run_search(const path& folder, std::size_t threads, std::size_t n, std::size_t queries) {
  const imgsim::cpu_context context(threads);
  const imgsim::mapped_npy<float> rows(folder / "gallery.npy");
  const imgsim::prepared_gallery gallery(context, rows.view());
  const auto asked = rows.view().slice(0, queries);
  const auto found = imgsim::top_n(context, gallery, asked, imgsim::cosine{}, {.n = n});
  write_raw(folder / "rows.i64", found.rows);
  write_raw(folder / "similarity.f32", found.similarity);
  say_ready(0.0);
  run_for_each_line([&] { (void)imgsim::top_n(context, gallery, asked, imgsim::cosine{}, {.n = n}); });
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  try {
    const auto number = [&](std::size_t i) { return static_cast<std::size_t>(std::stoul(words.at(i))); };
    if (words.at(0) == "search") {
      run_search(words.at(1), number(2), number(3), number(4));
    } else {
      run_network(words.at(0) == "train", words.at(1), words.at(2), number(3));
    }
  } catch (const std::exception& e) {
    std::fprintf(stderr, "compare_peers: %s\n", e.what());
    return 1;
  }
  return 0;
}
