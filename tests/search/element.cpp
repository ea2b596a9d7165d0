// The element types: conversions against the compiler's own, and as vectors.
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <imgsim/core/element.hpp>
#include <imgsim/cpu/search/element_load.hpp>

namespace {

/// load_elements over a whole list, as long as registers go in.
template <class T>
struct widen_body {
  const T* from;
  double* to;
  std::size_t count;

  template <class Isa>
  IMGSIM_ALWAYS_INLINE void run() const {
    for (std::size_t i = 0; i + Isa::double_lanes <= count; i += Isa::double_lanes) {
      imgsim::cpu::vector<double, Isa::double_lanes> values;
      imgsim::cpu::load_elements<Isa>(values, from + i);
      imgsim::cpu::store(to + i, values);
    }
  }
};

template <class T>
std::vector<T> every_pattern() {
  std::vector<T> all(std::size_t{1} << 16);
  for (std::size_t i = 0; i < all.size(); ++i) all[i].bits = static_cast<std::uint16_t>(i);
  return all;
}

bool same_number(double a, double b) {
  return a == b ? std::signbit(a) == std::signbit(b) : std::isnan(a) && std::isnan(b);
}

using short_elements = std::tuple<imgsim::bfloat16, imgsim::float16>;

}  // namespace

BOOST_AUTO_TEST_SUITE(element)

BOOST_AUTO_TEST_CASE_TEMPLATE(every_pattern_comes_back_from_float, T, short_elements) {
  for (const T value : every_pattern<T>()) {
    const auto widened = static_cast<float>(value);
    if (std::isnan(widened))
      BOOST_TEST_REQUIRE(std::isnan(static_cast<float>(T(widened))));
    else
      BOOST_TEST_REQUIRE(T(widened).bits == value.bits);
  }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(vectors_widen_as_scalars_do, T, short_elements) {
  const std::vector<T> all = every_pattern<T>();
  for (const auto level : imgsim::cpu::kSimdLevels) {
    if (!imgsim::cpu::is_supported(level)) continue;
    std::vector<double> widened(all.size());
    imgsim::cpu::expand(widen_body<T>{all.data(), widened.data(), all.size()}, level);
    for (std::size_t i = 0; i < all.size(); ++i)
      BOOST_TEST_REQUIRE(same_number(widened[i], imgsim::to_double(all[i])), name_of(level) << ", bits " << i);
  }
}

/// Between two neighbours the nearer one, at the midpoint the even one.
BOOST_AUTO_TEST_CASE_TEMPLATE(rounding_is_to_nearest_even, T, short_elements) {
  for (const T low : every_pattern<T>()) {
    T high;
    high.bits = static_cast<std::uint16_t>(low.bits + 1);
    const double a = imgsim::to_double(low), b = imgsim::to_double(high);
    if (!std::isfinite(a) || !std::isfinite(b) || std::signbit(a) != std::signbit(b)) continue;
    const auto middle = static_cast<float>((a + b) / 2);  // exact: one bit more than T has
    BOOST_TEST_REQUIRE(T(middle).bits == (low.bits % 2 == 0 ? low : high).bits);
    BOOST_TEST_REQUIRE(T(std::nextafter(middle, static_cast<float>(a))).bits == low.bits);
    BOOST_TEST_REQUIRE(T(std::nextafter(middle, static_cast<float>(b))).bits == high.bits);
  }
}

BOOST_AUTO_TEST_CASE(values_that_float16_has) {
  using imgsim::float16;
  BOOST_TEST(static_cast<float>(float16(1.0f)) == 1.0f);
  BOOST_TEST(float16(65504.0f).bits == 0x7bffu);
  BOOST_TEST(float16(65519.9f).bits == 0x7bffu);
  BOOST_TEST(float16(65520.0f).bits == 0x7c00u);
  BOOST_TEST(float16(1e30f).bits == 0x7c00u);
  BOOST_TEST(float16(-std::numeric_limits<float>::infinity()).bits == 0xfc00u);
  BOOST_TEST(float16(0x1p-24f).bits == 1u);
  BOOST_TEST(float16(0x1p-25f).bits == 0u);
  BOOST_TEST(float16(-0.0f).bits == 0x8000u);
}

BOOST_AUTO_TEST_SUITE_END()
