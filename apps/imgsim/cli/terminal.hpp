// What a stream can show: a terminal's width and colours.
#pragma once

#include <cstddef>

namespace imgsim::app {

/// --color. Automatic: on a terminal, unless NO_COLOR is set (no-color.org).
enum class colour_choice { automatic, always, never };

/// Whether the file descriptor is a terminal that understands more than plain lines.
[[nodiscard]] bool is_terminal(int descriptor);
/// Its width, 80 where it does not tell; 0 where it is no terminal: lines may be of any length.
[[nodiscard]] std::size_t terminal_columns(int descriptor);
[[nodiscard]] bool wants_colour(int descriptor, colour_choice choice);

}  // namespace imgsim::app
