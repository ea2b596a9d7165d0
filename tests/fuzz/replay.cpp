// Every target on its seeds, on inputs that are known to break readers, by thought or because a fuzzer found them
// (inputs/TARGET/), and on damaged seeds. No fuzzer is needed: it runs in every build, under the sanitizers too.
#include <algorithm>
#include <filesystem>
#include <iterator>
#include <string>

#include <boost/test/unit_test.hpp>

#include <imgsim/core/file.hpp>
#include <imgsim/core/random.hpp>
#include <imgsim/image/decode.hpp>
#include <support/damaged.hpp>
#include <support/test_data.hpp>

#include "target.hpp"

namespace {

using imgsim_fuzz::bytes;
using imgsim_fuzz::target;
using imgsim_test::damaged;

}  // namespace

BOOST_AUTO_TEST_SUITE(fuzz_replay)

BOOST_AUTO_TEST_CASE(every_target_reads_a_seed) {
  for (const target* one : imgsim_fuzz::targets) {
    const std::vector<bytes> seeds = one->seeds();
    BOOST_TEST(std::ranges::any_of(seeds, [&](const bytes& seed) { return one->read(seed); }), one->name);
  }
}

BOOST_AUTO_TEST_CASE(known_inputs_are_read_or_refused_as_they_should_be) {
  const std::filesystem::path known = std::filesystem::path(IMGSIM_TEST_SOURCE_DIR) / "fuzz" / "inputs";
  std::size_t folders = 0;
  for (const target* one : imgsim_fuzz::targets) {
    if (!std::filesystem::exists(known / one->name)) continue;
    ++folders;
    for (const auto& file : std::filesystem::recursive_directory_iterator(known / one->name)) {
      if (file.is_directory()) continue;
      const std::string outcome = file.path().parent_path().filename();
      BOOST_TEST_CONTEXT(file.path()) {
        BOOST_REQUIRE((outcome == "read" || outcome == "refused"));
        BOOST_CHECK_NO_THROW(BOOST_TEST(one->read(imgsim::read_file(file.path(), 1u << 24)) == (outcome == "read")));
      }
    }
  }
  // A folder of another name would be passed over in silence.
  BOOST_TEST(folders == static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(known), {})));
}

BOOST_AUTO_TEST_CASE(damaged_seeds_are_read_or_refused) {
  constexpr std::uint64_t kDamaged = 400;  // of each seed
  for (const target* one : imgsim_fuzz::targets) {
    const std::vector<bytes> seeds = one->seeds();
    std::size_t refused = 0;
    for (std::size_t s = 0; s < seeds.size(); ++s) {
      for (std::uint64_t i = 0; i < kDamaged; ++i) {
        imgsim::random_stream random(i, s);
        const bytes input = damaged(seeds[s], random);
        BOOST_TEST_CONTEXT(one->name << ", seed " << s << ", damage " << i) {
          BOOST_CHECK_NO_THROW(refused += one->read(input) ? 0 : 1);
        }
      }
    }
    BOOST_TEST(refused > 0u, one->name);
  }
}

BOOST_AUTO_TEST_CASE(broken_photos_are_read_or_refused, *imgsim_test::needs_data("bad")) {
  for (const auto& file : std::filesystem::recursive_directory_iterator(imgsim_test::data_folder() / "bad")) {
    if (!file.is_regular_file() || file.file_size() > (1u << 24)) continue;
    BOOST_TEST_CONTEXT(file.path())
    BOOST_CHECK_NO_THROW(imgsim_fuzz::photo_target.read(imgsim::read_file(file.path(), 1u << 24)));
  }
}

BOOST_AUTO_TEST_SUITE_END()
