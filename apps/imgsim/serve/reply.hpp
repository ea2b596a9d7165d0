// What a page asks and what it gets, without HTTP itself.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "cli/option_set.hpp"

#include <imgsim/core/error.hpp>

namespace imgsim::app {

/// What browsers may keep of an answer.
enum class keep_answer {
  never,   // answers about the index, which may change
  checked  // for good: its address names the content
};

struct reply {
  int status = 200;
  std::string type = "application/json";
  std::string body = {};
  keep_answer keep = keep_answer::never;
  std::shared_ptr<void> held = nullptr;  // until the body is sent
};

/// A request that cannot be answered: its status, and a sentence for the reader of the page.
class refusal : public error {
 public:
  refusal(int status, const std::string& reason) : error(reason), status_(status) {}
  [[nodiscard]] int status() const noexcept { return status_; }

 private:
  int status_;
};

/// The parameters of a request: text from anybody.
class request_parameters {
 public:
  /// The text of a parameter by its name; nullopt where it is not given.
  using lookup = std::function<std::optional<std::string>(const std::string& name)>;
  explicit request_parameters(lookup find) : find_(std::move(find)) {}

  [[nodiscard]] std::string text(const std::string& name, const std::string& otherwise) const {
    return find_(name).value_or(otherwise);
  }
  /// Throws refusal (400) where it is no whole number in `range`.
  [[nodiscard]] std::size_t whole(const std::string& name, std::size_t otherwise, whole_range range) const {
    return read(name, otherwise, [&](const std::string& given) { return parse_whole(given, range); });
  }
  /// Throws refusal (400) where it is no number in `range`.
  [[nodiscard]] double real(const std::string& name, double otherwise, real_range range) const {
    return read(name, otherwise, [&](const std::string& given) { return parse_real(given, range); });
  }

 private:
  template <class T, class Parse>
  T read(const std::string& name, T otherwise, Parse&& parse) const {
    const std::optional<std::string> given = find_(name);
    if (!given) return otherwise;
    try {
      return parse(*given);
    } catch (const usage_error& reason) {
      throw refusal(400, name + ": " + reason.what());
    }
  }

  lookup find_;
};

}  // namespace imgsim::app
