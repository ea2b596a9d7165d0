// Parts of an embedding weighed without labels, on features whose labels are known.
#include <imgsim/embedding/part_agreement.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <tuple>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <imgsim/core/random.hpp>
#include <imgsim/cpu/context.hpp>
#include <imgsim/embedding/fit_embedding.hpp>

BOOST_AUTO_TEST_SUITE(part_agreement)

namespace {

using imgsim::embedding_spec;
using imgsim::embedding_transform;
using imgsim::photo_statistic;
using imgsim::tensor;

constexpr std::size_t kNetwork = 40;
const embedding_spec kSpec{.statistics = {photo_statistic::edges, photo_statistic::texture, photo_statistic::colour},
                           .centre = true,
                           .whiten = 32,
                           .normalise = true};
/// The parts in the order of their columns.
enum part : std::size_t { network, edges, texture, colour };

struct labelled_features {
  tensor<float, 2> features;
  std::vector<std::size_t> labels;
  std::vector<std::size_t> kinds;
};

/// Photos of `classes` classes. Every part holds 24 hidden numbers of the photo, mixed into its columns: the first 8
/// are the class's (as far as the part knows it, `knows`), the others noise of the same size. Where `kinds` is 2, odd
/// classes know `knows`, even ones its mirror: edges and colour change places; an offset shows which kind it is.
labelled_features sample(std::size_t photos, std::size_t classes, const std::array<double, 4>& knows,
                         std::size_t kinds = 1, std::uint64_t seed = 1) {
  constexpr std::size_t kHidden = 24, kOfClass = 8;
  imgsim::random_stream random(seed);
  std::array<std::size_t, 4> widths{kNetwork};
  std::size_t raw = kNetwork;
  for (std::size_t s = 0; s < 3; ++s) raw += widths[s + 1] = imgsim::entry_of(kSpec.statistics[s]).width;
  std::vector<double> centres(4 * classes * kOfClass);
  for (double& c : centres) c = random.normal();
  labelled_features out{.features = tensor<float, 2>({photos, raw}), .labels = {}, .kinds = {}};
  for (std::size_t i = 0; i < photos; ++i) {
    out.labels.push_back(i % classes);
    out.kinds.push_back(kinds == 2 ? i % classes % 2 : 0);
  }
  std::size_t first = 0;
  for (std::size_t p = 0; p < 4; ++p) {
    std::vector<double> mixing(kHidden * widths[p]);
    for (double& m : mixing) m = random.normal();
    for (std::size_t i = 0; i < photos; ++i) {
      const std::size_t known = out.kinds[i] == 0 || p == network || p == texture ? p : edges + colour - p;
      std::array<double, kHidden> hidden{};
      for (std::size_t h = 0; h < kHidden; ++h) {
        hidden[h] = random.normal();
        if (h < kOfClass)
          hidden[h] = knows[known] * centres[(p * classes + out.labels[i]) * kOfClass + h] +
                      std::sqrt(1 - knows[known] * knows[known]) * hidden[h];
      }
      if (p == network && kinds == 2) hidden[kHidden - 1] += out.kinds[i] == 0 ? -6 : 6;
      for (std::size_t j = 0; j < widths[p]; ++j) {
        double sum = 0;
        for (std::size_t h = 0; h < kHidden; ++h) sum += hidden[h] * mixing[h * widths[p] + j];
        out.features(i, first + j) = static_cast<float>(sum);
      }
    }
    first += widths[p];
  }
  return out;
}

embedding_transform fit(const tensor<float, 2>& features, const embedding_spec& spec = kSpec, std::size_t threads = 2) {
  return imgsim::fit_embedding(imgsim::cpu_context(threads), features.view(), spec);
}

tensor<float, 2> apply(const embedding_transform& transform, const tensor<float, 2>& features) {
  tensor<float, 2> out({features.extent(0), transform.dimension()});
  imgsim::apply_embedding(imgsim::cpu_context(2), transform, features.view(), out.view());
  return out;
}

/// Share of the ten nearest photos by cosine that are of the photo's own class.
double precision(const tensor<float, 2>& embeddings, const std::vector<std::size_t>& labels) {
  const std::size_t photos = embeddings.extent(0);
  std::size_t right = 0;
  for (std::size_t i = 0; i < photos; ++i) {
    std::vector<std::pair<double, std::size_t>> others;
    for (std::size_t j = 0; j < photos; ++j) {
      double product = 0;
      for (std::size_t d = 0; d < embeddings.extent(1); ++d) product += embeddings(i, d) * embeddings(j, d);
      if (j != i) others.emplace_back(-product, j);
    }
    std::partial_sort(others.begin(), others.begin() + 10, others.end());
    for (std::size_t k = 0; k < 10; ++k) right += labels[others[k].second] == labels[i] ? 1 : 0;
  }
  return static_cast<double>(right) / static_cast<double>(10 * photos);
}

/// The same parts, unrefined and counting alike.
embedding_transform unweighed(const tensor<float, 2>& features) {
  return imgsim::fit_embedding(imgsim::cpu_context(2), features.view(), kSpec,
                               {.directions = false, .weights = false, .kinds = false});
}

}  // namespace

