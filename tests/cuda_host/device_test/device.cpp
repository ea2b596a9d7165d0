// The device side of the runner does what the Programming Guide says of each function.
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <sstream>
#include <string>
#include <vector>

#include "cuda_host/device_test/kernels.hpp"
#include "cuda_host/runner/options.hpp"
#include "cuda_host/support/child.hpp"
#include "cuda_host/support/device_array.hpp"

namespace {

using imgsim_test::device_array;
using imgsim_test::test_stream;

/// A number of `exponent_bits` and `fraction_bits` below its sign, by the definition of IEEE 754.
float decode(unsigned bits, int exponent_bits, int fraction_bits) {
  const int bias = (1 << (exponent_bits - 1)) - 1;
  const int exponent = static_cast<int>(bits >> fraction_bits) & ((1 << exponent_bits) - 1);
  const auto fraction = static_cast<float>(bits & ((1u << fraction_bits) - 1)) / static_cast<float>(1 << fraction_bits);
  const float sign = (bits >> (exponent_bits + fraction_bits) & 1u) != 0 ? -1.0f : 1.0f;
  if (exponent == (1 << exponent_bits) - 1) {
    return fraction == 0 ? sign * std::numeric_limits<float>::infinity() : std::numeric_limits<float>::quiet_NaN();
  }
  return exponent == 0 ? sign * std::ldexp(fraction, 1 - bias) : sign * std::ldexp(1 + fraction, exponent - bias);
}

bool same(float left, float right) {
  return (std::isnan(left) && std::isnan(right)) || left == right;
}

}  // namespace

BOOST_AUTO_TEST_CASE(shuffles_stay_within_their_segment) {
  const test_stream stream;
  for (const int width : {32, 16, 8, 4}) {
    const device_array<int> to(128);
    imgsim_test::launch_shuffles(width, to.get(), stream);
    const std::vector<int> values = to.read(stream);
    for (int lane = 0; lane < 32; ++lane) {
      const int first = lane / width * width;
      const int last = first + width - 1;
      const auto at = [&](int row) { return values[static_cast<std::size_t>(32 * row + lane)] - 100; };
      BOOST_TEST(at(0) == first + (lane + 5) % width);
      BOOST_TEST(at(1) == (lane - 3 >= first ? lane - 3 : lane));
      BOOST_TEST(at(2) == (lane + 3 <= last ? lane + 3 : lane));
      BOOST_TEST(at(3) == ((lane ^ 9) <= last ? (lane ^ 9) : lane));
    }
  }
}

