// Groups of 4738 photos by the encodings of a published Keras network. FasterPAM of the kmedoids package ends at a
// total deviation of 300.63 for K = 19 from each of 20 random starts; the published grouping has 349.85.
#include <cstdint>
#include <string>

#include <boost/test/unit_test.hpp>
#include <imgsim/cluster/embedding_distances.hpp>
#include <imgsim/cluster/k_medoids.hpp>
#include <imgsim/core/tensor.hpp>
#include <imgsim/cpu/cluster.hpp>
#include <imgsim/cpu/context.hpp>
#include <imgsim/cpu/search.hpp>
#include <imgsim/embedding/photo_index.hpp>
#include <imgsim/metric/cosine.hpp>
#include <imgsim/search/similarity.hpp>

#include "support/run_command.hpp"
#include "support/temporary_folder.hpp"
#include "support/test_data.hpp"

using namespace imgsim;
using namespace imgsim_test;

BOOST_AUTO_TEST_SUITE(published_encodings)

BOOST_AUTO_TEST_CASE(each_of_20_seeds_ends_at_the_best_known_cost,
                     *needs_data("keras_seed") * needs_data("animals256")) {
  constexpr double kBestKnown = 300.63;
  const temporary_folder folder;
  const std::string model = (folder.path() / "keras.safetensors").string();
  const std::string index = (folder.path() / "keras.idx").string();
  static_cast<void>(
      must_run({"import-keras", (data_folder() / "keras_seed/trained_encoder.h5").string(), "--model", model}));
  static_cast<void>(
      must_run({"index", "--images", (data_folder() / "animals256").string(), "--model", model, "--index", index}));
  const photo_index photos = photo_index::open(index);
  BOOST_TEST_REQUIRE(photos.size() == 4738u);

  const cpu_context context;
  tensor<float, 2> table({photos.size(), photos.size()});
  distance_matrix(context, photos.embeddings(), cosine{}, table.view());
  const resident_distances distances(table.view(), distance_bound(photos.embeddings(), cosine{}));
  for (std::uint64_t seed = 0; seed < 20; ++seed)
    BOOST_TEST(k_medoids(context, distances, {.k = 19, .seed = seed}).cost <= kBestKnown, "seed " << seed);

  const auto grouped = must_run({"cluster", "--index", index, "-k", "19", "--seed", "3", "--json"}).json();
  BOOST_TEST(grouped.at("cost").get<double>() <= kBestKnown);
  // In a sweep each K begins with the medoids of the K above it.
  const auto chosen = must_run({"choose-k", "--index", index, "--k-max", "30", "--json"}).json();
  BOOST_TEST(chosen.at("curve").at(17).at("k") == 19);
  BOOST_TEST(chosen.at("curve").at(17).at("cost").get<double>() <= 1.005 * kBestKnown);
  const std::size_t separated = chosen.at("silhouettes").at("curve").size();
  BOOST_TEST(separated >= 19u);
  for (std::size_t i = 0; i < separated; ++i)
    BOOST_TEST(chosen.at("silhouettes").at("curve").at(i).at("medoid_silhouette").get<double>() >=
               chosen.at("curve").at(i).at("medoid_silhouette").get<double>());
}

BOOST_AUTO_TEST_SUITE_END()
