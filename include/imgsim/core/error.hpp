// The three kinds of error that the library throws. Nothing in it prints, aborts or exits.
#pragma once

#include <filesystem>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>

#include <imgsim/core/macros.hpp>

namespace imgsim {

namespace detail {

template <class... Parts>
[[nodiscard]] std::string concat(const Parts&... parts) {
  std::ostringstream text;
  (text << ... << parts);
  return std::move(text).str();
}

}  // namespace detail

/// Base of every exception of the library. what() is one sentence that can be shown to a person.
class error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The caller's fault: a shape, a range or an option. The message names both sides of the mismatch.
class invalid_argument : public error {
 public:
  using error::error;
};

/// A file that cannot be read, written or understood. The message begins with its path.
class io_error : public error {
 public:
  io_error(std::filesystem::path path, const std::string& reason)
      : error(path.string() + ": " + reason), path_(std::move(path)), reason_(reason) {}

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
  [[nodiscard]] const std::string& reason() const noexcept { return reason_; }

 private:
  std::filesystem::path path_;
  std::string reason_;
};

/// A vendor library (oneDNN, cuDNN, ...) refused a call. The message holds library, status and place.
class backend_error : public error {
 public:
  backend_error(const std::string& library, const std::string& detail) : error(library + ": " + detail) {}
};

/// The caller asked for a stop (a stop_token, Ctrl-C in the command). State saved before the throw stays valid.
class cancelled : public error {
 public:
  using error::error;
};

}  // namespace imgsim
