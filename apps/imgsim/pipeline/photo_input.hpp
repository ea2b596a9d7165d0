// Photos named on the command line: files, `-` for standard input, http(s) URLs.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/option_set.hpp"
#include "cli/session.hpp"
#include "pipeline/fetch_url.hpp"

#include <imgsim/image/image.hpp>

namespace imgsim::app {

/// The options of every command that takes such photos.
void describe(option_set& options, fetch_limits& limits);

/// Throws usage_error where standard input is named more than once, or a URL is neither http nor https.
void check_photo_arguments(const std::vector<std::string>& arguments);

/// Reads one photo. Throws io_error that begins with what was typed.
[[nodiscard]] rgb_image read_photo_argument(const session& session, const std::string& argument,
                                            const fetch_limits& limits);

struct named_photo {
  std::string name;  // as typed
  rgb_image image;
};

/// Reads all that can be read; the others are listed and skipped. Throws the first reason where none can be.
[[nodiscard]] std::vector<named_photo> read_photo_arguments(session& session, const std::vector<std::string>& arguments,
                                                            const fetch_limits& limits);

}  // namespace imgsim::app
