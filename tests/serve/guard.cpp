// Which requests are answered, without a server.
#include <string>

#include <boost/test/unit_test.hpp>

#include "serve/request_guard.hpp"

using imgsim::app::why_refused;

BOOST_AUTO_TEST_SUITE(serve_guard)

BOOST_AUTO_TEST_CASE(the_loopback_is_asked_by_its_own_names_only) {
  for (const char* host :
       {"127.0.0.1:8080", "127.0.0.1", "127.1.2.3:8080", "localhost:8080", "LocalHost:9999", "[::1]:8080"})
    BOOST_TEST(!why_refused({"GET", host, ""}, "127.0.0.1"), host);
  for (const char* host :
       {"", "evil.example", "evil.example:8080", "127.0.0.1.evil.example", "localhost.evil.example", "192.168.1.7:8080",
        "[::2]:8080", "[::1", "::1", "0x7f.1", "127.1", "2130706433", ":8080", "localhost@evil.example",
        "127.0.0.1:80@evil.example", "localhost:80x", "[::1]8080", "[::1]x:80"})
    BOOST_TEST(why_refused({"GET", host, ""}, "127.0.0.1").has_value(), host);
}

BOOST_AUTO_TEST_CASE(an_open_address_is_asked_by_addresses_but_no_other_names) {
  for (const char* host : {"192.168.1.7:8080", "10.0.0.3", "[fd00::7]:8080", "localhost:8080", "127.0.0.1"})
    BOOST_TEST(!why_refused({"GET", host, ""}, "0.0.0.0"), host);
  BOOST_TEST(why_refused({"GET", "evil.example:8080", ""}, "0.0.0.0").has_value());
  BOOST_TEST(why_refused({"GET", "126.0.0.1", ""}, "Localhost").has_value());  // found by fuzzing
  BOOST_TEST(!why_refused({"GET", "Attic.local:8080", ""}, "attic.local").has_value());
  BOOST_TEST(why_refused({"GET", "cellar.local:8080", ""}, "attic.local").has_value());
  for (const char* host : {"attic:8080", "Attic", "attic.local:8080"}) {
    BOOST_TEST(!why_refused({"GET", host, ""}, "0.0.0.0", "attic").has_value(), host);
    BOOST_TEST(why_refused({"GET", host, ""}, "0.0.0.0").has_value(), host);
    BOOST_TEST(why_refused({"GET", host, ""}, "127.0.0.1", "attic").has_value(), host);
  }
  BOOST_TEST(why_refused({"GET", "attic.example:8080", ""}, "0.0.0.0", "attic").has_value());
}

BOOST_AUTO_TEST_CASE(what_makes_work_comes_from_the_pages_of_the_very_server) {
  const auto refused = [](const char* origin) {
    return why_refused({"POST", "127.0.0.1:8080", origin}, "127.0.0.1").has_value();
  };
  BOOST_TEST(!refused("http://127.0.0.1:8080"));
  for (const char* origin :
       {"", "null", "http://evil.example", "http://127.0.0.1", "http://127.0.0.1:80801", "https://127.0.0.1:8080",
        "http://localhost:8080", "http://127.0.0.1:8080.evil.example", "http://127.0.0.1:8081"})
    BOOST_TEST(refused(origin), origin);
}

BOOST_AUTO_TEST_CASE(what_pages_from_elsewhere_ask_for_is_refused_for_reading_too) {
  BOOST_TEST(why_refused({"GET", "127.0.0.1:8080", "http://evil.example"}, "127.0.0.1").has_value());
  BOOST_TEST(why_refused({"GET", "127.0.0.1:8080", "null"}, "127.0.0.1").has_value());
  BOOST_TEST(why_refused({"GET", "127.0.0.1:8080", "", true}, "127.0.0.1").has_value());
  BOOST_TEST(!why_refused({"GET", "127.0.0.1:8080", "http://127.0.0.1:8080"}, "127.0.0.1"));
  BOOST_TEST(!why_refused({"GET", "127.0.0.1:8080", ""}, "127.0.0.1"));
}

BOOST_AUTO_TEST_CASE(what_is_malformed_is_told_from_what_is_of_elsewhere) {
  const auto status = [](const char* method, const char* host, const char* origin) {
    const auto refused = why_refused({method, host, origin}, "127.0.0.1");
    return refused ? refused->status : 200;
  };
  for (const char* host :
       {"", ":8080", "::1", "[::1", "[::1]8080", "[::1]x:80", "[127.0.0.1]:80", "[]", "localhost:80x",
        "localhost:80:80", "localhost@evil.example", "evil example", "evil.example/", "\"evil\""})
    BOOST_TEST(status("GET", host, "") == 400, host);
  for (const char* host :
       {"evil.example", "evil.example:8080", "[::2]:8080", "192.168.1.7", "evil_1-2.example:", "127.1"})
    BOOST_TEST(status("GET", host, "") == 403, host);
  for (const char* origin : {"null", "http://evil.example", "no origin"})
    BOOST_TEST(status("GET", "127.0.0.1", origin) == 403, origin);
  BOOST_TEST(status("POST", "127.0.0.1", "") == 403);
  BOOST_TEST(status("POST", "127.0.0.1", "http://127.0.0.1") == 200);
}

BOOST_AUTO_TEST_CASE(servers_of_this_machine_are_told_from_others) {
  for (const char* bound : {"127.0.0.1", "127.8.9.10", "::1", "localhost", "Localhost"})
    BOOST_TEST(imgsim::app::is_for_this_machine(bound), bound);
  for (const char* bound : {"0.0.0.0", "::", "192.168.1.2", "126.0.0.1", "attic.local", "localhost.example", ""})
    BOOST_TEST(!imgsim::app::is_for_this_machine(bound), bound);
}

BOOST_AUTO_TEST_SUITE_END()
