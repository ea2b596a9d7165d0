// JSON files: parsing with errors that name the file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include <imgsim/core/error.hpp>
#include <imgsim/core/file.hpp>
#include <imgsim/core/json_fields.hpp>

namespace imgsim {

/// Whether `value` is this text. (value == "text" makes a value of the text, in a noexcept function: without memory
/// that ends the process.)
[[nodiscard]] inline bool is_text(const nlohmann::json& value, std::string_view text) {
  return value.is_string() && value.get_ref<const std::string&>() == text;
}

/// Parses JSON that came from `path`. Throws io_error with the place of the fault.
[[nodiscard]] inline nlohmann::json parse_json(std::string_view text, const std::filesystem::path& path,
                                               const std::string& where = "") {
  try {
    return nlohmann::json::parse(text);
  } catch (const nlohmann::json::parse_error& fault) {
    throw io_error(path, detail::concat(where, "is not valid JSON at byte ", fault.byte));
  } catch (const nlohmann::json::out_of_range&) {  // 1e999 is JSON, and no double
    throw io_error(path, detail::concat(where, "holds a number that is too large"));
  }
}

/// Parses a JSON file of at most `max_bytes`. Throws io_error.
[[nodiscard]] inline nlohmann::json read_json(const std::filesystem::path& path, std::uint64_t max_bytes) {
  return parse_json(text_of(read_file(path, max_bytes)), path);
}

}  // namespace imgsim
