// How imgsim serve begins and ends.
#include <atomic>
#include <chrono>
#include <thread>

#include <boost/test/unit_test.hpp>

#include "serve/served_index.hpp"

using namespace imgsim_test;

BOOST_AUTO_TEST_SUITE(serve_stopping)

namespace {

constexpr double kSoon = 30;  // seconds; connections are kept for 2, and the machine may be busy

double seconds_to_end(served_index& server, int expected_code) {
  const auto begin = std::chrono::steady_clock::now();
  server.interrupt();
  BOOST_TEST(server.wait() == expected_code);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace

BOOST_AUTO_TEST_CASE(control_c_ends_it_with_connections_open) {
  served_index server(grouped_index().index());
  const connection kept(server.port), silent(server.port);
  kept.send("GET /api/index HTTP/1.1\r\nHost: " + server.host() + "\r\n\r\n");
  kept.wait_for_bytes();
  BOOST_TEST(seconds_to_end(server, 0) < kSoon);
}

BOOST_AUTO_TEST_CASE(control_c_ends_it_although_a_client_never_ends_its_request) {
  served_index server(grouped_index().index());
  const connection slow(server.port);
  slow.send("GET /api/index HTTP/1.1\r\nHost: " + server.host() + "\r\nX-Slow: ");
  std::atomic<bool> has_ended = false;
  std::thread byte_by_byte([&] {  // each in time for the server to wait for the next
    for (int i = 0; i < 600 && !has_ended && slow.send("x"); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  const double seconds = seconds_to_end(server, 0);
  has_ended = true;
  byte_by_byte.join();
  BOOST_TEST(seconds < kSoon);
}

BOOST_AUTO_TEST_CASE(control_c_ends_work_under_way) {
  served_index server(grouped_index().index());
  for (const char* path : {"/api/duplicates", "/api/choose-k", "/api/map"})
    BOOST_TEST(server.post(path, "").status == 200);
  BOOST_TEST(seconds_to_end(server, 0) < kSoon);
}

BOOST_AUTO_TEST_CASE(a_port_that_is_taken_is_told) {
  const served_index& first = shared_server();
  const auto second = run_imgsim({"serve", "--index", grouped_index().index(), "--port", std::to_string(first.port)});
  BOOST_TEST(second.exit_code == 1);
  BOOST_TEST(second.err.find("--port 0") != std::string::npos, second.err);
  BOOST_TEST(second.out.empty());
  const auto elsewhere =
      run_imgsim({"serve", "--index", grouped_index().index(), "--host", "203.0.113.7", "--port", "0"});
  BOOST_TEST(elsewhere.exit_code == 1);
}

BOOST_AUTO_TEST_CASE(wrong_use_is_told_before_anything_is_served) {
  BOOST_TEST(run_imgsim({"serve"}).exit_code == 2);
  BOOST_TEST(run_imgsim({"serve", "--index", "x", "--port", "65536"}).exit_code == 2);
  const auto missing = run_imgsim({"serve", "--index", "/nonexistent/photos.idx", "--port", "0"});
  BOOST_TEST(missing.exit_code == 1);
  BOOST_TEST(missing.err.find("/nonexistent/photos.idx") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(quiet_prints_the_address_alone) {
  served_index server(grouped_index().index(), {"--quiet"});
  BOOST_TEST(server.errors() == "");
  BOOST_TEST(seconds_to_end(server, 0) < kSoon);
}

BOOST_AUTO_TEST_CASE(an_open_address_is_warned_of) {
  const served_index server(grouped_index().index(), {"--host", "0.0.0.0", "--quiet"});
  BOOST_TEST(server.errors().find("every machine") != std::string::npos, server.errors());
  BOOST_TEST(server.get("/api/index").status == 200);
  BOOST_TEST(server.get("/api/index", "evil.example").status == 403);
}

BOOST_AUTO_TEST_CASE(every_address_that_is_printed_can_be_opened) {
  try {
    const connection any_v6(shared_server().port, "::ffff:127.0.0.1");
  } catch (const std::runtime_error& reason) {
    BOOST_TEST_MESSAGE("skipped: this machine has no IPv6: " << reason.what());
    return;
  }
  for (const std::string host : {"0.0.0.0", "::", "::1"}) {
    const served_index server(grouped_index().index(), {"--host", host, "--quiet"});
    bool has_v6 = false;
    for (const std::string url : server.announced.at("urls")) {
      const std::string authority = url.substr(7, url.size() - 8), name = authority.substr(0, authority.rfind(':'));
      const bool is_v6 = name.starts_with('[');
      has_v6 = has_v6 || is_v6;
      const connection to(server.port, is_v6 ? name.substr(1, name.size() - 2) : name);
      to.send("GET /api/index HTTP/1.1\r\nHost: " + authority + "\r\nOrigin: http://" + authority + "\r\n\r\n");
      BOOST_TEST(to.read_to_end().status == 200, url);
    }
    BOOST_TEST(has_v6 == (host != "0.0.0.0"));
    BOOST_TEST(server.announced.at("url") == server.announced.at("urls").at(0));
  }
}

BOOST_AUTO_TEST_SUITE_END()
