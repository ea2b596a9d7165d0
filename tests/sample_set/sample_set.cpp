// The demo's photos: the same for every thread count, twelve classes, no picture twice.
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "sample_set/sample_set.hpp"
#include "support/temporary_folder.hpp"

#include <imgsim/core/file.hpp>
#include <imgsim/image/decode.hpp>

using namespace imgsim;
namespace samples = imgsim::sample_set;

namespace {

/// Path below `folder` -> bytes.
std::map<std::string, std::vector<std::byte>> contents(const std::filesystem::path& folder) {
  std::map<std::string, std::vector<std::byte>> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
    if (entry.is_regular_file())
      files[std::filesystem::relative(entry.path(), folder).string()] = read_file(entry.path(), 1u << 20);
  return files;
}

std::map<std::string, std::vector<std::byte>> written(std::uint64_t seed, std::size_t count, std::size_t threads) {
  const imgsim_test::temporary_folder folder;
  thread_pool pool(threads);
  samples::write_sample_set(folder.path(), seed, count, pool);
  return contents(folder.path());
}

double mean_difference(const rgb_image& a, const rgb_image& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.pixels.size(); ++i)
    sum += std::abs(static_cast<int>(a.pixels[i]) - static_cast<int>(b.pixels[i]));
  return sum / static_cast<double>(a.pixels.size());
}

}  // namespace

BOOST_AUTO_TEST_SUITE(sample_set)

BOOST_AUTO_TEST_CASE(bytes_depend_on_the_seed_and_not_on_threads) {
  const auto one = written(5, 144, 1), three = written(5, 144, 3), other = written(6, 144, 3);
  BOOST_TEST(one.size() == 144u);
  BOOST_TEST((one == three));
  std::size_t shared = 0;
  for (const auto& [path, bytes] : one) shared += other.at(path) == bytes ? 1 : 0;
  BOOST_TEST(shared == 0u);
}

BOOST_AUTO_TEST_CASE(the_default_set_is_varied) {
  const auto files = written(0, samples::kDefaultCount, 2);
  BOOST_TEST(files.size() == samples::kDefaultCount);
  for (const std::string& path : samples::sample_set_paths(samples::kDefaultCount)) BOOST_TEST(files.contains(path));
  std::map<std::string, std::size_t> members, changes;
  std::set<std::string_view> distinct;
  for (const auto& [path, bytes] : files) {
    ++members[path.substr(0, path.find('/'))];
    const std::string stem = std::filesystem::path(path).stem().string();
    if (const std::size_t dash = stem.rfind('-'); dash != stem.find('-')) ++changes[stem.substr(dash + 1)];
    BOOST_TEST(distinct.insert(text_of(bytes)).second, path << " has the bytes of another picture");
    const rgb_image picture = decode_image(bytes);
    BOOST_TEST(picture.width == samples::kPictureSize);
    BOOST_TEST(picture.height == samples::kPictureSize);
    // Not one colour: the levels spread.
    double sum = 0, squares = 0;
    for (const std::uint8_t level : picture.pixels) {
      sum += level;
      squares += static_cast<double>(level) * level;
    }
    const double count = static_cast<double>(picture.pixels.size()), mean = sum / count;
    BOOST_TEST(std::sqrt(squares / count - mean * mean) > 4.0, path << " is almost one colour");
  }
  BOOST_TEST(members.size() == samples::kClassNames.size());
  for (const auto& [name, count] : members) BOOST_TEST(count == 60u, name << " has " << count);
  BOOST_TEST(changes.size() == 5u);
  for (const auto& [name, count] : changes) BOOST_TEST(count == 24u, name << " was made " << count << " times");
}

BOOST_AUTO_TEST_CASE(near_duplicates_look_like_their_originals) {
  const auto files = written(1, 360, 2);
  std::size_t seen = 0;
  for (const auto& [path, bytes] : files) {
    const std::filesystem::path file(path);
    const std::string stem = file.stem().string();
    const std::size_t dash = stem.rfind('-');
    if (dash == stem.find('-')) continue;
    ++seen;
    const auto original = files.find((file.parent_path() / (stem.substr(0, dash) + ".jpg")).string());
    BOOST_TEST_REQUIRE((original != files.end()), path << " has no original");
    rgb_image copy = decode_image(bytes);
    const rgb_image from = decode_image(original->second);
    if (stem.substr(dash + 1) == "mirror")
      for (std::size_t y = 0; y < copy.height; ++y)
        for (std::size_t x = 0; x < copy.width / 2; ++x)
          for (std::size_t c = 0; c < 3; ++c)
            std::swap(copy.pixels[3 * (y * copy.width + x) + c],
                      copy.pixels[3 * (y * copy.width + copy.width - 1 - x) + c]);
    if (stem.substr(dash + 1) == "crop") continue;  // every edge moves
    BOOST_TEST(mean_difference(copy, from) < 70, path << " differs by " << mean_difference(copy, from));
    BOOST_TEST(mean_difference(copy, from) > 0);
  }
  BOOST_TEST(seen == 60u);
}

BOOST_AUTO_TEST_CASE(a_size_shows_the_same_scene) {
  for (std::size_t kind = 0; kind < samples::kClassNames.size(); ++kind) {
    const rgb_image large = samples::render_sample(3, kind, 4, 128), small = samples::render_sample(3, kind, 4, 64);
    double sums[2] = {};
    for (const std::uint8_t level : large.pixels) sums[0] += level;
    for (const std::uint8_t level : small.pixels) sums[1] += level;
    BOOST_TEST(sums[0] / 4 / sums[1] == 1.0, boost::test_tools::tolerance(0.02));
    BOOST_TEST(samples::render_sample(3, kind, 4, 1).pixels.size() == 3u);
  }
  BOOST_CHECK_THROW((void)samples::render_sample(0, 12, 0), invalid_argument);
  BOOST_CHECK_THROW((void)samples::render_sample(0, 0, 0, 0), invalid_argument);
}

BOOST_AUTO_TEST_CASE(small_sets_and_stops) {
  BOOST_TEST(written(0, 0, 1).empty());
  BOOST_TEST(written(0, 5, 2).size() == 5u);
  const imgsim_test::temporary_folder folder;
  thread_pool pool(2);
  std::atomic<std::size_t> last{0};
  const auto stop = [&](std::size_t done, std::size_t total) {
    BOOST_REQUIRE(total == 48u);
    last = done;
    if (done >= 5) throw cancelled("stopped");
  };
  BOOST_CHECK_THROW(samples::write_sample_set(folder.path(), 0, 48, pool, stop), cancelled);
  BOOST_TEST(contents(folder.path()).size() < 48u);
  write_file(folder.path() / "file", std::string_view("in the way"));
  BOOST_CHECK_THROW(samples::write_sample_set(folder.path() / "file", 0, 1, pool), io_error);
}

BOOST_AUTO_TEST_SUITE_END()