BOOST_AUTO_TEST_CASE(votes_are_of_the_lanes_in_the_mask) {
  const test_stream stream;
  for (const unsigned mask : {0xffffffffu, 0x0000ffffu, 0x80000001u, 0x5a5a5a5au}) {
    for (const unsigned yes : {0u, 0xffffffffu, 0x00ff00ffu}) {
      const device_array<int> to(128);
      imgsim_test::launch_votes(mask, yes, to.get(), stream);
      const std::vector<int> values = to.read(stream);
      for (unsigned lane = 0; lane < 32; ++lane) {
        const bool takes_part = (mask >> lane & 1u) != 0;
        unsigned alike = 0;
        for (unsigned other = lane % 3; other < 32; other += 3) alike |= 1u << other;
        BOOST_TEST(values[lane] == (takes_part ? static_cast<int>(mask & yes) : -1));
        BOOST_TEST(values[32 + lane] == (takes_part ? ((mask & yes) != 0 ? 1 : 0) : -1));
        BOOST_TEST(values[64 + lane] == (takes_part ? ((mask & yes) == mask ? 1 : 0) : -1));
        BOOST_TEST(values[96 + lane] == (takes_part ? static_cast<int>(mask & alike) : -1));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(barriers_count_votes) {
  const test_stream stream;
  for (const unsigned limit : {0u, 1u, 95u, 96u}) {
    const device_array<int> to(3);
    imgsim_test::launch_block_votes(limit, to.get(), stream);
    const std::vector<int> expected{static_cast<int>(limit), limit == 96 ? 1 : 0, limit > 0 ? 1 : 0};
    BOOST_TEST(to.read(stream) == expected, boost::test_tools::per_element());
  }
}

BOOST_AUTO_TEST_CASE(atomics_lose_nothing) {
  const test_stream stream;
  for (const unsigned workers : {1u, 2u}) {
    imgsim::cuda_host::options().workers = workers;
    const device_array<int> numbers(std::vector<int>{0, 1000, -1000, 0, 0});
    const device_array<unsigned> wrapped(std::vector<unsigned>{0});
    const device_array<unsigned> largest(std::vector<unsigned>{0});
    const device_array<float> sum(std::vector<float>{0});
    imgsim_test::launch_atomics(numbers.get(), wrapped.get(), largest.get(), sum.get(), stream);
    std::vector<int> expected{0, 1000, -1000, 0, 0};
    for (int thread = 0; thread < 256; ++thread) {
      const int value = 37 * thread % 101 - 50;
      expected[0] += value;
      expected[1] = std::min(expected[1], value);
      expected[2] = std::max(expected[2], value);
      expected[3] |= 1 << (thread % 31);
      expected[4] ^= thread;
    }
    BOOST_TEST(numbers.read(stream) == expected, boost::test_tools::per_element());
    BOOST_TEST(wrapped.read(stream)[0] == 256u % 101u);
    BOOST_TEST(largest.read(stream)[0] == 255u);
    BOOST_TEST(sum.read(stream)[0] == 128.0f);
  }
  imgsim::cuda_host::options().workers = 1;
}

BOOST_AUTO_TEST_CASE(packs_move_every_byte) {
  const test_stream stream;
  std::vector<unsigned char> bytes(1024);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<unsigned char>(i * 7 + i / 256);
  const device_array<unsigned char> from(bytes);
  for (const unsigned width : {1u, 2u, 4u, 8u, 16u}) {
    const device_array<unsigned char> to(bytes.size());
    imgsim_test::launch_copy_bytes(width, from.get(), to.get(), static_cast<unsigned>(bytes.size()), stream);
    BOOST_TEST((to.read(stream) == bytes), "width " << width);
  }
}

BOOST_AUTO_TEST_CASE(small_floats_widen_exactly) {
  const test_stream stream;
  const device_array<float> as_bfloat(65536);
  const device_array<float> as_half(65536);
  imgsim_test::launch_widen(as_bfloat.get(), as_half.get(), stream);
  const std::vector<float> bfloats = as_bfloat.read(stream);
  const std::vector<float> halves = as_half.read(stream);
  int wrong = 0;
  for (unsigned bits = 0; bits < 65536; ++bits) {
    wrong += same(bfloats[bits], decode(bits, 8, 7)) && same(halves[bits], decode(bits, 5, 10)) ? 0 : 1;
  }
  BOOST_TEST(wrong == 0);
}

BOOST_AUTO_TEST_CASE(floats_round_to_nearest_even) {
  const test_stream stream;
  const std::vector<float> from{1.0f, 1.00390625f, 1.01171875f, 65519.0f, 65520.0f, -0.0f, 5.9604645e-8f, 2.0f / 3};
  // bfloat16 has 8 bits of significand: 1 + 1/256 lies halfway and goes to the even 1, 1 + 3/256 to 1 + 4/256.
  const std::vector<unsigned short> expected{0x3f80, 0x3f80, 0x3f82, 0x4780, 0x4780, 0x8000, 0x3380, 0x3f2b,
                                             0x3c00, 0x3c04, 0x3c0c, 0x7bff, 0x7c00, 0x8000, 0x0001, 0x3955};
  const device_array<float> values(from);
  const device_array<unsigned short> bits(2 * from.size());
  imgsim_test::launch_narrow(values.get(), bits.get(), static_cast<unsigned>(from.size()), stream);
  BOOST_TEST(bits.read(stream) == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(blocks_reduce) {
  const test_stream stream;
  for (const unsigned threads : {32u, 96u, 1024u}) {
    std::vector<int> values(threads);
    for (std::size_t i = 0; i < threads; ++i) values[i] = static_cast<int>(i * 7919 % 2003) - 1000;
    const device_array<int> from(values);
    const device_array<int> to(3);
    imgsim_test::launch_block_reduce(threads, from.get(), to.get(), stream);
    const std::vector<int> expected{std::accumulate(values.begin(), values.end(), 0), *std::ranges::max_element(values),
                                    *std::ranges::min_element(values)};
    BOOST_TEST(to.read(stream) == expected, boost::test_tools::per_element());
  }
}

BOOST_AUTO_TEST_CASE(every_thread_of_every_block_runs_once) {
  const test_stream stream;
  for (const unsigned workers : {1u, 3u}) {
    imgsim::cuda_host::options().workers = workers;
    const device_array<unsigned> to(12 * 24);
    imgsim_test::launch_indices(to.get(), stream);
    std::vector<unsigned> expected(12 * 24);
    std::iota(expected.begin(), expected.end(), 0u);
    BOOST_TEST(to.read(stream) == expected, boost::test_tools::per_element());
  }
  imgsim::cuda_host::options().workers = 1;
}

BOOST_AUTO_TEST_CASE(the_seed_chooses_the_order) {
  // In a child each run is the first launch of its process.
  const auto order_of_seed = [](std::uint64_t seed) {
    const imgsim_test::child_result result = imgsim_test::run_in_child([seed] {
      imgsim::cuda_host::options().seed = seed;
      const test_stream stream;
      for (int launch = 0; launch < 2; ++launch) {
        const device_array<unsigned> next(std::vector<unsigned>{0});
        const device_array<unsigned> to(64);
        imgsim_test::launch_order(next.get(), to.get(), stream);
        for (const unsigned thread : to.read(stream)) std::printf("%u ", thread);
        std::printf("\n");
      }
    });
    BOOST_TEST(result.exit_code == 0, result.output);
    return result.output;
  };
  const std::string first = order_of_seed(1);
  BOOST_TEST(first == order_of_seed(1));
  BOOST_TEST(first != order_of_seed(2));
  const std::size_t middle = first.find('\n') + 1;
  BOOST_TEST(first.substr(0, middle) != first.substr(middle));  // from launch to launch, too
  const auto blocks_in_order = [](const std::string& line) {    // the blocks of threads 0, 1, ... as they come
    std::istringstream numbers(line);
    std::string blocks;
    for (unsigned thread = 0; numbers >> thread;) {
      if (const char block = static_cast<char>('0' + thread / 16); blocks.empty() || blocks.back() != block)
        blocks += block;
    }
    return blocks;
  };
  BOOST_TEST(blocks_in_order(first.substr(0, middle)).size() == 4u);  // one block after another on one OS thread
}

BOOST_AUTO_TEST_CASE(dynamic_shared_memory_may_be_large) {
  const test_stream stream;
  std::vector<float> numbers(20000);  // 80 kB
  std::iota(numbers.begin(), numbers.end(), 0.0f);
  const device_array<float> from(numbers);
  const device_array<float> to(numbers.size());
  imgsim_test::launch_reverse_dynamic(from.get(), to.get(), static_cast<unsigned>(numbers.size()), stream);
  std::ranges::reverse(numbers);
  BOOST_TEST((to.read(stream) == numbers));
}
