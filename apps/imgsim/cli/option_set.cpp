#include "cli/option_set.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <sstream>

#include <boost/program_options.hpp>

#include "cli/suggest.hpp"
#include "cli/text.hpp"

#include <imgsim/report/escape.hpp>
#include <imgsim/report/number.hpp>

namespace imgsim::app {

namespace po = boost::program_options;

std::uint64_t parse_whole(const std::string& text, whole_range range) {
  std::uint64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure == std::errc{} && end == text.data() + text.size() && value >= range.low && value <= range.high)
    return value;
  const bool open =
      range.high == std::numeric_limits<std::uint64_t>::max() && failure != std::errc::result_out_of_range;
  throw usage_error("expected a whole number " +
                    (open ? "of at least " + std::to_string(range.low)
                          : "from " + std::to_string(range.low) + " to " + std::to_string(range.high)) +
                    ", got " + in_quotes(text));
}

double parse_real(const std::string& text, real_range range) {
  double value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure == std::errc{} && end == text.data() + text.size() && std::isfinite(value) && value >= range.low &&
      value <= range.high)
    return value;
  std::ostringstream message;
  message << "expected a number ";
  if (std::isinf(range.high)) {
    message << "of at least " << range.low;
  } else {
    message << "from " << range.low << " to " << range.high;
  }
  message << ", got " << in_quotes(text);
  throw usage_error(message.str());
}

std::vector<std::string> split_list(const std::string& text) {
  std::vector<std::string> parts;
  std::istringstream stream(text + ",");
  for (std::string part; std::getline(stream, part, ',');) {
    if (part.empty()) throw usage_error("expected names with a comma between two, got " + in_quotes(text));
    parts.push_back(part);
  }
  return parts;
}

void expect_choice(const std::string& text, const std::vector<std::string>& choices) {
  if (std::ranges::find(choices, text) != choices.end()) return;
  std::string message = "expected " + any_of_text(choices) + ", got " + in_quotes(text);
  if (const auto near = closest(text, choices)) message += "; did you mean " + *near + "?";
  throw usage_error(message);
}

option& option_set::add(std::string name, std::string metavar, std::string help, std::string default_text,
                        std::function<void(const std::string&)> set) {
  option added;
  added.name = std::move(name);
  added.metavar = std::move(metavar);
  added.help = std::move(help);
  added.default_text = std::move(default_text);
  added.set = std::move(set);
  options_.push_back(std::move(added));
  return options_.back();
}

option& option_set::flag(std::string name, bool& target, std::string help) {
  return add(std::move(name), "", std::move(help), "", [&target](const std::string&) { target = true; });
}

namespace {

value_kind kind_of(const std::string& metavar) {
  return metavar == "DIR" || metavar == "IDX" ? value_kind::folder : value_kind::file;
}

}  // namespace

option& option_set::path(std::string name, std::string metavar, std::filesystem::path& target, std::string help) {
  const value_kind kind = kind_of(metavar);
  return add(std::move(name), std::move(metavar), std::move(help), target.string(),
             [&target](const std::string& text) { target = text; })
      .names_a(kind);
}

option& option_set::path(std::string name, std::string metavar, std::optional<std::filesystem::path>& target,
                         std::string help) {
  const value_kind kind = kind_of(metavar);
  return add(std::move(name), std::move(metavar), std::move(help), "",
             [&target](const std::string& text) { target = text; })
      .names_a(kind);
}

option& option_set::whole(std::string name, std::string metavar, std::size_t& target, whole_range range,
                          std::string help) {
  return add(std::move(name), std::move(metavar), std::move(help), std::to_string(target),
             [&target, range](const std::string& text) { target = parse_whole(text, range); });
}

option& option_set::whole(std::string name, std::string metavar, std::optional<std::size_t>& target, whole_range range,
                          std::string help) {
  return add(std::move(name), std::move(metavar), std::move(help), "",
             [&target, range](const std::string& text) { target = parse_whole(text, range); });
}

option& option_set::real(std::string name, std::string metavar, double& target, real_range range, std::string help) {
  return add(std::move(name), std::move(metavar), std::move(help), general_text(target),
             [&target, range](const std::string& text) { target = parse_real(text, range); });
}

option& option_set::real(std::string name, std::string metavar, std::optional<double>& target, real_range range,
                         std::string help) {
  return add(std::move(name), std::move(metavar), std::move(help), "",
             [&target, range](const std::string& text) { target = parse_real(text, range); });
}

option& option_set::choice(std::string name, std::string metavar, std::string& target, std::vector<std::string> choices,
                           std::string help) {
  const std::vector<std::string> offered = choices;
  return add(std::move(name), std::move(metavar), std::move(help), target,
             [&target, allowed = std::move(choices)](const std::string& text) {
               expect_choice(text, allowed);
               target = text;
             })
      .offers(offered);
}

option& option_set::custom(std::string name, std::string metavar, std::function<void(const std::string&)> set,
                           std::string help) {
  return add(std::move(name), std::move(metavar), std::move(help), "", std::move(set));
}

const option* option_set::find(std::string_view name) const {
  const auto found = std::ranges::find_if(
      options_, [&](const option& o) { return o.name == name || (name.size() == 1 && o.letter == name.front()); });
  return found == options_.end() ? nullptr : &*found;
}

bool option_set::was_given(std::string_view name) const {
  const option* found = find(name);
  return found != nullptr && found->was_given;
}

