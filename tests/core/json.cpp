#include <imgsim/core/json.hpp>

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "support/reason.hpp"
#include "support/temporary_folder.hpp"

using imgsim_test::reason_of;

namespace {

const std::filesystem::path kFile = "f.json";

struct wrong_field {
  const char* json;
  const char* reason;
};

/// Reads one field of each type.
void read_all(const nlohmann::json& json) {
  const imgsim::json_fields fields(json, kFile, "line 3: ");
  (void)fields.text("text");
  (void)fields.file_name("name");
  (void)fields.integer<std::uint8_t>("small");
  (void)fields.integer<std::int64_t>("signed");
  (void)fields.array("list");
  (void)fields.object("inner").integer<std::uint64_t>("big");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(json)

BOOST_AUTO_TEST_CASE(file_names_of_all_bytes_survive_json) {
  std::string every_byte;
  for (int a = 0; a < 256; ++a)
    for (const int b : {0x00, 0x2f, 0x7f, 0x80, 0x9f, 0xa0, 0xbf, 0xc0, 0xe0, 0xed, 0xf4, 0xff})
      every_byte += {static_cast<char>(a), static_cast<char>(b), static_cast<char>(0x80), 'x'};
  for (const std::string& name : {every_byte, std::string("caf\xc3\xa9/\xf0\x9f\x90\x88.jpg"), std::string("caf\xe9"),
                                  std::string("\xed\xa0\x80"), std::string("\xc0\x80"), std::string()}) {
    const nlohmann::json document = {{"name", imgsim::path_to_text(name)}};
    const std::string text = document.dump();  // throws for what is not UTF-8
    const nlohmann::json again = imgsim::parse_json(text, kFile);
    BOOST_TEST((imgsim::json_fields(again, kFile).file_name("name") == name));
  }
  BOOST_TEST(nlohmann::json(imgsim::path_to_text("caf\xe9 \xc3\xa9")).dump() == "\"caf\\u0000e9 \xc3\xa9\"");
}

BOOST_AUTO_TEST_CASE(wrong_fields_are_named) {
  const wrong_field wrong[] = {
      {"[]", "line 3: must be a JSON object"},
      {"{}", "line 3: the field \"text\" is missing"},
      {R"({"text": 1})", "line 3: \"text\" must be a string"},
      {R"({"text": "", "name": "a\u0000f"})", "line 3: \"name\" holds U+0000 without two hexadecimal digits"},
      {R"({"text": "", "name": "a\u0000F0"})", "line 3: \"name\" holds U+0000 without two hexadecimal digits"},
      {R"({"text": "", "name": "", "small": 256})", "line 3: \"small\" must be a whole number from 0 to 255"},
      {R"({"text": "", "name": "", "small": -1})", "line 3: \"small\" must be a whole number from 0 to 255"},
      {R"({"text": "", "name": "", "small": 1.0})", "line 3: \"small\" must be a whole number from 0 to 255"},
      {R"({"text": "", "name": "", "small": 255, "signed": 9223372036854775808})",
       "line 3: \"signed\" must be a whole number from -9223372036854775808 to 9223372036854775807"},
      {R"({"text": "", "name": "", "small": 255, "signed": -9223372036854775808, "list": {}})",
       "line 3: \"list\" must be a list"},
      {R"({"text": "", "name": "", "small": 0, "signed": 1, "list": [], "inner": []})",
       "line 3: \"inner\": must be a JSON object"},
      {R"({"text": "", "name": "", "small": 0, "signed": 1, "list": [], "inner": {"big": 18446744073709551616}})",
       "line 3: \"inner\": \"big\" must be a whole number from 0 to 18446744073709551615"},
  };
  for (const wrong_field& entry : wrong)
    BOOST_TEST(reason_of([&] { read_all(imgsim::parse_json(entry.json, kFile)); }) == entry.reason);
  read_all(imgsim::parse_json(R"({"text": "t", "name": "n", "small": 255, "signed": -1, "list": [1],
                                  "inner": {"big": 18446744073709551615}})",
                              kFile));
}

BOOST_AUTO_TEST_CASE(broken_json_is_refused_with_its_place) {
  const imgsim_test::temporary_folder folder;
  for (const char* text : {"", "{", "{\"a\": }", "\"\xff\"", "{} {}", "nul"}) {
    imgsim::write_file(folder.path() / kFile, std::string_view(text));
    const std::string reason = reason_of([&] { (void)imgsim::read_json(folder.path() / kFile, 100); });
    BOOST_TEST(reason.starts_with("is not valid JSON at byte "), reason);
  }
  BOOST_TEST(reason_of([] { (void)imgsim::parse_json("{\"a\": 1e999}", kFile); }) ==
             "holds a number that is too large");
  const std::string deep(1000000, '[');
  BOOST_CHECK_THROW((void)imgsim::parse_json(deep, kFile), imgsim::io_error);
}

BOOST_AUTO_TEST_CASE(numbers_and_lists_of_them_are_checked) {
  const auto good =
      nlohmann::json::parse(R"({"real": 0.5, "whole": 3, "rows": [0, 18446744073709551615], "none": null})");
  const imgsim::json_fields fields(good, kFile);
  BOOST_TEST(fields.number("real") == 0.5);
  BOOST_TEST(fields.number("whole") == 3.0);
  BOOST_TEST(reason_of([&] { (void)fields.number("none"); }) == "\"none\" must be a number");
  BOOST_TEST(fields.whole_numbers("rows", good["rows"]).back() == 18446744073709551615u);
  const std::string wrong = "\"rows\" must hold lists of whole numbers from 0";
  for (const char* list : {"3", "{}", "[1.0]", "[-1]", "[\"1\"]", "[[1]]", "[18446744073709551616]"})
    BOOST_TEST(reason_of([&] { (void)fields.whole_numbers("rows", nlohmann::json::parse(list)); }) == wrong, list);
}

BOOST_AUTO_TEST_SUITE_END()
