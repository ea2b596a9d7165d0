// Small pieces of text that several commands print; more of them in imgsim/report/{number,escape,table}.hpp.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace imgsim::app {

/// "'text'", printable: a file name must not steer the terminal.
[[nodiscard]] std::string in_quotes(std::string_view text);
/// "a, b or c".
[[nodiscard]] std::string any_of_text(const std::vector<std::string>& items);
/// "a, b and c".
[[nodiscard]] std::string all_of_text(const std::vector<std::string>& items);
/// "0.42 s", "8.1 s", "3:05", "1:02:03".
[[nodiscard]] std::string duration_text(double seconds);
/// "12 B", "3.4 KiB", "1.2 GiB".
[[nodiscard]] std::string bytes_text(std::uint64_t bytes);
/// A copy of `text` broken at spaces into lines of at most `width`, each but the first behind `indent` spaces.
[[nodiscard]] std::string wrapped(std::string_view text, std::size_t width, std::size_t indent);
/// `argument` so that a POSIX shell reads it back as one word; one that is not fit to print as $'...', which POSIX has
/// had since 2024, and bash, zsh and ksh for long.
[[nodiscard]] std::string shell_word(std::string_view argument);

}  // namespace imgsim::app