bool option_set::was_typed(std::string_view name) const {
  const option* found = find(name);
  return found != nullptr && found->was_given && !found->was_configured;
}

std::string option_set::unknown_option(const std::string& typed) const {
  std::string message = "unknown option " + printable_utf8(typed);
  std::vector<std::string> names;
  for (const option& o : options_) names.push_back(o.name);
  const std::string_view name = std::string_view(typed).substr(std::min(typed.find_first_not_of('-'), typed.size()));
  if (const auto absent = absent_.find(name); absent != absent_.end()) return absent->second;
  if (const auto near = closest(name, names)) {
    message += "; did you mean --" + *near + "?";
  } else if (positional_.kind == value_kind::file && !typed.starts_with("--")) {
    message += "; a file whose name begins with - is named as ./-NAME";
  }
  return message;
}

namespace {

/// A word behind an option that looks like an option is one, and the value was forgotten: `--out --dry-run` is not to
/// write into a folder of that name.
void expect_value(const option& asked, const std::string& typed, const std::string& value) {
  constexpr std::string_view kNumber = "0123456789.";
  if (value.size() < 2 || value.front() != '-') return;
  if (asked.kind == value_kind::text && (kNumber.find(value[1]) != std::string_view::npos || value == "-inf")) return;
  throw usage_error(typed + ": a value is missing (" + asked.metavar + ") before " + value +
                    "; one that begins so is given as --" + asked.name + "=" + value);
}

}  // namespace

void option_set::parse(const std::vector<std::string>& tokens) {
  po::options_description description;
  for (const option& o : options_) {
    const std::string names = o.letter == '\0' ? o.name : o.name + "," + o.letter;
    if (o.metavar.empty()) {
      description.add_options()(names.c_str(), "");
    } else {
      description.add_options()(names.c_str(), po::value<std::string>(), "");
    }
  }
  // Abbreviated names would change their meaning with every option that is added.
  constexpr auto kStyle = po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;
  const po::parsed_options parsed = [&] {
    try {
      return po::command_line_parser(tokens).options(description).style(kStyle).run();
    } catch (const po::unknown_option& e) {
      throw usage_error(unknown_option(e.get_option_name()));
    } catch (const po::invalid_command_line_syntax& e) {
      const std::string typed = e.get_option_name();
      if (e.kind() == po::invalid_syntax::extra_parameter) throw usage_error(typed + ": takes no value");
      const auto dashes = typed.find_first_not_of('-');
      const option* found = dashes == std::string::npos ? nullptr : find(typed.substr(dashes));
      throw usage_error(typed + ": a value is missing" + (found != nullptr ? " (" + found->metavar + ")" : ""));
    } catch (const po::error& e) {
      throw usage_error(e.what());
    }
  }();

  for (const auto& token : parsed.options) {
    if (token.position_key >= 0) {
      if (positional_.target == nullptr || positional_.target->size() == positional_.most)
        throw usage_error("unexpected argument " + in_quotes(token.value.at(0)));
      if (token.value.at(0).empty()) throw usage_error(positional_.metavar + ": expected a name, got an empty one");
      positional_.target->push_back(token.value.at(0));
      continue;
    }
    const auto found = std::ranges::find(options_, token.string_key, &option::name);
    if (token.original_tokens.size() > 1) expect_value(*found, token.original_tokens[0], token.original_tokens[1]);
    if (found->was_given && !found->is_repeatable && !found->metavar.empty())
      throw usage_error("--" + found->name + " is given twice");
    found->was_given = true;
    if (!found->metavar.empty() && (token.value.empty() || token.value.front().empty()))
      throw usage_error("--" + found->name + ": expected " + found->metavar + ", got an empty text");
    try {
      found->set(token.value.empty() ? std::string() : token.value.front());
    } catch (const usage_error& e) {
      throw usage_error("--" + found->name + ": " + e.what());
    }
  }
}

void option_set::configure(std::string_view name, const std::vector<std::string>& values) {
  const auto found = std::ranges::find(options_, name, &option::name);
  IMGSIM_EXPECTS(found != options_.end(), "there is no option ", name);
  if (found->was_given || found->stays_off || was_typed(found->alternative)) return;
  if (found->metavar.empty()) {
    expect_choice(values.at(0), {"true", "false"});
    if (values.at(0) == "false") {
      found->stays_off = true;
      return;
    }
  }
  for (const std::string& value : values) {
    if (value.empty()) throw usage_error("expected " + found->metavar + ", got an empty text");
    found->set(value);
    configured_.push_back("--" + found->name + (found->metavar.empty() ? "" : "=" + value));
  }
  found->was_given = true;
  found->was_configured = true;
}

void option_set::check_required() const {
  for (const option& o : options_) {
    if (o.is_required && !o.was_given) throw usage_error("--" + o.name + " " + o.metavar + " is missing");
  }
  if (positional_.target != nullptr && positional_.target->size() < positional_.least) {
    const std::string choices = positional_.offered.empty() ? "" : ": " + any_of_text(positional_.offered);
    throw usage_error(positional_.least == 1
                          ? "no " + positional_.metavar + " is given" + choices
                          : std::to_string(positional_.least) + " " + positional_.metavar + " are needed, " +
                                std::to_string(positional_.target->size()) + " given");
  }
}

}  // namespace imgsim::app
