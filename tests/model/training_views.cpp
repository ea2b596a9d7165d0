#include <imgsim/model/training_views.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(training_views_of_photos)

namespace {

using imgsim::training_recipe;
using imgsim::training_views;
using bytes = std::vector<std::uint8_t>;

constexpr std::size_t kSide = 16;
constexpr std::size_t kPhotos = 11;

imgsim::photos_in_memory noise() {
  imgsim::tensor<std::uint8_t, 4> pixels({kPhotos, kSide, kSide, 3});
  imgsim::random_stream random(3);
  for (std::uint8_t& value : pixels) value = static_cast<std::uint8_t>(random.below(256));
  return imgsim::photos_in_memory(std::move(pixels));
}

const training_recipe kEverything{
    .augment = {.crop = 0.5, .flip = 0.5, .rotation = 10, .colour = 0.2, .blur = 0.3}, .mask = 0.3, .invariance = 0.1};

std::vector<bytes> photos_of(const imgsim::photo_pixels& pixels) {
  const auto& all = std::get<imgsim::view<const std::uint8_t, 4>>(pixels);
  std::vector<bytes> photos;
  for (std::size_t i = 0; i < all.extent(0); ++i)
    photos.emplace_back(all.slice(i, 1).data(), all.slice(i, 1).data() + kSide * kSide * 3);
  return photos;
}

struct made {
  std::vector<std::vector<bytes>> photos, targets;  // [view][photo], in the order of the rows
};

/// An epoch in batches of `batch`; `views` of each photo are expected.
made run_epoch(const training_recipe& recipe, std::size_t epoch, std::size_t threads, std::size_t batch,
               std::size_t views, std::uint64_t seed = 1) {
  imgsim::thread_pool pool(threads);
  imgsim::photos_in_memory source = noise();
  training_views batches(pool, source, recipe, kSide, kSide, batch, seed);
  std::vector<std::size_t> rows(kPhotos);
  std::iota(rows.rbegin(), rows.rend(), std::size_t{0});
  batches.begin(epoch, rows);
  made all{std::vector<std::vector<bytes>>(views), std::vector<std::vector<bytes>>(views)};
  for (std::size_t first = 0; first < kPhotos; first += batch) {
    const std::size_t count = std::min(batch, kPhotos - first);
    const imgsim::training_batch next = batches.next();
    BOOST_TEST(next.invariance == recipe.invariance);
    for (auto [pixels, to] : {std::pair{&next.photos, &all.photos}, std::pair{&next.targets, &all.targets}}) {
      const std::vector<bytes> photos = photos_of(*pixels);
      BOOST_REQUIRE(photos.size() == views * count);
      for (std::size_t i = 0; i < photos.size(); ++i) (*to)[i / count].push_back(photos[i]);
    }
  }
  return all;
}

bool operator==(const made& a, const made& b) {
  return a.photos == b.photos && a.targets == b.targets;
}

bytes row_of(std::size_t row) {
  return photos_of(noise().pixels())[row];
}

}  // namespace

BOOST_AUTO_TEST_CASE(without_a_recipe_photos_come_as_they_are) {
  const made plain = run_epoch({}, 1, 1, 4, 1);
  for (std::size_t i = 0; i < kPhotos; ++i) BOOST_TEST((plain.photos[0][i] == row_of(kPhotos - 1 - i)));
  BOOST_TEST((plain.photos == plain.targets));
}

BOOST_AUTO_TEST_CASE(views_do_not_depend_on_threads_or_batches) {
  const made one = run_epoch(kEverything, 3, 1, 4, 2);
  BOOST_TEST((run_epoch(kEverything, 3, 4, 4, 2) == one));
  BOOST_TEST((run_epoch(kEverything, 3, 2, 5, 2) == one));
  BOOST_TEST((run_epoch(kEverything, 3, 2, kPhotos, 2) == one));
}

