// Every target on its seeds, on inputs that are known to break readers, by thought or because a fuzzer found them
// (inputs/TARGET/), and on damaged seeds. No fuzzer is needed: it runs in every build, under the sanitizers too.
#include <algorithm>
#include <array>
#include <filesystem>
#include <string>

#include <boost/test/unit_test.hpp>

#include <imgsim/core/file.hpp>
#include <imgsim/core/random.hpp>
#include <imgsim/image/decode.hpp>
#include <support/test_data.hpp>

#include "target.hpp"

namespace {

using imgsim_fuzz::bytes;
using imgsim_fuzz::target;

/// What has broken readers before: the ends of the ranges of numbers, unclosed nesting, text that is none.
bytes hostile_piece(imgsim::random_stream& random) {
  static const std::array<std::string, 14> kPieces{"18446744073709551615",
                                                   "18446744073709551616",
                                                   "-1",
                                                   "1e999",
                                                   "null",
                                                   "{}",
                                                   "[]",
                                                   "\"\"",
                                                   "\"..\"",
                                                   std::string(64, '['),
                                                   "\xff\xfe\xed\xa0\x80",
                                                   std::string(8, '\xff'),
                                                   std::string(8, '\0'),
                                                   std::string("\0\0\0\x7f", 4)};
  return imgsim_fuzz::bytes_of_text(kPieces[random.below(kPieces.size())]);
}

/// One to four changes: bytes flipped, overwritten, put in, taken out, said twice, or the end cut off.
bytes damaged(bytes input, imgsim::random_stream& random) {
  for (std::uint64_t change = random.below(4) + 1; change > 0 && !input.empty(); --change) {
    const auto at = static_cast<std::ptrdiff_t>(random.below(input.size()));
    const auto rest = static_cast<std::ptrdiff_t>(input.size()) - at;
    switch (random.below(6)) {
      case 0:
        input[static_cast<std::size_t>(at)] ^= static_cast<std::byte>(1u << random.below(8));
        break;
      case 1: {
        const bytes piece = hostile_piece(random);
        std::copy_n(piece.begin(), std::min<std::ptrdiff_t>(rest, std::ssize(piece)), input.begin() + at);
        break;
      }
      case 2: {
        const bytes piece = hostile_piece(random);
        input.insert(input.begin() + at, piece.begin(), piece.end());
        break;
      }
      case 3:
        input.erase(input.begin() + at, input.begin() + at + std::min<std::ptrdiff_t>(rest, 1 + at % 7));
        break;
      case 4: {
        const bytes part(input.begin() + at, input.begin() + at + std::min<std::ptrdiff_t>(rest, 40));
        input.insert(input.begin() + at, part.begin(), part.end());
        break;
      }
      default:
        input.resize(static_cast<std::size_t>(at));
    }
  }
  return input;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(fuzz_replay)

BOOST_AUTO_TEST_CASE(every_target_reads_a_seed) {
  for (const target* one : imgsim_fuzz::targets) {
    const std::vector<bytes> seeds = one->seeds();
    BOOST_TEST(std::ranges::any_of(seeds, [&](const bytes& seed) { return one->read(seed); }), one->name);
  }
}

BOOST_AUTO_TEST_CASE(known_inputs_are_read_or_refused) {
  const std::filesystem::path known = std::filesystem::path(IMGSIM_TEST_SOURCE_DIR) / "fuzz" / "inputs";
  std::size_t files = 0;
  for (const target* one : imgsim_fuzz::targets) {
    if (!std::filesystem::exists(known / one->name)) continue;
    for (const auto& file : std::filesystem::directory_iterator(known / one->name)) {
      BOOST_TEST_CONTEXT(file.path()) BOOST_CHECK_NO_THROW(one->read(imgsim::read_file(file.path(), 1u << 24)));
      ++files;
    }
  }
  BOOST_TEST(files > 0u);
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
