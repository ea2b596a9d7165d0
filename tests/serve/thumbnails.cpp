// Thumbnails, and the folder that keeps them.
#include <algorithm>
#include <filesystem>
#include <utility>

#include <boost/test/unit_test.hpp>

#include <imgsim/image/decode.hpp>
#include <imgsim/image/encode.hpp>

#include "serve/served_index.hpp"

using namespace imgsim_test;

BOOST_AUTO_TEST_SUITE(serve_thumbnails)

namespace {

namespace fs = std::filesystem;

/// A photo of 400 x 100 pixels whose file is larger than a thumbnail.
void put_noise(const trained_folder& made, const std::string& name, std::uint64_t seed) {
  imgsim::rgb_image noise{.width = 400, .height = 100, .pixels = std::vector<std::uint8_t>(400 * 100 * 3)};
  imgsim::random_stream random(seed, 0);
  for (std::uint8_t& value : noise.pixels) value = static_cast<std::uint8_t>(random.next());
  imgsim::write_file(made.photo(name), imgsim::encode_png(std::as_const(noise).view()));
}

void index_again(const trained_folder& made) {
  static_cast<void>(must_run({"index", "--images", made.photos(), "--index", made.index(), "--quiet"}));
}

std::vector<fs::path> thumbnails_in(const fs::path& folder) {
  std::vector<fs::path> found;
  for (const auto& file : fs::recursive_directory_iterator(folder))
    if (file.path().extension() == ".jpg") found.push_back(file.path());
  std::ranges::sort(found);
  return found;
}

/// Once the folder holds as many.
std::vector<fs::path> kept_when(const fs::path& folder, std::size_t count) {
  for (int i = 0; i < 400; ++i) {
    if (auto found = thumbnails_in(folder); found.size() == count) return found;
    std::this_thread::sleep_for(std::chrono::milliseconds(25));
  }
  throw std::runtime_error("not " + std::to_string(count) + " thumbnails but " +
                           std::to_string(thumbnails_in(folder).size()));
}

/// A file with a hole of `bytes`.
fs::path put_file(const fs::path& file, std::uintmax_t bytes, std::chrono::hours age) {
  write_text(file, "");
  fs::resize_file(file, bytes);
  fs::last_write_time(file, fs::file_time_type::clock::now() - age);
  return file;
}

std::string thumbnail_of(const served_index& server, const std::string& path) {
  const auto photos = server.get("/api/photos").json();
  const auto& paths = photos.at("paths");
  const auto found = std::find(paths.begin(), paths.end(), path);
  BOOST_REQUIRE((found != paths.end()));
  return server.get(picture_target(photos, static_cast<std::size_t>(found - paths.begin()), "thumbnail")).body;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_large_photo_gets_one_of_256_pixels_that_is_kept_for_the_next_run) {
  const trained_folder made;
  put_noise(made, "red/wide.png", 1);
  index_again(made);
  const temporary_folder kept;
  const auto thumbnail = [&] {
    const served_index server(made.index(), {"--thumbnails", (kept.path() / "t").string()});
    static_cast<void>(kept_when(kept.path(), 1));  // those of small photos are not kept
    return thumbnail_of(server, "red/wide.png");
  };
  const std::string first = thumbnail();
  const imgsim::rgb_image small = imgsim::decode_image(std::as_bytes(std::span(first)));
  BOOST_TEST(small.width == 256u);
  BOOST_TEST(small.height == 64u);
  const fs::path file = thumbnails_in(kept.path()).front();
  write_text(file, first.substr(0, first.size() / 2));
  BOOST_TEST(thumbnail() == first);  // made again: the one that is kept is damaged
  BOOST_TEST(thumbnail() == first);
  BOOST_TEST(read_text(file) == first);
  fs::remove(made.photo("red/wide.png"));
  BOOST_TEST(thumbnail() == first);  // from the folder: the photo is gone
  const auto allowed = fs::status(kept.path() / "t").permissions();
  BOOST_TEST(((allowed & fs::perms::others_all) == fs::perms::none));
}

BOOST_AUTO_TEST_CASE(the_folder_follows_the_index) {
  const trained_folder made;
  for (const std::uint64_t i : {1U, 2U}) put_noise(made, "red/noise" + std::to_string(i) + ".png", i);
  index_again(made);
  const temporary_folder kept;
  const served_index server(made.index(), {"--thumbnails", (kept.path() / "t").string()});
  const auto before = kept_when(kept.path(), 2);
  for (const std::uint64_t i : {3U, 4U}) put_noise(made, "red/noise" + std::to_string(i) + ".png", i);
  index_again(made);  // nobody looks at the page meanwhile
  const auto more = kept_when(kept.path(), 4);
  BOOST_TEST(std::ranges::includes(more, before));
  for (const char* gone : {"red/noise1.png", "red/noise2.png"}) fs::remove(made.photo(gone));
  index_again(made);
  const auto after = kept_when(kept.path(), 2);
  BOOST_TEST(std::ranges::includes(more, after));
  BOOST_TEST((after != before));
}

BOOST_AUTO_TEST_CASE(an_index_that_calls_no_hash_a_hash_makes_no_file_of_it) {
  const trained_folder made;
  put_noise(made, "zzz.png", 1);
  index_again(made);
  const std::string list = made.index() + "/images.jsonl";
  std::string text = read_text(list);
  const std::string field = "\"hash\":\"";
  text.replace(text.find(field) + field.size(), 32, "aa/evil/000000000000000000000000");
  write_text(list, text);
  const temporary_folder kept;
  const served_index server(made.index(), {"--thumbnails", (kept.path() / "t").string()});
  const auto photos = server.get("/api/photos").json();
  BOOST_TEST(server.get(picture_target(photos, 0, "thumbnail")).status == 404);
  BOOST_TEST(server.get(picture_target(photos, 1, "thumbnail")).status == 200);
  static_cast<void>(kept_when(kept.path(), 1));
  for (const auto& file : fs::recursive_directory_iterator(kept.path()))
    BOOST_TEST(file.path().string().find("evil") == std::string::npos, file.path().string());
}

BOOST_AUTO_TEST_CASE(those_not_wanted_for_longest_make_room_and_other_files_stay) {
  const temporary_folder kept;
  const auto folder = kept.path() / "t" / "0a";
  fs::create_directories(folder);
  const std::uintmax_t half = std::uintmax_t{1} << 30;  // of what the folder may hold
  const auto hash = [](char last) { return "0a" + std::string(29, '7') + last + "-256.jpg"; };
  const auto oldest = put_file(folder / hash('1'), half, std::chrono::hours(30));
  const auto older = put_file(folder / hash('2'), half, std::chrono::hours(20));
  const auto newest = put_file(folder / hash('3'), 1000, std::chrono::hours(10));
  const auto other = put_file(folder / ("0a" + std::string(30, '7') + ".jpg"), 3 * half, std::chrono::hours(40));
  const trained_folder made;
  const served_index server(made.index(), {"--thumbnails", (kept.path() / "t").string()});
  for (int i = 0; i < 400 && fs::exists(oldest); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(50));
  BOOST_TEST(!fs::exists(oldest));
  BOOST_TEST(fs::exists(older));
  BOOST_TEST(fs::exists(newest));
  BOOST_TEST(fs::exists(other));
}

BOOST_AUTO_TEST_CASE(those_that_no_index_had_for_60_days_go) {
  const temporary_folder kept;
  const auto folder = kept.path() / "t" / "0a";
  fs::create_directories(folder);
  const auto aged = [&](char last, int days) {
    return put_file(folder / ("0a" + std::string(29, '7') + last + "-256.jpg"), 10, std::chrono::hours(24 * days));
  };
  const auto recent = aged('1', 59), unused = aged('2', 61);
  const trained_folder made;
  const served_index server(made.index(), {"--thumbnails", (kept.path() / "t").string()});
  static_cast<void>(kept_when(kept.path(), 1));
  BOOST_TEST(fs::exists(recent));
  BOOST_TEST(!fs::exists(unused));
}

BOOST_AUTO_TEST_SUITE_END()
