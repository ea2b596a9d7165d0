// Structs of numbers as text: "warm_up=2,final=0.01". A struct lists its numbers in a static array `fields` of
// number_field.
#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>

#include <imgsim/core/error.hpp>
#include <imgsim/core/number_text.hpp>

namespace imgsim {

/// (An alias, since nvcc would write the type out with parentheses that g++ then warns of.)
template <class Struct>
using number_member = double Struct::*;

/// A number of a struct, for its text form.
template <class Struct>
struct number_field {
  std::string_view name;
  number_member<Struct> member;
};

/// "a=1,b=0.5": every field written out; empty where there is none.
template <class Struct>
[[nodiscard]] std::string number_fields_text(const Struct& numbers) {
  std::string text;
  for (const auto& field : Struct::fields)
    text += detail::concat(text.empty() ? "" : ",", field.name, "=", number_text(numbers.*field.member));
  return text;
}

/// Reads what number_fields_text writes; fields may be left out, none may be below 0. Throws invalid_argument with
/// `what` the struct is and its `form`.
template <class Struct>
[[nodiscard]] Struct parse_number_fields(std::string_view text, std::string_view what, std::string_view form) {
  Struct numbers;
  while (!text.empty()) {
    const std::string_view item = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), item.size() + 1));
    const std::size_t equals = std::min(item.size(), item.find('='));
    const auto value = parse_number<double>(item.substr(std::min(item.size(), equals + 1)));
    IMGSIM_EXPECTS(value && std::isfinite(*value) && *value >= 0.0, "'", item, "' should be a name, '=' and a number");
    const auto field = std::ranges::find(Struct::fields, item.substr(0, equals), &number_field<Struct>::name);
    IMGSIM_EXPECTS(field != Struct::fields.end(), "the ", what, " has no '", item.substr(0, equals), "'; its form is ",
                   form);
    numbers.*field->member = *value;
  }
  return numbers;
}

}  // namespace imgsim
