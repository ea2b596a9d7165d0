#include "cli/config.hpp"

#include <algorithm>
#include <cstdlib>

#include "cli/environment.hpp"
#include "cli/suggest.hpp"
#include "cli/text.hpp"

#include <imgsim/core/error.hpp>
#include <imgsim/core/file.hpp>
#include <imgsim/core/number_text.hpp>
#include <imgsim/report/escape.hpp>

#ifdef IMGSIM_WITH_TOML
#define TOML_HEADER_ONLY 1
#include <toml++/toml.h>
#endif

namespace imgsim::app {

namespace fs = std::filesystem;

std::optional<fs::path> config_file_of(const global_options& given) {
  if (given.config) return given.config;
  if (const char* named = std::getenv("IMGSIM_CONFIG"); named != nullptr)
    return *named == '\0' ? std::nullopt : std::optional<fs::path>(named);
  const std::optional<fs::path> folder = user_folder("XDG_CONFIG_HOME", ".config");
  if (!folder) return std::nullopt;
  const fs::path file = *folder / "imgsim" / "config.toml";
  std::error_code ignored;
  return fs::exists(file, ignored) ? std::optional(file) : std::nullopt;
}

#ifdef IMGSIM_WITH_TOML

namespace {

constexpr std::uint64_t kMaxConfigBytes = std::uint64_t{1} << 20;

class config_reader {
 public:
  config_reader(fs::path file, std::string command, const catalogue& all)
      : file_(std::move(file)), command_(std::move(command)), all_(all) {
    try {
      table_ = toml::parse(text_of(read_file(file_, kMaxConfigBytes)), file_.string());
    } catch (const toml::parse_error& fault) {
      refuse(fault.source(), std::string(fault.description()));
    } catch (const io_error& fault) {
      throw usage_error(printable_utf8(fault.what()));
    }
    check();
  }

  /// Sets what `table` (null: none) holds of `options`.
  void apply(const toml::table* table, option_set& options, std::vector<std::string>& set) const {
    if (table == nullptr) return;
    for (const auto& [key, node] : *table) {
      if (node.is_table()) continue;
      const option& known = *options.find(key.str());
      if (known.was_given) continue;
      try {
        options.configure(key.str(), values_of(known, node));
      } catch (const usage_error& fault) {
        refuse(node.source(), std::string(key.str()) + ": " + fault.what());
      }
      if (known.was_given) set.push_back("--" + known.name);
    }
  }

  [[nodiscard]] const toml::table& top() const noexcept { return table_; }

 private:
  [[noreturn]] void refuse(const toml::source_region& where, const std::string& reason) const {
    throw usage_error(printable_utf8(file_.string()) + ":" + std::to_string(where.begin.line) + ": " +
                      printable_utf8(reason));
  }

  /// Refuses keys that mean nothing, and values of another type than theirs.
  void check() const {
    for (const auto& [key, node] : table_) {
      const std::string name(key.str());
      const described_command* command = all_.find(name);
      if (const toml::table* of_command = node.as_table()) {
        if (command == nullptr && named(all_.global, name) != nullptr)
          refuse(key.source(), name + " is an option, no table: write " + name + " = VALUE above the first table");
        if (command == nullptr) refuse_name(key, "there is no command " + in_quotes(name), name, all_.names());
        for (const auto& [inner, value] : *of_command) check_option(inner, value, &command->options);
      } else if (command != nullptr) {
        refuse(key.source(), node.is_array_of_tables()
                                 ? "a command has one table: write [" + name + "] in place of [[" + name + "]]"
                                 : name + " is a command" + or_option_text(name));
      } else {
        check_option(key, node, nullptr);
      }
    }
  }

  /// A command that has this option, the one at hand before others; null where none has.
  [[nodiscard]] const described_command* command_with(const std::string& name) const {
    const described_command* found = all_.find(command_);
    if (found != nullptr && named(found->options, name) != nullptr) return found;
    const auto first = std::ranges::find_if(
        all_.commands, [&](const described_command& other) { return named(other.options, name) != nullptr; });
    return first == all_.commands.end() ? nullptr : &*first;
  }

  /// Behind "index is a command", which may be meant as an option.
  [[nodiscard]] std::string or_option_text(const std::string& name) const {
    const described_command* const other = command_with(name);
    return other == nullptr ? ": put its options into a table [" + name + "]"
                            : " and an option of commands: put the option into a table such as [" + other->name + "]";
  }

