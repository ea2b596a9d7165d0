#include <imgsim/core/ascii.hpp>

#include <boost/test/unit_test.hpp>

#include <string>

BOOST_AUTO_TEST_SUITE(ascii)

BOOST_AUTO_TEST_CASE(the_case_of_ascii_letters_alone_is_folded) {
  std::string every, lower;
  for (int c = 0; c < 256; ++c) {
    every += static_cast<char>(c);
    lower += static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  }
  BOOST_TEST((imgsim::lower_case(every) == lower));
  BOOST_TEST(imgsim::equal_but_for_case(every, lower));
  BOOST_TEST(!imgsim::equal_but_for_case("@", "`"));  // neighbours of the letters, as far apart as their cases
  BOOST_TEST(!imgsim::equal_but_for_case("[", "{"));
  BOOST_TEST(!imgsim::equal_but_for_case("png", "pn"));
  BOOST_TEST(!imgsim::equal_but_for_case("\xc4", "\xe4"));
}

BOOST_AUTO_TEST_SUITE_END()
