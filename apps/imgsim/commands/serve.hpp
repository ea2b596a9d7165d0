// imgsim serve: a page to look through an index.
#pragma once

#include <optional>

#include "cli/command.hpp"
#include "serve/http_server.hpp"

namespace imgsim::app {

class serve_command final : public command {
 public:
  [[nodiscard]] std::string_view name() const override { return "serve"; }
  [[nodiscard]] std::string_view summary() const override { return "a page in the browser to look through an index"; }
  [[nodiscard]] command_help help() const override;
  void describe(option_set& options) override;
  exit_code run(session& session) override;

 private:
  std::filesystem::path index_;
  listen_address address_;
  std::size_t port_ = 8080;
  std::optional<std::filesystem::path> thumbnails_;
};

}  // namespace imgsim::app
