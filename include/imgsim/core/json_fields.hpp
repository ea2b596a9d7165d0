// The fields of JSON that came from a file, with their types checked and errors that name the file.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <imgsim/core/error.hpp>
#include <imgsim/core/path_text.hpp>

namespace imgsim {

/// The fields of one JSON object read from a file, each checked for presence, type and range. `where` ("line 3: ")
/// begins the reason of every io_error thrown. Keeps references to its arguments.
class json_fields {
 public:
  json_fields(const nlohmann::json& object, const std::filesystem::path& path, std::string where = "")
      : object_(object), path_(path), where_(std::move(where)) {
    if (!object.is_object()) fail("must be a JSON object");
  }

  json_fields(const nlohmann::json&, std::filesystem::path&&, std::string = "") = delete;  // would not live on

  [[nodiscard]] bool has(const char* name) const { return object_.contains(name); }

  [[nodiscard]] const nlohmann::json& at(const char* name) const {
    const auto found = object_.find(name);
    if (found == object_.end()) fail(detail::concat("the field \"", name, "\" is missing"));
    return *found;
  }

  [[nodiscard]] const std::string& text(const char* name) const {
    const nlohmann::json& value = at(name);
    if (!value.is_string()) fail(detail::concat("\"", name, "\" must be a string"));
    return value.get_ref<const std::string&>();
  }

  /// A file name, see path_text.hpp.
  [[nodiscard]] std::string file_name(const char* name) const { return file_name(name, text(name)); }
  /// The same of a text within the field `name`.
  [[nodiscard]] std::string file_name(const char* name, const std::string& text) const {
    std::optional<std::string> bytes = path_from_text(text);
    if (!bytes) fail(detail::concat("\"", name, "\" holds U+0000 without two hexadecimal digits"));
    return *std::move(bytes);
  }

  template <std::integral Integer>
  [[nodiscard]] Integer integer(const char* name) const {
    const nlohmann::json& value = at(name);
    if (value.is_number_unsigned() && std::in_range<Integer>(value.get<std::uint64_t>())) return value.get<Integer>();
    if (value.is_number_integer() && !value.is_number_unsigned() && std::in_range<Integer>(value.get<std::int64_t>()))
      return value.get<Integer>();
    fail(detail::concat("\"", name, "\" must be a whole number from ", +std::numeric_limits<Integer>::min(), " to ",
                        +std::numeric_limits<Integer>::max()));
  }

  [[nodiscard]] double number(const char* name) const {
    const nlohmann::json& value = at(name);
    if (!value.is_number()) fail(detail::concat("\"", name, "\" must be a number"));
    return value.get<double>();
  }

  [[nodiscard]] const nlohmann::json& array(const char* name) const {
    const nlohmann::json& value = at(name);
    if (!value.is_array()) fail(detail::concat("\"", name, "\" must be a list"));
    return value;
  }

  /// `list`, which is the field `name` or a part of it, as whole numbers from 0.
  [[nodiscard]] std::vector<std::size_t> whole_numbers(const char* name, const nlohmann::json& list) const {
    const bool whole = list.is_array() && std::ranges::all_of(list, [](const nlohmann::json& value) {
                         return value.is_number_unsigned() && std::in_range<std::size_t>(value.get<std::uint64_t>());
                       });
    if (!whole) fail(detail::concat("\"", name, "\" must hold lists of whole numbers from 0"));
    return list.get<std::vector<std::size_t>>();
  }

  /// An object within this one.
  [[nodiscard]] json_fields object(const char* name) const {
    return {at(name), path_, detail::concat(where_, "\"", name, "\": ")};
  }

  [[noreturn]] void fail(const std::string& reason) const { throw io_error(path_, where_ + reason); }

 private:
  const nlohmann::json& object_;
  const std::filesystem::path& path_;
  std::string where_;
};

}  // namespace imgsim
