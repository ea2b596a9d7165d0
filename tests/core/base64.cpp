#include <span>
#include <string>

#include <boost/test/unit_test.hpp>

#include <imgsim/core/base64.hpp>
#include <imgsim/core/random.hpp>

BOOST_AUTO_TEST_SUITE(base64)

BOOST_AUTO_TEST_CASE(text_of_rfc_4648) {
  const auto encoded = [](const std::string& text) { return imgsim::base64_text(std::as_bytes(std::span(text))); };
  BOOST_TEST(encoded("") == "");
  BOOST_TEST(encoded("f") == "Zg==");
  BOOST_TEST(encoded("fo") == "Zm8=");
  BOOST_TEST(encoded("foo") == "Zm9v");
  BOOST_TEST(encoded("foob") == "Zm9vYg==");
  BOOST_TEST(encoded("fooba") == "Zm9vYmE=");
  BOOST_TEST(encoded("foobar") == "Zm9vYmFy");
  BOOST_TEST(encoded("\xff\xfe\xfd") == "//79");
}

BOOST_AUTO_TEST_CASE(bytes_come_back) {
  for (std::size_t size = 0; size < 70; ++size) {
    imgsim::random_stream random(size, 9);
    std::vector<std::byte> bytes(size);
    for (std::byte& byte : bytes) byte = static_cast<std::byte>(random.below(256));
    const auto again = imgsim::base64_bytes(imgsim::base64_text(bytes));
    BOOST_REQUIRE(again.has_value());
    BOOST_TEST((*again == bytes), size);
  }
}

BOOST_AUTO_TEST_CASE(other_text_is_refused) {
  for (const char* text : {"Z", "Zg", "Zg=", "Zm9", "=", "====", "Z===", "Zg==Zg==", "Z=g=", "Zm9v=", "Zm9\n", "Zm 9",
                           "Zm-_", "Zh==", "Zm9="})
    BOOST_TEST(!imgsim::base64_bytes(text).has_value(), text);
}

BOOST_AUTO_TEST_SUITE_END()