BOOST_AUTO_TEST_CASE(nearest_sets_are_those_of_a_search_by_hand) {
  imgsim::random_stream random(5);
  Eigen::MatrixXf points(6, 300);
  for (Eigen::Index i = 0; i < points.size(); ++i) points.data()[i] = static_cast<float>(random.below(4)) - 1.5F;
  points = imgsim::detail::to_unit_columns(points);
  points.col(17).setZero();
  const auto found = imgsim::detail::find_nearest_sets(imgsim::cpu_context(2), points, 7);
  const auto alone = imgsim::detail::find_nearest_sets(imgsim::cpu_context(1), points, 7);
  BOOST_TEST((found == alone));
  for (Eigen::Index i = 0; i < 300; ++i) {
    const auto& set = found[static_cast<std::size_t>(i)];
    BOOST_REQUIRE(set.size() <= 7u);
    BOOST_TEST(std::ranges::is_sorted(set));
    BOOST_TEST(!std::ranges::binary_search(set, static_cast<std::size_t>(i)));
    // By hand: the seven best, less those that tie with the eighth. Products of this lattice tie to the bit.
    std::vector<std::pair<float, std::size_t>> order;
    for (Eigen::Index j = 0; j < 300; ++j)
      if (j != i)
        order.emplace_back(imgsim::detail::dot(points.col(i).data(), points.col(j).data(), 6),
                           static_cast<std::size_t>(j));
    std::ranges::sort(order, std::greater<>());
    std::vector<std::size_t> expected;
    for (std::size_t k = 0; k < 7; ++k)
      if (order[k].first > order[7].first) expected.push_back(order[k].second);
    std::ranges::sort(expected);
    BOOST_TEST((set == expected));
  }
  const auto few = imgsim::detail::find_nearest_sets(imgsim::cpu_context(1), points.leftCols(3), 7);
  BOOST_TEST(few[0].size() == 2u);
}

BOOST_AUTO_TEST_CASE(a_part_that_agrees_with_none_counts_little) {
  const auto shapes = sample(600, 12, {0.5, 0.9, 0.7, 0.0});
  const auto by_shape = fit(shapes.features);
  const auto colours = sample(600, 12, {0.5, 0.0, 0.7, 0.9});
  const auto by_colour = fit(colours.features);
  for (std::size_t g = 0; g < by_shape.weighting.weights.extent(0); ++g)
    BOOST_TEST(by_shape.weighting.weights(g, edges) > 10 * by_shape.weighting.weights(g, colour));
  for (std::size_t g = 0; g < by_colour.weighting.weights.extent(0); ++g)
    BOOST_TEST(by_colour.weighting.weights(g, colour) > 10 * by_colour.weighting.weights(g, edges));
  for (const auto* t : {&by_shape, &by_colour}) {
    for (std::size_t g = 0; g < t->weighting.weights.extent(0); ++g) {
      double sum = 0;
      for (std::size_t p = 0; p < 4; ++p) sum += t->weighting.weights(g, p);
      BOOST_TEST(std::abs(sum - 1) <= 1e-6);
    }
  }
}

