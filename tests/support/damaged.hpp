// Damage as it breaks readers, the same on every run.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <imgsim/core/file.hpp>
#include <imgsim/core/random.hpp>

namespace imgsim_test {

/// What has broken readers before: the ends of the ranges of numbers, unclosed nesting, text that is none.
[[nodiscard]] inline std::vector<std::byte> hostile_piece(imgsim::random_stream& random) {
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
  const auto piece = imgsim::bytes_of(kPieces[random.below(kPieces.size())]);
  return {piece.begin(), piece.end()};
}

/// One to four changes: bytes flipped, overwritten, put in, taken out, said twice, or the end cut off.
[[nodiscard]] inline std::vector<std::byte> damaged(std::vector<std::byte> input, imgsim::random_stream& random) {
  for (std::uint64_t change = random.below(4) + 1; change > 0 && !input.empty(); --change) {
    const auto at = static_cast<std::ptrdiff_t>(random.below(input.size()));
    const auto rest = static_cast<std::ptrdiff_t>(input.size()) - at;
    switch (random.below(6)) {
      case 0:
        input[static_cast<std::size_t>(at)] ^= static_cast<std::byte>(1u << random.below(8));
        break;
      case 1: {
        const std::vector<std::byte> piece = hostile_piece(random);
        std::copy_n(piece.begin(), std::min<std::ptrdiff_t>(rest, std::ssize(piece)), input.begin() + at);
        break;
      }
      case 2: {
        const std::vector<std::byte> piece = hostile_piece(random);
        input.insert(input.begin() + at, piece.begin(), piece.end());
        break;
      }
      case 3:
        input.erase(input.begin() + at, input.begin() + at + std::min<std::ptrdiff_t>(rest, 1 + at % 7));
        break;
      case 4: {
        const std::vector<std::byte> part(input.begin() + at, input.begin() + at + std::min<std::ptrdiff_t>(rest, 40));
        input.insert(input.begin() + at, part.begin(), part.end());
        break;
      }
      default:
        input.resize(static_cast<std::size_t>(at));
    }
  }
  return input;
}

}  // namespace imgsim_test
