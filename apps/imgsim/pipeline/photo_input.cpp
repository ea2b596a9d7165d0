#include "pipeline/photo_input.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <span>

#include "cli/text.hpp"

#include <imgsim/core/error.hpp>
#include <imgsim/core/file.hpp>
#include <imgsim/image/decode.hpp>

namespace imgsim::app {

namespace {

constexpr const char* kStandardInput = "-";

std::vector<std::byte> read_standard_input(std::uint64_t max_bytes) {
  std::vector<std::byte> bytes;
  std::vector<std::byte> block(std::size_t{1} << 16);
  for (;;) {
    const ssize_t n = read(STDIN_FILENO, block.data(), block.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw io_error("standard input", "cannot be read: " + imgsim::detail::system_reason());
    if (n == 0) return bytes;
    bytes.insert(bytes.end(), block.begin(), block.begin() + n);
    if (bytes.size() > max_bytes)
      throw io_error("standard input", "holds more than the limit of " + std::to_string(max_bytes) + " bytes");
  }
}

}  // namespace

void describe(option_set& options, fetch_limits& limits) {
  options.flag("allow-local-urls", limits.allow_local,
               "let a URL lead to this machine or a private network, and use the proxies of the environment");
}

void check_photo_arguments(const std::vector<std::string>& arguments) {
  if (std::ranges::count(arguments, kStandardInput) > 1)
    throw usage_error("- (standard input) holds one photo and can be named once");
  for (const std::string& argument : arguments) {
    const std::string_view scheme = url_scheme(argument);
    if (!scheme.empty() && !is_url(argument))
      throw usage_error(in_quotes(argument) + ": a URL must begin with http:// or https://, not " +
                        std::string(scheme) + "://; name a file by its path");
  }
}

rgb_image read_photo_argument(const session& session, const std::string& argument, const fetch_limits& limits) {
  const decode_limits decoding = session.limits();
  if (argument != kStandardInput && !is_url(argument)) return read_image(argument, decoding);
  const std::vector<std::byte> bytes =
      argument == kStandardInput ? read_standard_input(decoding.max_file_bytes) : fetch_url(argument, limits);
  try {
    return decode_image(bytes, decoding);
  } catch (const image_error& reason) {
    throw io_error(argument == kStandardInput ? "standard input" : argument, reason.what());
  }
}

std::vector<named_photo> read_photo_arguments(session& session, const std::vector<std::string>& arguments,
                                              const fetch_limits& limits) {
  std::vector<named_photo> photos;
  for (const std::string& argument : arguments) {
    try {
      photos.push_back({argument, read_photo_argument(session, argument, limits)});
    } catch (const io_error& failure) {
      if (arguments.size() == 1) throw;
      session.skip(argument, failure.reason());
    }
  }
  if (photos.empty()) throw error("none of the " + std::to_string(arguments.size()) + " photos can be read");
  return photos;
}

}  // namespace imgsim::app