BOOST_AUTO_TEST_CASE(neighbours_are_better_than_of_parts_that_count_alike) {
  for (const std::array<double, 4>& knows :
       {std::array{0.5, 0.9, 0.7, 0.0}, std::array{0.5, 0.0, 0.7, 0.9}, std::array{0.5, 0.7, 0.7, 0.7}}) {
    const auto data = sample(600, 12, knows);
    const double weighed = precision(apply(fit(data.features), data.features), data.labels);
    const double alike = precision(apply(unweighed(data.features), data.features), data.labels);
    BOOST_TEST(weighed > alike + 0.05);
    // So they are for photos that the fit has not seen.
    const auto other = sample(1200, 12, knows);
    tensor<float, 2> first_half({600, other.features.extent(1)}), second_half({600, other.features.extent(1)});
    std::copy_n(other.features.data(), first_half.size(), first_half.data());
    std::copy_n(other.features.data() + first_half.size(), second_half.size(), second_half.data());
    const std::vector<std::size_t> labels(other.labels.begin() + 600, other.labels.end());
    const double unseen = precision(apply(fit(first_half), second_half), labels);
    BOOST_TEST(unseen > precision(apply(unweighed(first_half), second_half), labels) + 0.05);
  }
}

BOOST_AUTO_TEST_CASE(two_kinds_of_photos_get_weights_of_their_own) {
  const auto data = sample(800, 16, {0.5, 0.9, 0.7, 0.1}, 2);
  const auto transform = fit(data.features);
  BOOST_REQUIRE(transform.weighting.weights.extent(0) == 2u);
  const auto& w = transform.weighting.weights;
  const std::size_t shapes = w(0, edges) > w(1, edges) ? 0 : 1;
  BOOST_TEST(w(shapes, edges) > 3 * w(shapes, colour));
  BOOST_TEST(w(1 - shapes, colour) > 3 * w(1 - shapes, edges));
  // A photo's parts have its own kind's weights as squares of their lengths.
  const auto embeddings = apply(transform, data.features);
  std::size_t of_own_kind = 0;
  for (std::size_t i = 0; i < 800; ++i) {
    const std::size_t kind = data.kinds[i] == 0 ? shapes : 1 - shapes;
    double worst = 0;
    std::size_t first = 0;
    for (std::size_t p = 0; p < 4; ++p) {
      double squares = 0;
      for (std::size_t d = 0; d < transform.parts[p].dimension(); ++d)
        squares += std::pow(static_cast<double>(embeddings(i, first + d)), 2);
      first += transform.parts[p].dimension();
      worst = std::max(worst, std::abs(squares - w(kind, p)));
    }
    of_own_kind += worst <= 0.05 ? 1 : 0;
  }
  BOOST_TEST(of_own_kind >= 760u);
}

BOOST_AUTO_TEST_CASE(few_photos_and_photos_alike_count_alike) {
  const auto data = sample(imgsim::kMinAgreementPhotos - 1, 3, {0.5, 0.9, 0.7, 0.1});
  const auto few = fit(data.features);
  BOOST_TEST(few.weighting.centres.empty());
  for (std::size_t p = 0; p < 4; ++p) BOOST_TEST(few.weighting.weights(0, p) == 0.25F);

  for (const std::size_t photos : {1u, 2u, 19u, 20u, 400u}) {
    tensor<float, 2> alike({photos, data.features.extent(1)});
    for (std::size_t i = 0; i < photos; ++i) std::copy_n(data.features.data(), alike.extent(1), alike.view().row(i));
    const auto out = apply(fit(alike), alike);
    for (std::size_t i = 0; i < photos; ++i) {
      double squares = 0;
      for (std::size_t d = 0; d < out.extent(1); ++d) squares += std::pow(static_cast<double>(out(i, d)), 2);
      BOOST_TEST(std::abs(squares - 1) <= 1e-5);
      BOOST_TEST(std::memcmp(out.view().row(i), out.view().row(0), out.extent(1) * sizeof(float)) == 0);
    }
  }
}

