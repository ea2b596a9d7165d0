// Label files as bytes from outside: CSV, read without an index.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace imgsim::app {

struct label_record {
  std::size_t number = 0;  ///< of the record in the file, from 1; empty ones count
  std::string photo;       ///< the first field
  std::string label;       ///< the second; more are passed over
};

/// The records of a CSV file (RFC 4180; a byte order mark and empty lines are passed over). Throws invalid_argument
/// naming the record where a quote is not closed or there is one field alone.
[[nodiscard]] std::vector<label_record> parse_label_file(std::string_view text);

}  // namespace imgsim::app
