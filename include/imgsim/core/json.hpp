// JSON files: parsing with errors that name the file, and fields with their types checked.
#pragma once

#include <concepts>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include <imgsim/core/error.hpp>
#include <imgsim/core/file.hpp>
#include <imgsim/core/path_text.hpp>

namespace imgsim {

/// Parses JSON that came from `path`. Throws io_error with the place of the fault.
[[nodiscard]] inline nlohmann::json parse_json(std::string_view text, const std::filesystem::path& path,
                                               const std::string& where = "") {
  try {
    return nlohmann::json::parse(text);
  } catch (const nlohmann::json::parse_error& fault) {
    throw io_error(path, detail::concat(where, "is not valid JSON at byte ", fault.byte));
  }
}

/// Parses a JSON file of at most `max_bytes`. Throws io_error.
[[nodiscard]] inline nlohmann::json read_json(const std::filesystem::path& path, std::uint64_t max_bytes) {
  return parse_json(text_of(read_file(path, max_bytes)), path);
}

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
  [[nodiscard]] std::string file_name(const char* name) const {
    std::optional<std::string> bytes = path_from_text(text(name));
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

  [[nodiscard]] const nlohmann::json& array(const char* name) const {
    const nlohmann::json& value = at(name);
    if (!value.is_array()) fail(detail::concat("\"", name, "\" must be a list"));
    return value;
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