BOOST_AUTO_TEST_CASE(what_chance_gives_tells_little) {
  for (const std::size_t photos : {20u, 60u, 600u}) {
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
      const auto transform = fit(sample(photos, 6, {0.5, 0.0, 0.0, 0.0}, 1, seed).features);
      const auto& w = transform.weighting.weights;
      for (std::size_t g = 0; g < w.extent(0); ++g) {
        const double ratio = w(g, edges) / w(g, colour);
        BOOST_TEST(std::max(ratio, 1 / ratio) <= 6.0, photos << " photos, seed " << seed << ": " << ratio);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(parts_that_see_nothing_agree_on_nothing) {
  auto data = sample(300, 6, {0.5, 0.8, 0.7, 0.8});
  for (std::size_t i = 0; i < 300; ++i)  // plain swatches: no edge, no texture
    std::fill_n(data.features.view().row(i) + kNetwork, imgsim::kEdgeFeatures + imgsim::kPatternFeatures, 0.5F);
  const auto transform = fit(data.features);
  const auto& w = transform.weighting.weights;
  for (std::size_t g = 0; g < w.extent(0); ++g) BOOST_TEST(w(g, colour) >= w(g, edges));
}

BOOST_AUTO_TEST_CASE(features_that_are_not_finite_are_refused) {
  auto data = sample(40, 4, {0.5, 0.8, 0.7, 0.5});
  data.features(17, 100) = NAN;
  BOOST_CHECK_THROW(std::ignore = fit(data.features), imgsim::invalid_argument);
  embedding_spec flat = kSpec;
  flat.whiten = 0;
  BOOST_CHECK_THROW(std::ignore = fit(sample(40, 4, {0.5, 0.8, 0.7, 0.5}).features, flat), imgsim::invalid_argument);
}

BOOST_AUTO_TEST_CASE(a_part_without_variance_is_kept_as_it_is) {
  auto data = sample(200, 5, {0.5, 0.8, 0.7, 0.5});
  const std::size_t first = data.features.extent(1) - imgsim::kColourFeatures;
  for (std::size_t i = 0; i < 200; ++i)
    std::fill_n(data.features.view().row(i) + first, imgsim::kColourFeatures, 0.25F);
  const auto transform = fit(data.features);
  BOOST_TEST(transform.parts[colour].projection.empty());
  for (const float value : apply(transform, data.features)) BOOST_TEST(std::isfinite(value));
}

BOOST_AUTO_TEST_CASE(the_answer_does_not_depend_on_threads) {
  const auto data = sample(700, 10, {0.5, 0.8, 0.6, 0.4}, 2);
  const auto one = fit(data.features, kSpec, 1);
  const auto three = fit(data.features, kSpec, 3);
  const auto same = [](const tensor<float, 2>& a, const tensor<float, 2>& b) {
    return a.extents() == b.extents() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
  };
  for (std::size_t p = 0; p < 4; ++p) {
    BOOST_TEST((one.parts[p].mean == three.parts[p].mean));
    BOOST_TEST(same(one.parts[p].projection, three.parts[p].projection));
  }
  BOOST_TEST(same(one.weighting.weights, three.weighting.weights));
  BOOST_TEST(same(one.weighting.centres, three.weighting.centres));
}

BOOST_AUTO_TEST_CASE(a_subset_of_the_statistics_counts_alike) {
  const auto data = sample(300, 6, {0.5, 0.8, 0.7, 0.5});
  embedding_spec spec = kSpec;
  spec.statistics = {photo_statistic::texture, photo_statistic::colour};
  const std::size_t first = imgsim::kEdgeFeatures;
  tensor<float, 2> features({300, data.features.extent(1) - first});
  for (std::size_t i = 0; i < 300; ++i) {
    const float* row = data.features.view().row(i);
    std::copy_n(row, kNetwork, features.view().row(i));
    std::copy(row + kNetwork + first, row + data.features.extent(1), features.view().row(i) + kNetwork);
  }
  const auto transform = fit(features, spec);
  BOOST_REQUIRE(transform.parts.size() == 3u);
  for (std::size_t p = 0; p < 3; ++p) BOOST_TEST(std::abs(transform.weighting.weights(0, p) - 1.0F / 3) <= 1e-7F);
}

BOOST_AUTO_TEST_SUITE_END()
