#include <imgsim/core/mdspan.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <numeric>
#include <type_traits>
#include <vector>

#include <boost/test/unit_test.hpp>

// The real ones, where they are.
#if defined(IMGSIM_TEST_CUDA_STD_MDSPAN)
#include <cuda/std/mdspan>
#endif
#if __has_include(<mdspan>)
#include <mdspan>
#endif

namespace {

/// As little as an mdspan says of itself, with signed sizes as its index_type may be.
template <class T, std::size_t Rank>
struct described {
  T* begin;
  std::array<int, Rank> extents;
  std::array<long, Rank> strides;

  [[nodiscard]] static constexpr std::size_t rank() { return Rank; }
  [[nodiscard]] int extent(std::size_t d) const { return extents[d]; }
  [[nodiscard]] long stride(std::size_t d) const { return strides[d]; }
  [[nodiscard]] T* data_handle() const { return begin; }
};

/// The same in the words of Kokkos::View.
struct kokkos_like {
  const float* begin;
  [[nodiscard]] static constexpr unsigned rank() { return 2; }
  [[nodiscard]] static std::size_t extent(std::integral auto d) { return d == 0 ? 2 : 3; }
  [[nodiscard]] static std::size_t stride(std::integral auto d) { return d == 0 ? 4 : 1; }
  [[nodiscard]] const float* data() const { return begin; }
};

static_assert(imgsim::mdspan_like<described<float, 3>> && imgsim::mdspan_like<kokkos_like>);
static_assert(!imgsim::mdspan_like<std::vector<float>> && !imgsim::mdspan_like<float*>);

struct twelve {
  std::vector<float> numbers = std::vector<float>(12);
  twelve() { std::iota(numbers.begin(), numbers.end(), 0.0F); }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(mdspan, twelve)

BOOST_AUTO_TEST_CASE(padded_rows_are_seen_in_place) {
  const auto rows = imgsim::view_of(described<float, 2>{numbers.data(), {3, 2}, {4, 1}});
  static_assert(std::is_same_v<decltype(rows), const imgsim::matrix_view<float>>);
  BOOST_TEST(rows.data() == numbers.data());
  BOOST_TEST(rows(2, 1) == 9.0F);
  const auto kokkos = imgsim::view_of(kokkos_like{numbers.data()});
  static_assert(std::is_same_v<decltype(kokkos), const imgsim::matrix_view<const float>>);
  BOOST_TEST(kokkos(1, 2) == 6.0F);
  const auto device = imgsim::view_of<imgsim::device_space>(kokkos_like{numbers.data()});
  static_assert(std::is_same_v<decltype(device)::space, imgsim::device_space>);
}

BOOST_AUTO_TEST_CASE(columns_are_refused_and_copied_on_request) {
  const described<const float, 2> fortran{numbers.data(), {3, 2}, {1, 3}};
  BOOST_CHECK_EXCEPTION((void)imgsim::view_of(fortran), imgsim::invalid_argument, [](const auto& refused) {
    return std::string(refused.what()).find("3 elements apart") != std::string::npos;
  });
  const auto rows = imgsim::copy_of(fortran);
  BOOST_TEST(rows(0, 1) == 3.0F);
  BOOST_TEST(rows(2, 1) == 5.0F);
  const auto cube = imgsim::copy_of(described<float, 3>{numbers.data(), {2, 2, 3}, {1, 2, 4}});
  for (std::size_t i = 0; i < 2; ++i)
    for (std::size_t j = 0; j < 2; ++j)
      for (std::size_t k = 0; k < 3; ++k) BOOST_TEST(cube(i, j, k) == numbers[i + 2 * j + 4 * k]);
  BOOST_TEST(imgsim::copy_of(described<float, 2>{nullptr, {0, 3}, {3, 1}}).empty());
}

BOOST_AUTO_TEST_CASE(a_pointer_with_strides_is_one_of_them) {
  const imgsim::strided_array<float, 2> every_other{numbers.data(), {2, 3}, {6, 2}};
  BOOST_CHECK_THROW((void)imgsim::view_of(every_other), imgsim::invalid_argument);
  BOOST_TEST(imgsim::copy_of(every_other)(1, 2) == 10.0F);
}

/// As std::linalg::scaled: what lies in memory is not what it shows.
struct scaled : described<const float, 2> {
  using reference = float;
};
/// As std::mdspan.
struct plain : described<const float, 2> {
  using reference = const float&;
};
/// As Kokkos::View in atomic memory.
struct atomic_view : described<const float, 2> {
  using reference_type = std::vector<bool>::reference;
};
static_assert(imgsim::mdspan_like<plain>);
static_assert(!imgsim::mdspan_like<scaled>);
static_assert(!imgsim::mdspan_like<atomic_view>);

BOOST_AUTO_TEST_CASE(a_single_column_has_contiguous_rows_whatever_its_stride) {
  const auto column = imgsim::view_of(described<float, 2>{numbers.data(), {3, 1}, {4, 4}});
  BOOST_TEST(column(2, 0) == 8.0F);
  BOOST_TEST(column.stride(1) == 1U);
}

template <template <class...> class Span, class Extents, class Left, class T>
void check_real(T* data) {
  const Span<T, Extents> right(data, 3, 4);
  BOOST_TEST(imgsim::view_of(right)(2, 1) == 9.0F);
  const Span<T, Extents, Left> left(data, 3, 4);
  BOOST_CHECK_THROW((void)imgsim::view_of(left), imgsim::invalid_argument);
  BOOST_TEST(imgsim::copy_of(left)(2, 1) == 5.0F);
}

#if defined(IMGSIM_TEST_CUDA_STD_MDSPAN)
BOOST_AUTO_TEST_CASE(of_the_cuda_toolkit) {
  check_real<cuda::std::mdspan, cuda::std::dextents<int, 2>, cuda::std::layout_left>(numbers.data());
}
#endif
#if defined(__cpp_lib_mdspan)
BOOST_AUTO_TEST_CASE(of_the_standard_library) {
  check_real<std::mdspan, std::dextents<int, 2>, std::layout_left>(numbers.data());
}
#endif

BOOST_AUTO_TEST_SUITE_END()
