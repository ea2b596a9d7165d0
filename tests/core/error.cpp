#include <imgsim/core/error.hpp>

#include <clocale>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <locale>
#include <string>
#include <string_view>

#include <boost/test/unit_test.hpp>

namespace {

using imgsim::detail::concat;

/// A locale that writes 1.234.567,5.
struct dots_and_commas : std::numpunct<char> {
  char do_decimal_point() const override { return ','; }
  char do_thousands_sep() const override { return '.'; }
  std::string do_grouping() const override { return "\3"; }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(errors)

BOOST_AUTO_TEST_CASE(a_message_is_its_pieces_in_order) {
  BOOST_TEST(concat("") == "");
  BOOST_TEST(concat("photo ", std::size_t{3}, " of ", std::string("12"), std::string_view(": bad"), '!') ==
             "photo 3 of 12: bad!");
  BOOST_TEST(concat(std::numeric_limits<std::int64_t>::min(), " ", std::numeric_limits<std::uint64_t>::max()) ==
             "-9223372036854775808 18446744073709551615");
  BOOST_TEST(concat(std::uint8_t{65}, " ", -7, " ", true) == "65 -7 1");
  BOOST_TEST(concat(0.1F, " ", 1.0 / 3.0, " ", 1e-7, " ", -std::numeric_limits<double>::max()) ==
             "0.1 0.333333 1e-07 -1.79769e+308");
  BOOST_TEST(concat(std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()) == "naninf");
}

BOOST_AUTO_TEST_CASE(messages_are_the_same_in_every_locale) {
  const std::locale before = std::locale::global(std::locale(std::locale(), new dots_and_commas));
  const std::string text = concat(1234567, " ", 0.5);
  std::locale::global(before);
  BOOST_TEST(text == "1234567 0.5");
}

BOOST_AUTO_TEST_CASE(a_precondition_throws_its_message_and_makes_it_only_then) {
  int made = 0;
  const auto part = [&] {
    ++made;
    return "two";
  };
  const auto check = [&](int value) { IMGSIM_EXPECTS(value == 2, "not ", part(), " but ", value); };
  check(2);
  BOOST_TEST(made == 0);
  BOOST_CHECK_EXCEPTION(check(3), imgsim::invalid_argument, [](const imgsim::invalid_argument& refusal) {
    return std::string_view(refusal.what()) == "not two but 3";
  });
}

BOOST_AUTO_TEST_SUITE_END()