BOOST_AUTO_TEST_CASE(every_epoch_seed_photo_and_view_has_its_own) {
  const made one = run_epoch(kEverything, 3, 2, 4, 2);
  const made epoch = run_epoch(kEverything, 4, 2, 4, 2);
  const made seed = run_epoch(kEverything, 3, 2, 4, 2, 2);
  for (std::size_t i = 0; i < kPhotos; ++i) {
    BOOST_TEST((one.targets[0][i] != one.targets[1][i]));
    for (std::size_t v = 0; v < 2; ++v) {
      BOOST_TEST((one.targets[v][i] != epoch.targets[v][i]));
      BOOST_TEST((one.targets[v][i] != seed.targets[v][i]));
      BOOST_TEST((one.targets[v][i] != one.photos[v][i]));  // masked
    }
  }
}

BOOST_AUTO_TEST_CASE(a_mask_alone_hides_a_part_of_the_photo_itself) {
  const made masked = run_epoch({.mask = 0.25}, 1, 2, 4, 1);
  for (std::size_t i = 0; i < kPhotos; ++i) {
    BOOST_TEST((masked.targets[0][i] == row_of(kPhotos - 1 - i)));
    std::size_t hidden = 0;
    for (std::size_t p = 0; p < kSide * kSide * 3; ++p) hidden += masked.photos[0][i][p] != masked.targets[0][i][p];
    // A pixel that has the mean by chance is not seen to be hidden.
    BOOST_TEST(hidden <= kSide * kSide * 3 / 4);
    BOOST_TEST(hidden > kSide * kSide * 3 / 4 - 20);
  }
}

BOOST_AUTO_TEST_CASE(augmentation_alone_gives_one_view) {
  const made views = run_epoch({.augment = kEverything.augment}, 1, 2, 4, 1);
  BOOST_TEST((views.photos == views.targets));
  // The first view is the same whether there is a second or not.
  const made both = run_epoch({.augment = kEverything.augment, .invariance = 1}, 1, 2, 4, 2);
  BOOST_TEST((views.photos[0] == both.photos[0]));
}

BOOST_AUTO_TEST_CASE(an_epoch_may_be_left_and_begun_again) {
  imgsim::thread_pool pool(2);
  imgsim::photos_in_memory source = noise();
  training_views batches(pool, source, kEverything, kSide, kSide, 4, 1);
  const std::vector<std::size_t> rows{5, 4, 3, 2, 1, 0};
  batches.begin(1, rows);
  const std::vector<bytes> first = photos_of(batches.next().photos);
  batches.begin(1, rows);
  BOOST_TEST((photos_of(batches.next().photos) == first));
  batches.end();
  batches.end();
  batches.begin(1, std::span(rows).subspan(4));
  const std::vector<bytes> rest = photos_of(batches.next().photos);
  BOOST_TEST(rest.size() == 4u);
  batches.begin(2, {});
}

BOOST_AUTO_TEST_CASE(a_photo_that_cannot_be_read_is_told_by_the_batch_that_needs_it) {
  struct failing {
    imgsim::photos_in_memory photos = noise();
    [[nodiscard]] std::size_t size() const { return photos.size(); }
    [[nodiscard]] std::string fingerprint() const { return photos.fingerprint(); }
    void plan(std::span<const std::size_t>, std::size_t) {}
    void load(std::span<const std::size_t> rows, imgsim::view<std::uint8_t, 4> out) {
      if (std::ranges::count(rows, std::size_t{7}) > 0) throw imgsim::io_error("seven.jpg", "is gone");
      photos.load(rows, out);
    }
  };
  imgsim::thread_pool pool(2);
  failing source;
  training_views batches(pool, source, kEverything, kSide, kSide, 2, 1);
  batches.begin(1, std::vector<std::size_t>{1, 2, 7, 3});
  BOOST_TEST(photos_of(batches.next().photos).size() == 4u);
  BOOST_CHECK_THROW((void)batches.next(), imgsim::io_error);
}

BOOST_AUTO_TEST_CASE(a_recipe_that_makes_no_sense_is_refused) {
  imgsim::thread_pool pool(1);
  imgsim::photos_in_memory source = noise();
  for (const training_recipe& recipe : {training_recipe{.mask = 1.0}, training_recipe{.invariance = 1.0},
                                        training_recipe{.ema = 1.0}, training_recipe{.augment = {.crop = 0.0}}})
    BOOST_CHECK_THROW(training_views(pool, source, recipe, kSide, kSide, 4, 1), imgsim::invalid_argument);
}

BOOST_AUTO_TEST_SUITE_END()
