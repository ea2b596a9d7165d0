#include "cli/terminal_picture.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "cli/environment.hpp"
#include "cli/terminal.hpp"

#include <imgsim/image/encode.hpp>
#include <imgsim/report/html.hpp>

namespace imgsim::app {

namespace {

/// No terminal is asked: its answer would come in between what is typed.
std::optional<picture_protocol> known_protocol() {
  if (!is_terminal(STDOUT_FILENO)) return std::nullopt;
  const std::string terminal = environment("TERM"), program = environment("TERM_PROGRAM");
  // What they inherit says nothing of what they pass on.
  if (!environment("TMUX").empty() || !environment("STY").empty()) return std::nullopt;
  const auto is_any_of = [](std::string_view name, std::initializer_list<std::string_view> known) {
    return std::ranges::any_of(known, [&](std::string_view one) { return name.find(one) != std::string_view::npos; });
  };
  if (!environment("KITTY_WINDOW_ID").empty() || is_any_of(terminal, {"kitty", "ghostty"}) ||
      is_any_of(program, {"WezTerm", "ghostty"}))
    return picture_protocol::kitty;
  if (is_any_of(terminal, {"sixel", "foot", "mlterm", "contour"}) || is_any_of(program, {"mintty"}))
    return picture_protocol::sixel;
  return std::nullopt;
}

/// One picture as PNG, in base64 and pieces of 4096: a=T shows it, m=1 says that more follows, q=2 asks for no answer.
std::string kitty_text(view<const std::uint8_t, 3> rgb) {
  constexpr std::size_t kPiece = 4096;
  const std::string data = base64_text(encode_png(rgb));
  std::string text;
  for (std::size_t begin = 0; begin < data.size(); begin += kPiece) {
    text += begin == 0 ? "\x1b_Ga=T,f=100,q=2," : "\x1b_G";
    text += begin + kPiece < data.size() ? "m=1;" : "m=0;";
    text += data.substr(begin, kPiece) + "\x1b\\";
  }
  return text + "\n";
}

constexpr std::size_t kLevels = 6;  // of each of red, green and blue
constexpr std::size_t kColours = kLevels * kLevels * kLevels;

/// The palette's colour of each pixel; what rounding takes away is given to the neighbours (Floyd and Steinberg), so
/// that photos keep their shades.
std::vector<std::uint8_t> quantised(view<const std::uint8_t, 3> rgb) {
  const std::size_t height = rgb.extent(0), width = rgb.extent(1);
  std::vector<std::uint8_t> chosen(height * width);
  std::vector<std::array<float, 3>> here(width + 2), below(width + 2);  // errors, of pixels from -1 to width
  for (std::size_t y = 0; y < height; ++y) {
    std::ranges::fill(below, std::array<float, 3>{});
    for (std::size_t x = 0; x < width; ++x) {
      std::size_t index = 0;
      for (std::size_t c = 0; c < 3; ++c) {
        const float wanted = static_cast<float>(rgb(y, x, c)) + here[x + 1][c];
        const float step = 255.0F / (kLevels - 1);
        const auto level = static_cast<std::size_t>(std::clamp(wanted / step + 0.5F, 0.0F, kLevels - 1.0F));
        index = index * kLevels + level;
        const float error = wanted - static_cast<float>(level) * step;
        here[x + 2][c] += error * 7 / 16;
        below[x][c] += error * 3 / 16;
        below[x + 1][c] += error * 5 / 16;
        below[x + 2][c] += error * 1 / 16;
      }
      chosen[y * width + x] = static_cast<std::uint8_t>(index);
    }
    std::swap(here, below);
  }
  return chosen;
}

/// A run of one sixel, shortened where that is shorter.
void add_run(std::string& text, char sixel, std::size_t count) {
  if (count > 3)
    text += "!" + std::to_string(count) + sixel;
  else
    text.append(count, sixel);
}

/// DEC sixels: bands of six rows; in each band every colour that occurs is drawn over the whole width.
std::string sixel_text(view<const std::uint8_t, 3> rgb) {
  const std::size_t height = rgb.extent(0), width = rgb.extent(1);
  const std::vector<std::uint8_t> pixels = quantised(rgb);
  std::string text = "\x1bPq\"1;1;" + std::to_string(width) + ";" + std::to_string(height);
  for (std::size_t i = 0; i < kColours; ++i) {
    const auto percent = [](std::size_t level) { return std::to_string(level * 100 / (kLevels - 1)); };
    text += "#" + std::to_string(i) + ";2;" + percent(i / (kLevels * kLevels)) + ";" + percent(i / kLevels % kLevels) +
            ";" + percent(i % kLevels);
  }
  for (std::size_t top = 0; top < height; top += 6) {
    const std::size_t rows = std::min<std::size_t>(6, height - top);
    std::array<bool, kColours> occurs{};
    for (std::size_t i = top * width; i < (top + rows) * width; ++i) occurs.at(pixels[i]) = true;
    for (std::size_t colour = 0; colour < kColours; ++colour) {
      if (!occurs.at(colour)) continue;
      text += "#" + std::to_string(colour);
      char last = 0;
      std::size_t count = 0;
      for (std::size_t x = 0; x < width; ++x) {
        int bits = 0;
        for (std::size_t y = 0; y < rows; ++y)
          if (pixels[(top + y) * width + x] == colour) bits |= 1 << y;
        const auto sixel = static_cast<char>('?' + bits);
        if (count > 0 && sixel != last) {
          add_run(text, last, count);
          count = 0;
        }
        last = sixel;
        ++count;
      }
      if (last != '?') add_run(text, last, count);
      text += "$";  // back to the left
    }
    text += "-";  // the next band
  }
  return text + "\x1b\\\n";
}

}  // namespace

void describe_thumbnails(option_set& options, std::optional<picture_protocol>& target) {
  const std::vector<std::string> choices{"auto", "kitty", "sixel", "none"};
  options
      .custom(
          "thumbnails", "KIND",
          [&target, choices](const std::string& text) {
            expect_choice(text, choices);
            target.reset();
            if (text == "auto") target = known_protocol();
            if (text == "kitty") target = picture_protocol::kitty;
            if (text == "sixel") target = picture_protocol::sixel;
          },
          "also show the photos in the terminal, by its way to draw pictures: auto, kitty, sixel or none")
      .offers(choices)
      .defaults_to("none");
}

std::string picture_text(picture_protocol protocol, view<const std::uint8_t, 3> rgb) {
  return protocol == picture_protocol::kitty ? kitty_text(rgb) : sixel_text(rgb);
}

}  // namespace imgsim::app
