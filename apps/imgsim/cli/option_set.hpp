// The options of one command: how each is called, what it may hold and which variable receives it. Boost splits the
// command line; values are converted here, so that every refusal names the option, the range and what was given.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <imgsim/core/error.hpp>

namespace imgsim::app {

/// The command line cannot be understood. what() is one sentence without the command's name.
class usage_error : public error {
 public:
  using error::error;
};

/// What a value names, for completion and suggestions.
enum class value_kind { text, file, folder };

/// One option. Without a metavar it is a flag.
struct option {
  std::string name;  // without dashes
  std::string metavar;
  std::string help;
  std::string default_text;
  std::vector<std::string> offered;  // values with a name; a number or a file may be allowed besides
  value_kind kind = value_kind::text;
  char letter = '\0';
  bool is_required = false;
  bool is_repeatable = false;
  std::string alternative;  // an option that takes its place: typed, it outdoes a configured one
  bool was_given = false;   // typed, or configured
  bool was_configured = false;
  bool stays_off = false;                       // of a switch: configured to be off
  std::function<void(const std::string&)> set;  // throws usage_error with the reason alone

  option& short_name(char c) {
    letter = c;
    return *this;
  }
  option& required() {
    is_required = true;
    default_text.clear();
    return *this;
  }
  option& repeatable() {
    is_repeatable = true;
    return *this;
  }
  option& offers(std::vector<std::string> values) {
    offered = std::move(values);
    return *this;
  }
  option& instead_of(std::string other) {
    alternative = std::move(other);
    return *this;
  }
  option& names_a(value_kind what) {
    kind = what;
    return *this;
  }
  /// The default in words, where the variable's own value does not say it.
  option& defaults_to(std::string text) {
    default_text = std::move(text);
    return *this;
  }
};

struct whole_range {
  std::uint64_t low = 0;
  std::uint64_t high = std::numeric_limits<std::uint64_t>::max();
};
struct real_range {
  double low;
  double high;
};

constexpr std::size_t kAnyNumber = std::numeric_limits<std::size_t>::max();

/// The arguments that are no options.
struct positional_arguments {
  std::string metavar;  // what messages call them
  std::vector<std::string>* target = nullptr;
  std::size_t least = 0, most = 0;
  value_kind kind = value_kind::text;
  std::vector<std::string> offered = {};
};

/// Collects options and converts their values. References given to it must outlive parse().
class option_set {
 public:
  option& flag(std::string name, bool& target, std::string help);
  option& path(std::string name, std::string metavar, std::filesystem::path& target, std::string help);
  option& path(std::string name, std::string metavar, std::optional<std::filesystem::path>& target, std::string help);
  option& whole(std::string name, std::string metavar, std::size_t& target, whole_range range, std::string help);
  option& whole(std::string name, std::string metavar, std::optional<std::size_t>& target, whole_range range,
                std::string help);
  option& real(std::string name, std::string metavar, double& target, real_range range, std::string help);
  option& real(std::string name, std::string metavar, std::optional<double>& target, real_range range,
               std::string help);
  option& choice(std::string name, std::string metavar, std::string& target, std::vector<std::string> choices,
                 std::string help);
  /// A value read by `set`, which throws usage_error with the reason alone.
  option& custom(std::string name, std::string metavar, std::function<void(const std::string&)> set, std::string help);

  /// There is no option of that name, and `reason` says why: the whole message for who gives it.
  void without(std::string name, std::string reason) { absent_.emplace(std::move(name), std::move(reason)); }

  void positional(positional_arguments arguments) { positional_ = std::move(arguments); }

  /// Reads `tokens` (without program and command) into the variables. Throws usage_error.
  void parse(const std::vector<std::string>& tokens);

  /// Sets an option that parse() was not given, nor what takes its place; `values` are several only for a repeatable
  /// one, "true" or "false" for a flag. Throws usage_error with the reason alone.
  void configure(std::string_view name, const std::vector<std::string>& values);

  /// What configure() has set, as it would be typed.
  [[nodiscard]] const std::vector<std::string>& configured() const noexcept { return configured_; }

  /// Throws usage_error where a required option or argument was not given.
  void check_required() const;

  [[nodiscard]] bool was_given(std::string_view name) const;
  /// On the command line itself.
  [[nodiscard]] bool was_typed(std::string_view name) const;
  /// Nullptr where there is none. `name` without dashes.
  [[nodiscard]] const option* find(std::string_view name) const;
  [[nodiscard]] const std::list<option>& options() const noexcept { return options_; }
  [[nodiscard]] const positional_arguments& positionals() const noexcept { return positional_; }
  /// "unknown option --epoch; did you mean --epochs?", or the reason of without().
  [[nodiscard]] std::string unknown_option(const std::string& typed) const;

 private:
  option& add(std::string name, std::string metavar, std::string help, std::string default_text,
              std::function<void(const std::string&)> set);
  std::list<option> options_;  // a list: the references that add() returns stay valid
  positional_arguments positional_;
  std::map<std::string, std::string, std::less<>> absent_;
  std::vector<std::string> configured_;
};

/// A whole number in `range`; throws usage_error with the reason.
[[nodiscard]] std::uint64_t parse_whole(const std::string& text, whole_range range);
/// A finite number in `range`; throws usage_error with the reason.
[[nodiscard]] double parse_real(const std::string& text, real_range range);
/// "a,b,c" into its parts; throws usage_error on an empty part.
[[nodiscard]] std::vector<std::string> split_list(const std::string& text);
/// One of `choices`, or usage_error that lists them.
void expect_choice(const std::string& text, const std::vector<std::string>& choices);

}  // namespace imgsim::app
