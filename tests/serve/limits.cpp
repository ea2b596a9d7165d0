// Connections that are slow, and many of one machine.
#include <arpa/inet.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "serve/connection_limits.hpp"
#include "serve/served_index.hpp"

using namespace imgsim_test;
using imgsim::app::head_limit;
using imgsim::app::open_connections;
using imgsim::app::peer_of;
using imgsim::app::transfer_limit;

BOOST_AUTO_TEST_SUITE(serve_limits)

namespace {

std::string peer(const char* text) {
  sockaddr_storage address{};
  const bool is_v6 = std::string_view(text).find(':') != std::string_view::npos;
  address.ss_family = is_v6 ? AF_INET6 : AF_INET;
  void* const bytes = is_v6 ? static_cast<void*>(&reinterpret_cast<sockaddr_in6&>(address).sin6_addr)
                            : &reinterpret_cast<sockaddr_in&>(address).sin_addr;
  BOOST_REQUIRE(::inet_pton(address.ss_family, text, bytes) == 1);
  return peer_of(address);
}

struct ended_request {
  double seconds = 0;
  int status = 0;
};

/// `begin`, and then a byte each tenth of a second until the server has enough of it.
ended_request drip(const served_index& server, const std::string& begin) {
  const auto start = std::chrono::steady_clock::now();
  const connection slow(server.port);
  slow.send(begin);
  std::atomic<bool> has_ended = false;
  std::thread byte_by_byte([&] {
    while (!has_ended && slow.send("x")) std::this_thread::sleep_for(std::chrono::milliseconds(100));
  });
  const int status = slow.read_to_end().status;  // it gives up after 20 s
  has_ended = true;
  byte_by_byte.join();
  return {std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(), status};
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_client_of_a_byte_now_and_then_is_given_up) {
  const served_index& server = shared_server();
  ended_request head, body;
  std::thread other([&] { head = drip(server, "GET /api/index HTTP/1.1\r\nHost: " + server.host() + "\r\nX-Slow: "); });
  body = drip(server, "POST /api/search HTTP/1.1\r\nHost: " + server.host() + "\r\nContent-Length: 100000\r\n" +
                          server.own_headers() + "\r\n");
  other.join();
  const double least = transfer_limit::kAtFirst.count();
  BOOST_TEST(head.seconds > least);
  BOOST_TEST(head.seconds < 2 * least);
  BOOST_TEST(head.status == 400);
  BOOST_TEST(body.seconds > least);
  BOOST_TEST(body.seconds < 2 * least);
  BOOST_TEST(body.status == 400);
}

BOOST_AUTO_TEST_CASE(one_machine_has_so_many_connections_and_no_more) {
  const served_index server(grouped_index().index());
  std::vector<std::unique_ptr<connection>> silent;
  for (std::size_t i = 0; i < open_connections::kOfOnePeer; ++i) {
    silent.push_back(std::make_unique<connection>(server.port));
    silent.back()->send("GET / HTT");
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(300));  // until all of them have their threads
  const connection one_more(server.port);
  BOOST_TEST(one_more.read_to_end().json().at("reason").get<std::string>().find("too many") != std::string::npos);
  silent.pop_back();
  int status = 0;
  for (int i = 0; i < 100 && status != 200; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    status = server.get("/api/index").status;
  }
  BOOST_TEST(status == 200);
}

BOOST_AUTO_TEST_CASE(time_grows_with_what_has_moved) {
  const transfer_limit::clock::time_point begin{};
  transfer_limit limit(begin);
  BOOST_TEST((limit.patience(begin) == transfer_limit::kStandstill));
  using std::chrono::milliseconds, std::chrono::seconds;
  BOOST_TEST((limit.patience(begin + transfer_limit::kAtFirst - seconds(1)) == seconds(1)));
  BOOST_TEST((limit.patience(begin + transfer_limit::kAtFirst) == milliseconds(0)));
  BOOST_TEST((limit.patience(begin + std::chrono::hours(1)) == milliseconds(0)));
  limit.moved(3 * transfer_limit::kBytesPerSecond);
  BOOST_TEST((limit.patience(begin + transfer_limit::kAtFirst) == seconds(3)));
  limit.moved(std::size_t{64} << 20);
  BOOST_TEST((limit.patience(begin + std::chrono::minutes(30)) == transfer_limit::kStandstill));
}

BOOST_AUTO_TEST_CASE(a_head_may_be_64_kib_long_and_what_follows_it_any_length) {
  const std::string line(1000, 'x');
  head_limit endless, ended;
  std::size_t lines = 0;
  while (endless.goes_on(line + "\r\n")) BOOST_REQUIRE(++lines < 100);
  BOOST_TEST(lines == head_limit::kBytes / (line.size() + 2));
  for (const char* part : {"GET / HTTP/1.1\r\nHost: a\r", "\n\r", "\n"}) BOOST_TEST(ended.goes_on(part));
  for (int i = 0; i < 100; ++i) BOOST_TEST(ended.goes_on(std::string(4096, 'x')));
}

BOOST_AUTO_TEST_CASE(a_head_of_many_lines_is_not_kept) {
  const served_index& server = shared_server();
  const auto status_of = [&](std::size_t bytes) {
    std::string request = "GET /api/index HTTP/1.1\r\nHost: " + server.host() + "\r\n";
    while (request.size() < bytes) request += "X" + std::to_string(request.size()) + ": y\r\n";
    const connection client(server.port);
    client.send(request + "\r\n");  // the other side may take no more
    return client.read_to_end().status;
  };
  BOOST_TEST(status_of(1000) == 200);
  BOOST_TEST(status_of(1'000'000) != 200);
  BOOST_TEST(server.get("/api/index").status == 200);
}

BOOST_AUTO_TEST_CASE(machines_are_told_by_their_address_and_of_ipv6_by_their_network) {
  BOOST_TEST((peer("192.0.2.1") == peer("::ffff:192.0.2.1")));
  BOOST_TEST((peer("192.0.2.1") != peer("192.0.2.2")));
  BOOST_TEST((peer("2001:db8:1:2::1") == peer("2001:db8:1:2:ffff::7")));
  BOOST_TEST((peer("2001:db8:1:2::1") != peer("2001:db8:1:3::1")));
  open_connections connections;
  for (int socket = 0; socket < static_cast<int>(open_connections::kOfOnePeer); ++socket)
    BOOST_TEST(connections.enter(socket, "one"));
  BOOST_TEST(!connections.enter(1000, "one"));
  BOOST_TEST(connections.enter(1000, "other"));
  connections.leave(7);
  BOOST_TEST(connections.enter(1001, "one"));
}

BOOST_AUTO_TEST_SUITE_END()
