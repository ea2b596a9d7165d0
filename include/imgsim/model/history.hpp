// What a training run did, epoch by epoch, and its CSV file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <imgsim/core/error.hpp>
#include <imgsim/core/file.hpp>
#include <imgsim/core/number_text.hpp>

namespace imgsim {

struct epoch_record {
  std::size_t epoch = 0;       ///< counts from 1
  double training_loss = 0.0;  ///< mean over the photos of the loss before each step, penalty included
  double validation_loss = std::numeric_limits<double>::quiet_NaN();  ///< NaN without validation photos
  double learning_rate = 0.0;                                         ///< of the last step
  double seconds = 0.0;
};

namespace detail {

inline constexpr std::string_view kHistoryHeader = "epoch,training_loss,validation_loss,learning_rate,seconds";
inline constexpr std::uint64_t kMaxHistoryBytes = std::uint64_t{64} << 20;

/// The parts of `line` between commas.
[[nodiscard]] inline std::vector<std::string_view> split_fields(std::string_view line) {
  std::vector<std::string_view> fields;
  for (;;) {
    const std::size_t comma = line.find(',');
    fields.push_back(line.substr(0, comma));
    if (comma == std::string_view::npos) return fields;
    line.remove_prefix(comma + 1);
  }
}

[[nodiscard]] inline bool parse_record(std::string_view line, epoch_record& record) {
  const auto fields = split_fields(line);
  if (fields.size() != 5) return false;
  const auto epoch = parse_number<std::size_t>(fields[0]);
  const auto training = parse_number<double>(fields[1]);
  const auto validation =
      fields[2].empty() ? std::numeric_limits<double>::quiet_NaN() : parse_number<double>(fields[2]);
  const auto rate = parse_number<double>(fields[3]);
  const auto seconds = parse_number<double>(fields[4]);
  if (!epoch || !training || !validation || !rate || !seconds) return false;
  record = {*epoch, *training, *validation, *rate, *seconds};
  return true;
}

}  // namespace detail

/// CSV text with a header line; an absent validation loss is an empty field. Numbers read back bit for bit.
[[nodiscard]] inline std::string history_text(std::span<const epoch_record> history) {
  std::string text(detail::kHistoryHeader);
  text += '\n';
  for (const epoch_record& record : history) {
    const bool validated = record.validation_loss == record.validation_loss;
    text += number_text(record.epoch) + ',' + number_text(record.training_loss) + ',' +
            (validated ? number_text(record.validation_loss) : "") + ',' + number_text(record.learning_rate) + ',' +
            number_text(record.seconds) + '\n';
  }
  return text;
}

/// Throws invalid_argument naming the line.
[[nodiscard]] inline std::vector<epoch_record> parse_history(std::string_view text) {
  std::vector<epoch_record> history;
  for (std::size_t line = 1; !text.empty(); ++line) {
    const std::size_t end = text.find('\n');
    const std::string_view row = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line == 1) {
      IMGSIM_EXPECTS(row == detail::kHistoryHeader, "line 1 is not the header ", detail::kHistoryHeader);
      continue;
    }
    epoch_record record;
    IMGSIM_EXPECTS(detail::parse_record(row, record), "line ", line, " is no record of an epoch");
    history.push_back(record);
  }
  return history;
}

/// Throws io_error.
inline void write_history(const std::filesystem::path& path, std::span<const epoch_record> history) {
  write_file(path, history_text(history));
}

/// Throws io_error naming the line.
[[nodiscard]] inline std::vector<epoch_record> read_history(const std::filesystem::path& path) {
  const std::vector<std::byte> bytes = read_file(path, detail::kMaxHistoryBytes);
  try {
    return parse_history(text_of(bytes));
  } catch (const invalid_argument& reason) {
    throw io_error(path, reason.what());
  }
}

}  // namespace imgsim
