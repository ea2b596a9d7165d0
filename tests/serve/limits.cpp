// Connections that are slow, and many of one machine.
#include <arpa/inet.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <fstream>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <imgsim/core/error.hpp>

#include "serve/connection_limits.hpp"
#include "serve/served_index.hpp"
#include "serve/worker_threads.hpp"

using namespace imgsim_test;
using imgsim::app::byte_budget;
using imgsim::app::head_limit;
using imgsim::app::open_connections;
using imgsim::app::open_uploads;
using imgsim::app::peer_of;
using imgsim::app::transfer_limit;
using imgsim::app::worker_threads;

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
  const auto refused = [&] {
    return std::ranges::find_if(silent, [](const auto& each) { return each->has_answer(); });
  };
  // Threads take them in their time: the first that is refused is one more than there may be.
  for (std::size_t i = 0; i < open_connections::kOfOnePeer; ++i) {
    silent.push_back(std::make_unique<connection>(server.port));
    silent.back()->send("GET / HTT");
  }
  silent.push_back(std::make_unique<connection>(server.port));
  silent.back()->send("GET / HTT");
  for (int i = 0; i < 200 && refused() == silent.end(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  BOOST_REQUIRE((refused() != silent.end()));
  const auto reason = (*refused())->read_to_end().json().at("reason").get<std::string>();
  BOOST_TEST(reason.find("too many") != std::string::npos);
  BOOST_TEST(std::ranges::count_if(silent, [](const auto& each) { return each->has_answer(); }) == 1);
  const connection other(server.port, "127.0.0.1", "127.0.0.2");
  other.send("GET /api/index HTTP/1.1\r\nHost: " + server.host() + "\r\n\r\n");
  BOOST_TEST(other.read_to_end().status == 200);
  silent.resize(silent.size() - 2);
  int status = 0;
  for (int i = 0; i < 100 && status != 200; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    status = server.get("/api/index").status;
  }
  BOOST_TEST(status == 200);
}

BOOST_AUTO_TEST_CASE(slow_uploads_of_one_machine_leave_places_to_others_and_to_other_work) {
  const served_index server(grouped_index().index());
  const std::string photo = read_text(grouped_index().photo("red/0.png"));
  const auto post_from = [&](const std::string& from, const std::string& path, std::size_t bytes) {
    auto to = std::make_unique<connection>(server.port, "127.0.0.1", from);
    to->send("POST " + path + " HTTP/1.1\r\nHost: " + server.host() + "\r\nContent-Length: " + std::to_string(bytes) +
             "\r\n" + server.own_headers() + "\r\n" + photo);
    return to;
  };
  std::vector<std::unique_ptr<connection>> slow;
  for (std::size_t i = 0; i < open_uploads::kOfOnePeer; ++i)
    slow.push_back(post_from("127.0.0.2", "/api/search", photo.size() + 1));
  http_answer third;
  for (int i = 0; i < 200 && third.status != 503; ++i)  // until both are being read
    third = post_from("127.0.0.2", "/api/search", photo.size())->read_to_end();
  BOOST_TEST(third.status == 503);
  BOOST_TEST(third.json().at("reason").get<std::string>().find("try again") != std::string::npos);
  BOOST_TEST(post_from("127.0.0.2", "/api/map", photo.size())->read_to_end().status == 200);
  BOOST_TEST(server.post("/api/search", photo).status == 200);
  slow.front()->send("x");
  BOOST_TEST(slow.front()->read_to_end().status == 200);  // a PNG may have a byte behind its end
  BOOST_TEST(post_from("127.0.0.2", "/api/search", photo.size())->read_to_end().status == 200);
}

BOOST_AUTO_TEST_CASE(where_the_system_makes_fewer_threads_fewer_answer) {
  // There are none where there is no room for their stacks. RLIMIT_NPROC holds for nobody who is root.
  rlimit before{}, stack{};
  BOOST_REQUIRE(::getrlimit(RLIMIT_AS, &before) == 0);
  BOOST_REQUIRE(::getrlimit(RLIMIT_STACK, &stack) == 0);
  if (stack.rlim_cur == RLIM_INFINITY) stack.rlim_cur = rlim_t{2} << 20;  // what glibc takes then
  const auto with_room = [&](rlim_t bytes, auto&& make) {
    std::size_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    const rlimit little{.rlim_cur = pages * static_cast<rlim_t>(::sysconf(_SC_PAGESIZE)) + bytes,
                        .rlim_max = before.rlim_max};
    BOOST_REQUIRE(::setrlimit(RLIMIT_AS, &little) == 0);
    const std::shared_ptr<void> at_end(nullptr, [&](void*) { ::setrlimit(RLIMIT_AS, &before); });
    make();
  };
  std::optional<worker_threads> some;
  with_room(40 * stack.rlim_cur, [&] { some.emplace(128); });
  BOOST_TEST(some->size() > 1U);
  BOOST_TEST(some->size() < 40U);
  std::atomic<int> done = 0;
  for (int i = 0; i < 1000; ++i) some->give([&] { ++done; });
  some->end();
  BOOST_TEST(done == 1000);
  // Each leaves half of what there is to the next.
  std::list<worker_threads> all;
  const auto take_all = [&] {
    for (;;) all.emplace_back(128);
  };
  BOOST_CHECK_EXCEPTION(with_room(20 * stack.rlim_cur, take_all), imgsim::error, [](const imgsim::error& reason) {
    return std::string_view(reason.what()).find("no more threads") != std::string_view::npos;
  });
  BOOST_TEST(all.size() > 2U);
}

BOOST_AUTO_TEST_CASE(what_is_sent_to_no_page_is_not_read) {
  const served_index& server = shared_server();
  const connection to(server.port);
  // Whoever read the body would wait for it.
  to.send("POST /api/neighbours HTTP/1.1\r\nHost: " + server.host() + "\r\nContent-Length: 30000000\r\n" +
          server.own_headers() + "\r\n");
  const auto begin = std::chrono::steady_clock::now();
  BOOST_TEST(to.read_to_end().status == 404);
  BOOST_TEST((std::chrono::steady_clock::now() - begin < transfer_limit::kStandstill));
}

BOOST_AUTO_TEST_CASE(places_of_uploads_are_given_back) {
  open_uploads uploads;
  std::vector<std::shared_ptr<void>> places;
  for (std::size_t i = 0; i < open_uploads::kMost; ++i) {
    const std::string peer(1, static_cast<char>('a' + i / open_uploads::kOfOnePeer));
    places.push_back(uploads.begin(peer));
    BOOST_TEST((places.back() != nullptr));
    if (i + 1 == open_uploads::kOfOnePeer) BOOST_TEST((uploads.begin(peer) == nullptr));
  }
  BOOST_TEST((uploads.begin("z") == nullptr));
  places.pop_back();
  BOOST_TEST((uploads.begin("z") != nullptr));
}

BOOST_AUTO_TEST_CASE(bytes_are_held_until_they_are_let_go) {
  byte_budget budget(10);
  using std::chrono::milliseconds;
  std::shared_ptr<void> most = budget.hold(8, milliseconds(0));
  BOOST_TEST((most != nullptr));
  BOOST_TEST((budget.hold(3, milliseconds(1)) == nullptr));
  BOOST_TEST((budget.hold(2, milliseconds(0)) != nullptr));
  std::thread later([&] {
    std::this_thread::sleep_for(milliseconds(20));
    most.reset();
  });
  const std::shared_ptr<void> large = budget.hold(11, std::chrono::seconds(20));  // alone
  later.join();
  BOOST_TEST((large != nullptr));
  BOOST_TEST((budget.hold(1, milliseconds(0)) == nullptr));
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
  for (const char* text : {"192.0.2.1", "::ffff:192.0.2.1", "2001:db8:1:2::1"})
    BOOST_TEST((peer_of(std::string(text)) == peer(text)));
  open_connections connections;
  for (int socket = 0; socket < static_cast<int>(open_connections::kOfOnePeer); ++socket)
    BOOST_TEST(connections.enter(socket, "one"));
  BOOST_TEST(!connections.enter(1000, "one"));
  BOOST_TEST(connections.enter(1000, "other"));
  connections.leave(7);
  BOOST_TEST(connections.enter(1001, "one"));
}

BOOST_AUTO_TEST_SUITE_END()
