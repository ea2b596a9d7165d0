// Pictures in a terminal that can show them.
#pragma once

#include <optional>
#include <string>

#include "cli/option_set.hpp"

#include <imgsim/image/image.hpp>

namespace imgsim::app {

/// kitty: PNG in pieces, as kitty, WezTerm, Ghostty and Konsole read it. sixel: 216 colours at most, for xterm, foot,
/// mlterm and many others.
enum class picture_protocol { kitty, sixel };

/// --thumbnails auto|kitty|sixel|none, of every command that shows photos: `target` is empty for none. auto is what the
/// terminal behind standard output is known to understand, by its environment; none where it is no terminal.
void describe_thumbnails(option_set& options, std::optional<picture_protocol>& target);

/// The bytes that make the terminal show the picture [H, W, 3] at the cursor and go on below it.
[[nodiscard]] std::string picture_text(picture_protocol protocol, view<const std::uint8_t, 3> rgb);

}  // namespace imgsim::app
