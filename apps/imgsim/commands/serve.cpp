#include "commands/serve.hpp"

#include <iostream>
#include <thread>

#include "serve/request_guard.hpp"

#include <imgsim/core/path_text.hpp>
#include <imgsim/report/number.hpp>

namespace imgsim::app {

command_help serve_command::help() const {
  return {.usage = "--index IDX [--host ADDRESS] [--port P]",
          .about =
              "Serves a page to look through the photos of an index in a browser: all photos, the nearest of each, a "
              "search with a photo that is dropped or pasted, the groups of the last imgsim cluster, a map, "
              "duplicates, and the choice of K. Prints its address and runs until Ctrl-C. Only this machine reaches "
              "it unless --host says otherwise; whoever reaches it sees the photos of the index, and no other file. "
              "Nothing is changed: neither photos nor index; photos searched with are never stored. An index that is "
              "replaced meanwhile is read again.",
          .examples = {"imgsim serve --index photos.idx", "imgsim serve --index photos.idx --port 0 --json"},
          .exit_codes = {}};
}

void serve_command::describe(option_set& options) {
  options.path("index", "IDX", index_, "folder made by imgsim index").required();
  options
      .custom(
          "host", "ADDRESS", [this](const std::string& text) { address_.host = text; },
          "address to listen at; 0.0.0.0, or :: for IPv6, too, lets every machine of the network look at the photos")
      .defaults_to(address_.host);
  options.whole("port", "P", port_, {0, 65535}, "port to listen at; 0 takes any that is free");
  options.path("thumbnails", "DIR", thumbnails_, "folder that keeps thumbnails between runs")
      .defaults_to("imgsim/thumbnails in the user's cache folder");
}

exit_code serve_command::run(session& session) {
  expect_http_server();
  const std::stop_token stop = session.stop();
  site pages(session, index_, thumbnails_ ? thumbnails_ : thumbnail_folder_of_user());
  address_.port = static_cast<int>(port_);
  const std::jthread thumbnails([&](const std::stop_token& end) { pages.keep_thumbnails(end); });
  run_http_server(pages, address_, stop, [&](const listen_address& bound) {
    if (!is_for_this_machine(bound.host))
      session.warn("every machine that reaches " + bound.host + " can look at the photos of this index");
    const std::vector<std::string> urls = urls_of(bound);
    if (session.wants_json()) {
      session.print({{"url", urls.front()},
                     {"urls", urls},
                     {"index", path_to_text(index_.string())},
                     {"photos", pages.photos()}});
    } else {
      std::cout << count_text(pages.photos(), "photo") << " at " << urls.front() << '\n';
      for (std::size_t i = 1; i < urls.size(); ++i) std::cout << "or at " << urls[i] << '\n';
    }
    std::cout.flush();  // whoever waits for the address reads it through a pipe
    session.note("Ctrl-C ends it");
  });
  session.note("ended");
  return session.finish();
}

}  // namespace imgsim::app
