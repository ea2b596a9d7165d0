#include <imgsim/model/photo_source.hpp>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <string>
#include <tuple>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <imgsim/image/encode.hpp>
#include <support/temporary_folder.hpp>

namespace {

/// A folder of PNGs of one grey each, one of them broken.
class small_folder {
 public:
  static constexpr std::size_t kPhotos = 11;
  static constexpr std::size_t kBroken = 4;

  small_folder() {
    for (std::size_t i = 0; i < kPhotos; ++i) {
      paths.push_back(std::to_string(i) + ".png");
      std::vector<std::uint8_t> pixels(6 * 5 * 3, grey(i));
      imgsim::write_file(folder.path() / paths.back(),
                         imgsim::encode_png(imgsim::view<const std::uint8_t, 3>(pixels.data(), {6, 5, 3})));
    }
    std::ofstream(folder.path() / paths[kBroken]) << "no photo";
  }
  static std::uint8_t grey(std::size_t i) { return static_cast<std::uint8_t>(20 * i + 3); }

  imgsim_test::temporary_folder folder;
  std::vector<std::string> paths;
};

imgsim::open_photos_options options(std::uint64_t budget) {
  return {.loader = {.height = 4, .width = 4, .batch = 3, .threads = 2}, .memory_budget = budget};
}

constexpr std::uint64_t kAll = 4 * 4 * 3 * small_folder::kPhotos;

std::vector<std::uint8_t> first_pixels(imgsim::photo_set& photos, const std::vector<std::size_t>& rows) {
  imgsim::tensor<std::uint8_t, 4> out({rows.size(), 4, 4, 3});
  photos.load(rows, out.view());
  std::vector<std::uint8_t> result;
  for (std::size_t i = 0; i < rows.size(); ++i) result.push_back(out(i, 3, 3, 2));
  return result;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(photo_source)

BOOST_AUTO_TEST_CASE(memory_and_disk_give_the_same_photos) {
  const small_folder made;
  std::vector<std::size_t> progress;
  auto in_memory_options = options(kAll);
  in_memory_options.on_progress = [&](std::size_t done, std::size_t all) {
    BOOST_TEST(all == small_folder::kPhotos);
    progress.push_back(done);
  };
  imgsim::opened_photos kept = imgsim::open_photos(made.folder.path(), made.paths, in_memory_options);
  imgsim::opened_photos streamed = imgsim::open_photos(made.folder.path(), made.paths, options(kAll - 1));
  BOOST_TEST(progress.back() == small_folder::kPhotos);
  BOOST_TEST(kept.photos.in_memory());
  BOOST_TEST(!streamed.photos.in_memory());
  BOOST_TEST(kept.photos.fingerprint() == streamed.photos.fingerprint());
  BOOST_TEST(kept.paths == streamed.paths, boost::test_tools::per_element());
  for (imgsim::opened_photos* opened : {&kept, &streamed}) {
    BOOST_TEST(opened->photos.size() == small_folder::kPhotos - 1);
    BOOST_REQUIRE(opened->skipped.size() == 1);
    BOOST_TEST(opened->skipped[0].path == "4.png");
    BOOST_TEST(opened->paths[4] == "5.png");
    std::vector<std::size_t> order{9, 0, 4, 3, 8, 1, 2};
    std::vector<std::uint8_t> expected;
    for (const std::size_t row : order) expected.push_back(small_folder::grey(row < 4 ? row : row + 1));
    std::vector<std::uint8_t> seen;
    opened->photos.plan(order, 3);
    for (std::size_t first = 0; first < order.size(); first += 3) {
      const auto end = order.begin() + static_cast<std::ptrdiff_t>(std::min(first + 3, order.size()));
      const auto part = first_pixels(opened->photos, {order.begin() + static_cast<std::ptrdiff_t>(first), end});
      seen.insert(seen.end(), part.begin(), part.end());
    }
    BOOST_TEST(seen == expected, boost::test_tools::per_element());
    // Out of the announced order, and with no announcement left.
    opened->photos.plan(order, 3);
    BOOST_TEST(first_pixels(opened->photos, {1, 1})[1] == small_folder::grey(1));
    BOOST_TEST(first_pixels(opened->photos, {0})[0] == small_folder::grey(0));
    BOOST_TEST(first_pixels(opened->photos, {}).empty());
    BOOST_CHECK_THROW(first_pixels(opened->photos, {10}), imgsim::invalid_argument);
  }
}

BOOST_AUTO_TEST_CASE(fingerprints_tell_photos_and_their_order_apart) {
  const small_folder made;
  const auto fingerprint = [&](const std::vector<std::string>& paths) {
    return imgsim::open_photos(made.folder.path(), paths, options(kAll)).photos.fingerprint();
  };
  BOOST_TEST(fingerprint({"0.png", "1.png"}) != fingerprint({"1.png", "0.png"}));
  BOOST_TEST(fingerprint({"0.png", "1.png"}) != fingerprint({"0.png"}));
  BOOST_TEST(fingerprint({"0.png", "4.png"}) == fingerprint({"0.png"}));
}

BOOST_AUTO_TEST_CASE(a_photo_that_vanishes_is_an_error_with_its_path) {
  const small_folder made;
  imgsim::opened_photos streamed = imgsim::open_photos(made.folder.path(), made.paths, options(0));
  std::filesystem::remove(made.folder.path() / "2.png");
  BOOST_CHECK_EXCEPTION(first_pixels(streamed.photos, {1, 2}), imgsim::io_error,
                        [](const auto& e) { return std::string(e.what()).find("2.png") != std::string::npos; });
  BOOST_TEST(first_pixels(streamed.photos, {1})[0] == small_folder::grey(1));
}

BOOST_AUTO_TEST_CASE(no_photos_are_no_error) {
  const small_folder made;
  const auto none = imgsim::open_photos(made.folder.path(), {}, options(0));
  BOOST_TEST(none.photos.size() == 0u);
  const auto broken = imgsim::open_photos(made.folder.path(), {"4.png"}, options(kAll));
  BOOST_TEST(broken.photos.size() == 0u);
  BOOST_TEST(broken.skipped.size() == 1u);
}

BOOST_AUTO_TEST_CASE(splits_are_whole_disjoint_and_from_the_seed) {
  for (const std::size_t count : {0, 1, 2, 3, 10, 101}) {
    for (const double fraction : {0.0, 0.001, 0.2, 0.5, 0.999}) {
      const imgsim::photo_split split = imgsim::split_photos(count, fraction, 5);
      std::vector<std::size_t> all = split.training;
      all.insert(all.end(), split.validation.begin(), split.validation.end());
      std::ranges::sort(all);
      std::vector<std::size_t> expected(count);
      std::iota(expected.begin(), expected.end(), std::size_t{0});
      BOOST_TEST(all == expected, boost::test_tools::per_element());
      BOOST_TEST(std::ranges::is_sorted(split.training));
      BOOST_TEST(std::ranges::is_sorted(split.validation));
      if (count > 1) BOOST_TEST(!split.training.empty());
      if (count > 1) BOOST_TEST(split.validation.empty() == (fraction == 0.0));
    }
  }
  BOOST_TEST(imgsim::split_photos(101, 0.2, 5).validation.size() == 20u);
  BOOST_TEST((imgsim::split_photos(101, 0.2, 5).validation == imgsim::split_photos(101, 0.2, 5).validation));
  BOOST_TEST((imgsim::split_photos(101, 0.2, 5).validation != imgsim::split_photos(101, 0.2, 6).validation));
  for (const double bad : {-0.1, 1.0, 2.0})
    BOOST_CHECK_THROW(std::ignore = imgsim::split_photos(10, bad, 0), imgsim::invalid_argument);
}

BOOST_AUTO_TEST_SUITE_END()