  void check_option(const toml::key& key, const toml::node& node, const option_set* own) const {
    const std::string name(key.str());
    if (name == "help" || name == "version" || name == "config" || name == "dry-run")
      refuse(key.source(), name + " belongs on the command line");
    const option* known = own != nullptr ? named(*own, name) : nullptr;
    if (known == nullptr) known = named(all_.global, name);
    if (known == nullptr && own == nullptr) {
      if (const described_command* const command = command_with(name); command != nullptr)
        refuse(key.source(), name + " is an option of a command: put it into a table such as [" + command->name + "]");
    }
    if (known == nullptr && own != nullptr) refuse_letter(key, *own);
    if (known == nullptr) {
      std::vector<std::string> names = names_in(own != nullptr ? *own : all_.global);
      if (const described_command* const command = all_.find(command_); own == nullptr && command != nullptr)
        for (std::string& other : names_in(command->options)) names.push_back(std::move(other));
      refuse_name(key, "there is no option " + in_quotes(name), name, names);
    }
    static_cast<void>(values_of(*known, node));
  }

  /// Refuses the short name of an option.
  void refuse_letter(const toml::key& key, const option_set& own) const {
    const std::string letter(key.str());
    for (const option_set* options : {&own, &all_.global}) {
      const option* known = letter.size() == 1 ? options->find(letter) : nullptr;
      if (known != nullptr) refuse(key.source(), letter + ": options have their long names here: write " + known->name);
    }
  }

  [[noreturn]] void refuse_name(const toml::key& key, std::string message, const std::string& typed,
                                const std::vector<std::string>& known) const {
    if (const auto near = closest(typed, known)) message += "; did you mean " + *near + "?";
    refuse(key.source(), message);
  }

  /// The value as it would be typed; those of an array apart for an option that is given several times, or else with
  /// commas between.
  [[nodiscard]] std::vector<std::string> values_of(const option& known, const toml::node& node) const {
    const toml::array* several = node.as_array();
    if (several == nullptr) return {text_of_value(known, node)};
    if (known.metavar.empty()) refuse_value(known, node);
    if (several->empty())
      refuse(node.source(), known.name + ": the list is empty: put " + expected(known) + " into it or remove the line");
    std::vector<std::string> values;
    for (const toml::node& one : *several) {
      std::string value = text_of_value(known, one);
      if (known.is_repeatable || values.empty())
        values.push_back(std::move(value));
      else
        values.back() += "," + value;
    }
    return values;
  }

  [[nodiscard]] static std::string expected(const option& known) {
    if (known.metavar.empty()) return "true or false";
    return known.kind == value_kind::text ? known.metavar : known.metavar + " in quotes";
  }

  [[noreturn]] void refuse_value(const option& known, const toml::node& node) const {
    const std::string what = node.is_boolean()  ? "true or false"
                             : node.is_string() ? "a text"
                             : node.is_number() ? "a number"
                             : node.is_array()  ? "a list"
                             : node.is_table()  ? "a table"
                                                : "a date or a time";
    refuse(node.source(), known.name + ": expected " + expected(known) + ", got " + what);
  }

  [[nodiscard]] std::string text_of_value(const option& known, const toml::node& node) const {
    if (const auto flag = node.as_boolean()) {
      if (!known.metavar.empty()) refuse_value(known, node);
      return flag->get() ? "true" : "false";
    }
    if (known.metavar.empty()) refuse_value(known, node);
    if (const auto text = node.as_string()) {
      if (known.kind != value_kind::text && text->get().starts_with("~/"))
        return (fs::path(environment("HOME")) / text->get().substr(2)).string();
      return text->get();
    }
    if (known.kind != value_kind::text) refuse_value(known, node);
    if (const auto whole = node.as_integer()) return std::to_string(whole->get());
    if (const auto real = node.as_floating_point()) return number_text(real->get());
    refuse_value(known, node);
  }

  /// By its long name alone.
  [[nodiscard]] static const option* named(const option_set& options, const std::string& name) {
    return name.size() > 1 ? options.find(name) : nullptr;
  }
  [[nodiscard]] static std::vector<std::string> names_in(const option_set& options) {
    std::vector<std::string> names;
    for (const option& o : options.options()) names.push_back(o.name);
    return names;
  }

  fs::path file_;
  std::string command_;  // the one at hand
  const catalogue& all_;
  toml::table table_;
};

}  // namespace

std::vector<std::string> configure(option_set& options, const fs::path& file, const std::string& command,
                                   const catalogue& all) {
  const config_reader config(file, command, all);
  std::vector<std::string> set;
  config.apply(config.top()[command].as_table(), options, set);
  config.apply(&config.top(), options, set);
  return set;
}

#else

std::vector<std::string> configure(option_set&, const fs::path& file, const std::string&, const catalogue&) {
  throw usage_error("this imgsim was built without toml++ and cannot read " + printable_utf8(file.string()) +
                    "; leave out --config, or set IMGSIM_CONFIG= (to nothing) where it was not given");
}

#endif

}  // namespace imgsim::app
