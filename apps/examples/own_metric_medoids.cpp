// K-medoids under metrics of one's own: of vectors, and of things that are no vectors.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include <imgsim/cluster/embedding_distances.hpp>
#include <imgsim/cluster/k_medoids.hpp>
#include <imgsim/cpu/cluster.hpp>
#include <imgsim/cpu/context.hpp>

namespace {

/// A metric of vectors is a struct (metric/metric.hpp says what each member is): the city-block distance. It runs in
/// the library's own tiles, vectorised, and gives the same value on any number of threads.
struct city_block {
  static constexpr std::string_view name = "city block";

  // T is double, or a vector of doubles: hence ?: and not std::abs.
  template <class T>
  IMGSIM_HOST_DEVICE static constexpr void accumulate(T& sum, const T& a, const T& b) noexcept {
    sum += a > b ? a - b : b - a;
  }
  // The key of a pair ranks it, larger first.
  IMGSIM_HOST_DEVICE static double finish(double sum, double, double) noexcept { return 0 - sum; }
  IMGSIM_HOST_DEVICE static double similarity(double key) noexcept { return key; }
  IMGSIM_HOST_DEVICE static double distance(double key) noexcept { return 0 - key; }
};
static_assert(imgsim::metric<city_block>);

/// Of anything else, rows of distances are enough: the fewest letters to change, add or drop between two words. Rows
/// are asked for as they are needed, from several threads; only a tile of them is kept.
class edit_distances {
 public:
  static constexpr bool kResident = false;

  explicit edit_distances(const std::vector<std::string>& words) : words_(words) {}

  [[nodiscard]] std::size_t size() const noexcept { return words_.size(); }
  [[nodiscard]] imgsim::matrix_view<const float> rows(std::size_t first, std::size_t count,
                                                      imgsim::matrix_view<float> buffer) const {
    for (std::size_t i = 0; i < count; ++i)
      for (std::size_t o = 0; o < size(); ++o) buffer(i, o) = between(words_[first + i], words_[o]);
    return buffer.slice(0, count);
  }

 private:
  [[nodiscard]] static float between(std::string_view a, std::string_view b) {
    std::vector<int> cost(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) cost[j] = static_cast<int>(j);
    for (std::size_t i = 0; i < a.size(); ++i) {
      int diagonal = cost[0];
      cost[0] = static_cast<int>(i) + 1;
      for (std::size_t j = 0; j < b.size(); ++j) {
        const int changed = diagonal + (a[i] == b[j] ? 0 : 1);
        diagonal = cost[j + 1];
        cost[j + 1] = std::min({changed, cost[j + 1] + 1, cost[j] + 1});
      }
    }
    return static_cast<float>(cost.back());
  }

  const std::vector<std::string>& words_;
};
static_assert(imgsim::distance_source<edit_distances>);

}  // namespace

int main() try {
  const imgsim::cpu_context context(2);

  // Three clouds of points; 3 * row / 60 says in which a row is.
  constexpr std::size_t kPoints = 60, kWidth = 5;
  std::vector<float> points(kPoints * kWidth);
  for (std::size_t i = 0; i < points.size(); ++i)
    points[i] = static_cast<float>(10 * (i / kWidth / 20)) + static_cast<float>(i * 37 % 11) / 11.0F;
  const imgsim::matrix_view<const float> view(points.data(), {kPoints, kWidth});
  const auto clouds = imgsim::k_medoids(context, imgsim::embedding_distances(view, city_block{}), {.k = 3, .seed = 1});
  bool right = true;
  for (std::size_t row = 0; row < kPoints; ++row) right &= clouds.labels[row] == row / 20;
  std::printf("clouds around rows %zu, %zu and %zu at a cost of %.1f\n", clouds.medoids[0], clouds.medoids[1],
              clouds.medoids[2], clouds.cost);

  const std::vector<std::string> words = {"snapshot",  "snapshots", "snapshut", "neighbour", "neighbor",
                                          "neighbors", "medoid",    "medoids",  "metoid",    "snapchot"};
  const auto spellings = imgsim::k_medoids(context, edit_distances(words), {.k = 3, .seed = 1});
  for (std::size_t i = 0; i < words.size(); ++i)
    std::printf("%s is a spelling of %s\n", words[i].c_str(), words[spellings.medoids[spellings.labels[i]]].c_str());
  right &= words[spellings.medoids[0]] == "snapshot" && spellings.labels[9] == spellings.labels[0] &&
           spellings.labels[8] == spellings.labels[6] && spellings.labels[4] == spellings.labels[5];
  return right ? 0 : 1;
} catch (const std::exception& failure) {
  std::fprintf(stderr, "%s\n", failure.what());
  return 1;
}
