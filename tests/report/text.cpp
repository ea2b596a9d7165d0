// Escaping, numbers and tables.
#include <boost/test/unit_test.hpp>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <imgsim/report/escape.hpp>
#include <imgsim/report/number.hpp>
#include <imgsim/report/table.hpp>

using namespace imgsim;

BOOST_AUTO_TEST_SUITE(report_text)

BOOST_AUTO_TEST_CASE(names_become_printable) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"", ""},
      {"cat.jpg", "cat.jpg"},
      {"caf\xc3\xa9.jpg", "caf\xc3\xa9.jpg"},
      {"a\nb",
       "a\xe2\x90\x8a"
       "b"},  // a newline shown as its picture
      {std::string("a\0b", 3),
       "a\xe2\x90\x80"
       "b"},
      {"\x1b[31m", "\xe2\x90\x9b[31m"},  // an escape sequence stays text
      {"\x7f", "\xe2\x90\xa1"},
      {"\xff", "\xef\xbf\xbd"},
      {"\xc3", "\xef\xbf\xbd"},                                  // cut short
      {"\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd"},                  // overlong
      {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},  // surrogate
      {"\xf0\x9f\x90\x88", "\xf0\x9f\x90\x88"},
      {"\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},  // beyond Unicode
      {"\xc2\x85", "\xef\xbf\xbd"},                                              // a C1 control
      {"a\xe2\x80\xae"
       "gpj",
       "a\xef\xbf\xbdgpj"},  // right-to-left override
      {"\xef\xbf\xbf", "\xef\xbf\xbd"},
  };
  for (const auto& [bytes, shown] : cases) BOOST_TEST(printable_utf8(bytes) == shown);
}

BOOST_AUTO_TEST_CASE(markup_is_escaped) {
  BOOST_TEST(escape_markup("<script>alert(\"&'\")</script>") ==
             "&lt;script&gt;alert(&quot;&amp;&#39;&quot;)&lt;/script&gt;");
  BOOST_TEST(escape_markup("a\xff\n") == "a\xef\xbf\xbd\xe2\x90\x8a");
}

BOOST_AUTO_TEST_CASE(numbers) {
  BOOST_TEST(fixed_text(0.9341, 3) == "0.934");
  BOOST_TEST(fixed_text(-0.0001, 3) == "0.000");
  BOOST_TEST(fixed_text(-0.0006, 3) == "-0.001");
  BOOST_TEST(fixed_text(12, 0) == "12");
  BOOST_TEST(probability_text(0.9341, 3) == "0.934");
  BOOST_TEST(probability_text(0.99994, 4) == "0.9999");
  BOOST_TEST(probability_text(0.99996, 4) == ">0.9999");
  BOOST_TEST(probability_text(1 - 1e-16, 4) == ">0.9999");
  BOOST_TEST(probability_text(1, 4) == "1.0000");
  BOOST_TEST(probability_text(1e-9, 4) == "<0.0001");
  BOOST_TEST(probability_text(0, 4) == "0.0000");
  const struct {
    double value;
    const char* text;
  } percents[] = {{0, "0.0 %"},        {1e-9, "<0.1 %"},       {4e-4, "<0.1 %"}, {6e-4, "0.1 %"},
                  {0.0123, "1.2 %"},   {0.0996, "10.0 %"},     {0.1, "10 %"},    {0.5, "50 %"},
                  {0.934, "93 %"},     {0.9896, "99 %"},       {0.99, "99.0 %"}, {0.9994, "99.9 %"},
                  {0.9996, ">99.9 %"}, {1 - 1e-16, ">99.9 %"}, {1, "100.0 %"}};
  for (const auto& row : percents) BOOST_TEST(percent_text(row.value) == row.text);
  BOOST_TEST(fixed_text(std::numeric_limits<double>::quiet_NaN(), 2) == "nan");
  BOOST_TEST(fixed_text(-std::numeric_limits<double>::infinity(), 2) == "-inf");
  BOOST_TEST(fixed_text(std::numeric_limits<double>::max(), 1).size() == 311u);
  BOOST_TEST(general_text(1200) == "1200");
  BOOST_TEST(general_text(0.05) == "0.05");
  BOOST_TEST(general_text(1.5e-7) == "1.5e-07");
  BOOST_TEST(general_text(-0.0) == "0");
  BOOST_TEST(count_text(0) == "0");
  BOOST_TEST(count_text(999) == "999");
  BOOST_TEST(count_text(4738) == "4,738");
  BOOST_TEST(count_text(1234567) == "1,234,567");
  BOOST_TEST(count_text(1, "photo") == "1 photo");
  BOOST_TEST(count_text(2, "photo") == "2 photos");
}

BOOST_AUTO_TEST_CASE(columns_line_up) {
  text_table shown{{{"path"}, {"score", alignment::right}}, {}};
  shown.add_row({"caf\xc3\xa9.jpg", "0.5"});
  shown.add_row({"\xe7\x8c\xab.jpg", "12.25"});  // one character, two columns wide
  BOOST_TEST(to_text(shown) ==
             "path      score\n"
             "--------  -----\n"
             "caf\xc3\xa9.jpg    0.5\n"
             "\xe7\x8c\xab.jpg    12.25\n");
  BOOST_CHECK_THROW(shown.add_row({"one cell"}), invalid_argument);
}

BOOST_AUTO_TEST_CASE(long_cells_give_way_to_the_width) {
  text_table shown{{{"rank", alignment::right}, {"path"}}, {}};
  shown.add_row({"1", "animals/" + std::string(80, 'x') + "/cat.jpg"});
  const std::string text = to_text(shown, 40);
  std::size_t begin = 0;
  for (std::size_t end; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1)
    BOOST_TEST(terminal_width(std::string_view(text).substr(begin, end - begin)) <= 40u);
  BOOST_TEST(text.find("animals/") != std::string::npos);
  BOOST_TEST(text.find("/cat.jpg\n") != std::string::npos);
  BOOST_TEST(to_text(shown, 1).find("1") != std::string::npos);  // what cannot fit is shown all the same
  BOOST_TEST(shorten("abcdef", 0) == "");
  BOOST_TEST(shorten("abcdef", 1) == "\xe2\x80\xa6");
  BOOST_TEST(shorten("abcdef", 4) ==
             "a\xe2\x80\xa6"
             "ef");
  BOOST_TEST(shorten("abcdef", 6) == "abcdef");
}

BOOST_AUTO_TEST_CASE(csv_follows_rfc_4180) {
  BOOST_TEST(csv_line({"a", "b c", "1.5"}) == "a,b c,1.5\n");
  BOOST_TEST(csv_line({"a,b", "say \"hi\"", "two\nlines", "\r"}) ==
             "\"a,b\",\"say \"\"hi\"\"\",\"two\nlines\",\"\r\"\n");
  BOOST_TEST(csv_line({""}) == "\"\"\n");  // else the line would read as empty
  BOOST_TEST(csv_line({"", ""}) == ",\n");
  BOOST_TEST(csv_line({"\xff"}) == "\xff\n");
  BOOST_TEST(to_csv({{{"k"}, {"cost"}}, {{"2", "10"}}}) == "k,cost\n2,10\n");
}

BOOST_AUTO_TEST_SUITE_END()
