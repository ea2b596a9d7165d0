// The hot loops on fixed small inputs, one a run, so that valgrind can count the instructions of each: instructions.py.
// usage: hot_loops NAME|--list|--compiler. Only what measured() calls is counted.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <map>
#include <string>
#include <utility>

#include <imgsim/cluster/choose_k.hpp>
#include <imgsim/cluster/distance_source.hpp>
#include <imgsim/cluster/k_means.hpp>
#include <imgsim/cluster/k_medoids.hpp>
#include <imgsim/cluster/silhouette_medoids.hpp>
#include <imgsim/cpu/cluster.hpp>
#include <imgsim/cpu/network.hpp>
#include <imgsim/cpu/search.hpp>
#include <imgsim/image/photo_batch.hpp>
#include <imgsim/image/resize.hpp>
#include <imgsim/metric/cosine.hpp>
#include <imgsim/model/autoencoder.hpp>
#include <imgsim/model/presets.hpp>
#include <imgsim/search/similarity.hpp>
#include <imgsim/search/top_n.hpp>

#include "random_rows.hpp"

extern "C" {
/// By this name valgrind knows where to begin and to end: there are no copies of it by other names.
#ifdef __clang__
[[gnu::noinline]]
#else
[[gnu::noipa]]
#endif
void measured(const std::function<void()>& work) {
  work();
  asm volatile("");  // or the call above would be a jump, which leaves measured()
}
}

namespace {

using namespace imgsim;
using imgsim_bench::random_photos;
using imgsim_bench::random_rows;

const cpu_context kOneThread(1);

void one_query() {
  const auto gallery = random_rows(4000, 256);
  const auto query = random_rows(1, 256, 2);
  measured([&] { (void)top_n(kOneThread, gallery.view(), query.view(), cosine{}, {.n = 10}); });
}

void all_pairs() {
  const auto gallery = random_rows(700, 256);
  measured([&] { (void)top_n(kOneThread, gallery.view(), gallery.view(), cosine{}, {.n = 20, .exclude_self = true}); });
}

/// Of points around twelve places.
tensor<float, 2> distances_of(std::size_t size) {
  const auto centres = random_rows(12, 16, 3);
  auto points = random_rows(size, 16);
  for (std::size_t row = 0; row < size; ++row)
    for (std::size_t i = 0; i < 16; ++i) points(row, i) += 2 * centres(row % 12, i);
  tensor<float, 2> distances({size, size});
  distance_matrix(kOneThread, std::as_const(points).view(), cosine{}, distances.view());
  return distances;
}

void distances() {
  measured([] { (void)distances_of(500); });
}

void k_medoids_swaps() {
  const auto table = distances_of(600);
  measured([&] { (void)k_medoids(kOneThread, table.view(), {.k = 12, .seed = 1}); });
}

void choice_of_k() {
  const auto table = distances_of(400);
  measured([&] { (void)choose_k(kOneThread, table.view(), {.k_min = 2, .k_max = 30}); });
}

void silhouettes() {
  const auto table = distances_of(400);
  measured([&] { (void)silhouette_medoids(kOneThread, resident_distances(table.view()), {.k_min = 2, .k_max = 20}); });
}

void k_means_passes() {
  const auto points = random_rows(1500, 64);
  measured([&] { (void)k_means(kOneThread, points.view(), {.k = 24, .seed = 1}); });
}

void resize() {
  const auto photo = random_photos(1, 512);
  tensor<std::uint8_t, 3> small({128, 128, 3});
  measured([&] { resize_bilinear(photo_at(photo.view(), 0), small.view()); });
}

void encode() {
  autoencoder network(kOneThread, preset("maxpool-16-8-4", {.size = 64, .latent = {}}), precision::float32, 0);
  const auto photos = random_photos(2, 64);
  tensor<float, 2> features({2, network.feature_size()});
  network.encode(photos.view(), features.view());  // weights are packed at the first call
  measured([&] { network.encode(photos.view(), features.view()); });
}

const std::map<std::string, void (*)()> kLoops{{"all_pairs", all_pairs},           {"choice_of_k", choice_of_k},
                                               {"distances", distances},           {"encode", encode},
                                               {"k_means_passes", k_means_passes}, {"k_medoids_swaps", k_medoids_swaps},
                                               {"one_query", one_query},           {"resize", resize},
                                               {"silhouettes", silhouettes}};

}  // namespace

#ifdef __clang__
constexpr const char* kCompiler = __VERSION__;
#else
constexpr const char* kCompiler = "GCC " __VERSION__;
#endif

int main(int argc, char** argv) {
  const std::string wanted = argc > 1 ? argv[1] : "--list";
  if (wanted == "--list") {
    for (const auto& [name, loop] : kLoops) std::puts(name.c_str());
  } else if (wanted == "--compiler") {
    std::puts(kCompiler);
  } else if (const auto found = kLoops.find(wanted); found != kLoops.end()) {
    found->second();
  } else {
    return 2;
  }
  return 0;
}
