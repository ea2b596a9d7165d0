#include <imgsim/image/photo_loader.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <sys/stat.h>

#include <boost/test/unit_test.hpp>

#include <imgsim/image/encode.hpp>

#include "image/made_files.hpp"
#include "support/temporary_folder.hpp"

namespace {

namespace fs = std::filesystem;
using imgsim::loader_options;
using imgsim::photo_batch;
using imgsim::photo_loader;
using imgsim_test::gradient;
using imgsim_test::temporary_folder;

void write(const fs::path& path, const std::vector<std::byte>& content) {
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(content.data()), static_cast<std::streamsize>(content.size()));
}

/// Photo i is one colour, which says i; those in `damaged` hold no picture.
std::vector<std::string> make_photos(const fs::path& folder, std::size_t count,
                                     const std::vector<std::size_t>& damaged = {}) {
  std::vector<std::string> paths;
  for (std::size_t i = 0; i < count; ++i) {
    imgsim::rgb_image image = gradient(5 + i % 7, 9);
    std::ranges::fill(image.pixels, static_cast<std::uint8_t>(i));
    paths.push_back("photo" + std::to_string(i) + ".png");
    const bool whole = std::ranges::find(damaged, i) == damaged.end();
    write(folder / paths.back(), whole ? imgsim::encode_png(image.view()) : std::vector<std::byte>(3));
  }
  return paths;
}

/// Everything that a loader gives, with the size of each batch.
struct outcome {
  std::vector<std::size_t> batches, rows;
  std::vector<std::string> skipped;
  bool operator==(const outcome&) const = default;
};

