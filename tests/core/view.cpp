#include <imgsim/core/tensor.hpp>
#include <imgsim/core/view.hpp>

#include <limits>
#include <type_traits>

#include <boost/test/unit_test.hpp>

namespace {

template <class From, class To>
constexpr bool converts = std::is_convertible_v<From, To>;

using imgsim::device_space;
using imgsim::view;
static_assert(converts<view<float, 2>, view<const float, 2>>);
static_assert(!converts<view<const float, 2>, view<float, 2>>);
static_assert(!converts<view<float, 2, device_space>, view<float, 2>>);
static_assert(!std::is_copy_constructible_v<imgsim::tensor<float, 2>>);

}  // namespace

BOOST_AUTO_TEST_SUITE(views)

BOOST_AUTO_TEST_CASE(elements_rows_and_slices_of_a_strided_view) {
  float numbers[12];
  for (int i = 0; i < 12; ++i) numbers[i] = static_cast<float>(i);
  const view<float, 2> padded(numbers, {3, 2}, {4, 1});
  BOOST_TEST(padded(2, 1) == 9.0F);
  BOOST_TEST(*padded.row(1) == 4.0F);
  BOOST_TEST(!padded.is_contiguous());
  BOOST_TEST(padded.slice(1, 2)(1, 0) == 8.0F);
  BOOST_TEST(padded.size() == 6U);
  BOOST_TEST(imgsim::shape_text(padded) == "[3, 2]");
  BOOST_CHECK_THROW((view<float, 2>(numbers, {3, 2}, {1, 3})), imgsim::invalid_argument);
}

BOOST_AUTO_TEST_CASE(a_tensor_is_zeroed_aligned_and_movable) {
  imgsim::tensor<float, 3> t({2, 3, 5});
  BOOST_TEST(reinterpret_cast<std::uintptr_t>(t.data()) % imgsim::kAlignment == 0U);
  for (const float x : t) BOOST_TEST(x == 0.0F);
  t(1, 2, 4) = 7;
  const imgsim::tensor<float, 3> copy = t.clone();
  const imgsim::tensor<float, 3> moved = std::move(t);
  BOOST_TEST(moved(1, 2, 4) == 7.0F);
  BOOST_TEST(copy(1, 2, 4) == 7.0F);
  BOOST_TEST(t.size() == 0U);  // NOLINT(bugprone-use-after-move): a moved-from tensor is documented as empty
}

BOOST_AUTO_TEST_CASE(a_shape_past_memory_is_refused_before_allocation) {
  const std::size_t huge = std::numeric_limits<std::size_t>::max() / 2;
  BOOST_CHECK_THROW((imgsim::tensor<float, 2>({huge, 8})), imgsim::invalid_argument);
  BOOST_TEST((imgsim::tensor<float, 2>({huge, 0})).empty());
}

BOOST_AUTO_TEST_SUITE_END()