outcome drain(photo_loader& loader, const loader_options& options, bool recycle = false) {
  outcome all;
  while (std::optional<photo_batch> batch = loader.next()) {
    all.batches.push_back(batch->rows.size());
    BOOST_TEST(
        (batch->pixels.extents() == std::array<std::size_t, 4>{batch->rows.size(), options.height, options.width, 3}));
    for (std::size_t i = 0; i < batch->rows.size(); ++i) {
      all.rows.push_back(batch->rows[i]);
      const auto photo = batch->pixels.view().slice(i, 1);
      BOOST_TEST(std::all_of(photo.data(), photo.data() + photo.size(),
                             [&](std::uint8_t level) { return level == batch->rows[i] % 256; }));
    }
    for (const imgsim::skipped_file& file : batch->skipped) all.skipped.push_back(file.path + ": " + file.reason);
    if (recycle) loader.recycle(std::move(*batch));
  }
  BOOST_TEST(!loader.next().has_value());
  return all;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(loading)

BOOST_AUTO_TEST_CASE(the_result_does_not_depend_on_threads_or_on_reading_ahead) {
  const temporary_folder folder;
  const std::vector<std::string> paths = make_photos(folder.path(), 50, {0, 7, 8, 9, 10, 11, 49});
  std::optional<outcome> first;
  for (const std::size_t threads : {1, 2, 5, 0}) {
    for (const std::size_t ahead : {1, 3, 100}) {
      for (const bool recycle : {false, true}) {
        const loader_options options{.height = 6, .width = 4, .batch = 5, .threads = threads, .ahead = ahead};
        photo_loader loader(folder.path(), paths, options);
        const outcome all = drain(loader, options, recycle);
        if (!first) first = all;
        BOOST_TEST((all == *first));
      }
    }
  }
  BOOST_TEST(first->batches == (std::vector<std::size_t>{4, 2, 3, 5, 5, 5, 5, 5, 5, 4}),
             boost::test_tools::per_element());
  BOOST_TEST(std::ranges::is_sorted(first->rows));
  BOOST_TEST(first->skipped.size() == 7U);
  BOOST_TEST(first->skipped[1] == "photo7.png: it is no JPEG, PNG or WebP picture");
}

BOOST_AUTO_TEST_CASE(a_batch_of_failures_is_delivered_too) {
  const temporary_folder folder;
  const std::vector<std::string> paths = make_photos(folder.path(), 6, {2, 3});
  const loader_options options{.height = 3, .width = 3, .batch = 2, .threads = 2};
  photo_loader loader(folder.path(), paths, options);
  const outcome all = drain(loader, options);
  BOOST_TEST(all.batches == (std::vector<std::size_t>{2, 0, 2}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(edges_of_the_batch_size) {
  const temporary_folder folder;
  const std::vector<std::string> paths = make_photos(folder.path(), 4);
  for (const auto& [batch, sizes] : std::vector<std::pair<std::size_t, std::vector<std::size_t>>>{
           {1, {1, 1, 1, 1}}, {3, {3, 1}}, {4, {4}}, {1000, {4}}}) {
    const loader_options options{.height = 8, .width = 8, .batch = batch};
    photo_loader loader(folder.path(), paths, options);
    BOOST_TEST(drain(loader, options).batches == sizes, boost::test_tools::per_element());
  }
  photo_loader none(folder.path(), {}, {.height = 8, .width = 8});
  BOOST_TEST(!none.next().has_value());
}

BOOST_AUTO_TEST_CASE(photos_are_resized_as_by_hand) {
  const temporary_folder folder;
  const imgsim::rgb_image image = gradient(37, 23);
  write(folder.path() / "a.png", imgsim::encode_png(image.view()));
  photo_loader loader(folder.path(), {"a.png"}, {.height = 11, .width = 13});
  const std::optional<photo_batch> batch = loader.next();
  BOOST_REQUIRE(batch.has_value());
  imgsim::rgb_image expected{13, 11, std::vector<std::uint8_t>(13 * 11 * 3)};
  resize_bilinear(image.view(), expected.view());
  BOOST_TEST(std::ranges::equal(batch->pixels, expected.pixels));
}

BOOST_AUTO_TEST_CASE(no_more_than_the_batches_ahead_are_touched) {
  const temporary_folder folder;
  const std::vector<std::string> paths = make_photos(folder.path(), 8);
  const loader_options options{.height = 2, .width = 2, .batch = 2, .threads = 4, .ahead = 2};
  photo_loader loader(folder.path(), paths, options);
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  for (std::size_t i = 4; i < 8; ++i) fs::remove(folder.path() / paths[i]);  // nothing has read them yet
  const outcome all = drain(loader, options);
  BOOST_TEST(all.rows == (std::vector<std::size_t>{0, 1, 2, 3}), boost::test_tools::per_element());
  BOOST_TEST(all.skipped.size() == 4U);
  BOOST_TEST(all.skipped[0] == "photo4.png: cannot be opened: No such file or directory");
}

BOOST_AUTO_TEST_CASE(every_kind_of_failure_is_a_reason) {
  const temporary_folder folder;
  BOOST_REQUIRE(::mkfifo((folder.path() / "pipe.jpg").c_str(), 0600) == 0);
  const auto png = imgsim::encode_png(gradient(40, 40).view());
  write(folder.path() / "cut.png", {png.begin(), png.end() - 20});
  write(folder.path() / "large.png", png);
  write(folder.path() / "-\n\xff.png", imgsim::encode_png(gradient(4, 4).view()));
  const std::vector<std::string> paths = {"absent.jpg", "pipe.jpg", "cut.png", "large.png", "-\n\xff.png"};
  const loader_options options{.height = 2, .width = 2, .limits = {.max_pixels = 1599}};
  photo_loader loader(folder.path(), paths, options);
  const std::optional<photo_batch> batch = loader.next();
  BOOST_REQUIRE(batch.has_value());
  BOOST_TEST(batch->rows == (std::vector<std::size_t>{4}), boost::test_tools::per_element());
  BOOST_REQUIRE(batch->skipped.size() == 4U);
  for (std::size_t i = 0; i < 4; ++i) {
    BOOST_TEST(batch->skipped[i].path == paths[i]);
    BOOST_TEST(batch->skipped[i].reason.find(folder.path().string()) == std::string::npos);
  }
  BOOST_TEST(batch->skipped[1].reason == "is a named pipe, not a file");
  BOOST_TEST(batch->skipped[3].reason.find("--max-pixels") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(leaving_early_stops_the_threads) {
  const temporary_folder folder;
  const std::vector<std::string> paths = make_photos(folder.path(), 40);
  for (int after = 0; after < 4; ++after) {
    photo_loader loader(folder.path(), paths, {.height = 16, .width = 16, .batch = 3, .threads = 3});
    for (int i = 0; i < after; ++i) BOOST_TEST(loader.next().has_value());
  }
}

BOOST_AUTO_TEST_CASE(memory_given_back_is_used_again) {
  const temporary_folder folder;
  const std::vector<std::string> paths = make_photos(folder.path(), 12);
  photo_loader loader(folder.path(), paths, {.height = 8, .width = 8, .batch = 2, .threads = 1, .ahead = 1});
  std::optional<photo_batch> batch = loader.next();
  const std::uint8_t* const memory = batch->pixels.data();
  loader.recycle(std::move(*batch));
  // The batch after next at the latest: the next one may have been begun before.
  bool again = false;
  for (int i = 0; i < 2; ++i) again = loader.next()->pixels.data() == memory || again;
  BOOST_TEST(again);
  loader.recycle(photo_batch{});  // of another shape: let go
  BOOST_TEST(loader.next()->rows.size() == 2U);
}

BOOST_AUTO_TEST_CASE(options_that_make_no_sense_are_refused) {
  for (const loader_options& options :
       {loader_options{.height = 0, .width = 4}, loader_options{.height = 4, .width = 0},
        loader_options{.height = 4, .width = 4, .batch = 0}, loader_options{.height = 4, .width = 4, .ahead = 0}})
    BOOST_CHECK_THROW(photo_loader(".", {"a.jpg"}, options), imgsim::invalid_argument);
}

BOOST_AUTO_TEST_SUITE_END()
