// What a terminal shows: widths, colours, pictures, and names that were meant.
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "cli/shell.hpp"
#include "cli/terminal_picture.hpp"
#include "cli/trained_folder.hpp"

#include <imgsim/image/decode.hpp>

using imgsim_test::lines_of;
using imgsim_test::must_run;
using imgsim_test::run_imgsim;
using imgsim_test::shared_folder;
using imgsim_test::temporary_folder;
using imgsim_test::write_photo;

BOOST_AUTO_TEST_SUITE(terminal)

namespace {

/// What a terminal of so many columns is given by `arguments`, both streams.
std::string shown_in_terminal(std::vector<std::string> arguments, unsigned short columns, const char* no_colour = "") {
  winsize size{};
  size.ws_col = columns;
  size.ws_row = 50;
  int master = -1;
  const pid_t child = forkpty(&master, nullptr, nullptr, &size);
  BOOST_REQUIRE(child >= 0);
  if (child == 0) {
    setenv("TERM", "xterm", 1);
    setenv("NO_COLOR", no_colour, 1);
    arguments.insert(arguments.begin(), IMGSIM_COMMAND);
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    execv(IMGSIM_COMMAND, argv.data());
    _exit(127);
  }
  std::string text;
  char block[4096];
  for (ssize_t n = 0; (n = read(master, block, sizeof block)) > 0;) text.append(block, static_cast<std::size_t>(n));
  close(master);
  waitpid(child, nullptr, 0);
  std::erase(text, '\r');
  return text;
}

/// A picture of `width` x `height` with edges and shades.
imgsim::rgb_image drawn(std::size_t width, std::size_t height) {
  imgsim::rgb_image picture{.width = width, .height = height, .pixels = {}};
  for (std::size_t y = 0; y < height; ++y)
    for (std::size_t x = 0; x < width; ++x)
      for (const std::size_t value : {x * 255 / width, y * 255 / height, x / 8 % 2 * 255})
        picture.pixels.push_back(static_cast<std::uint8_t>(value));
  return picture;
}

std::vector<std::byte> from_base64(const std::string& text) {
  const std::string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::vector<std::byte> bytes;
  std::uint32_t bits = 0;
  int held = 0;
  for (const char c : text) {
    if (c == '=') break;
    bits = bits << 6 | static_cast<std::uint32_t>(alphabet.find(c));
    if ((held += 6) < 8) continue;
    held -= 8;
    bytes.push_back(static_cast<std::byte>(bits >> held & 255));
  }
  return bytes;
}

/// What a terminal would draw: [height][width] of percentages, -1 where nothing was drawn.
std::vector<std::vector<std::array<int, 3>>> drawn_by_sixels(const std::string& text) {
  BOOST_REQUIRE(text.starts_with("\x1bPq\"1;1;"));
  BOOST_REQUIRE(text.ends_with("\x1b\\\n"));
  std::size_t at = 8;
  const auto number = [&] {
    std::size_t value = 0;
    while (std::isdigit(static_cast<unsigned char>(text[at])) != 0)
      value = 10 * value + static_cast<std::size_t>(text[at++] - '0');
    return value;
  };
  const std::size_t width = number();
  BOOST_REQUIRE(text[at++] == ';');
  const std::size_t height = number();
  std::vector<std::vector<std::array<int, 3>>> pixels(height, std::vector<std::array<int, 3>>(width, {-1, -1, -1}));
  std::map<std::size_t, std::array<int, 3>> palette;
  std::size_t colour = 0, x = 0, top = 0;
  while (text[at] != '\x1b') {
    const char c = text[at++];
    if (c == '#') {
      colour = number();
      if (text[at] != ';') continue;
      ++at;
      BOOST_REQUIRE(number() == 2);
      for (int& part : palette[colour]) {
        BOOST_REQUIRE(text[at++] == ';');
        part = static_cast<int>(number());
      }
    } else if (c == '$') {
      x = 0;
    } else if (c == '-') {
      x = 0;
      top += 6;
    } else {
      std::size_t count = 1;
      char sixel = c;
      if (c == '!') {
        count = number();
        sixel = text[at++];
      }
      BOOST_REQUIRE((sixel >= '?' && sixel <= '~'));
      for (; count > 0; --count, ++x)
        for (std::size_t y = 0; y < 6; ++y)
          if (((sixel - '?') >> y & 1) != 0) pixels.at(top + y).at(x) = palette.at(colour);
    }
  }
  return pixels;
}

/// Takes the pictures for kitty out of `text`, each with the end of its line, and returns their data.
std::vector<std::string> taken_kitty_pictures(std::string& text) {
  std::vector<std::string> pictures;
  for (std::size_t begin = 0; (begin = text.find("\x1b_G", begin)) != std::string::npos;) {
    const std::size_t end = text.find("\x1b\\", begin), semicolon = text.find(';', begin);
    BOOST_REQUIRE(end != std::string::npos);
    if (text.compare(begin, 6, "\x1b_Ga=T") == 0) pictures.emplace_back();
    BOOST_REQUIRE(!pictures.empty());
    pictures.back() += text.substr(semicolon + 1, end - semicolon - 1);
    text.erase(begin, end + 2 - begin);
    if (text.compare(begin, 1, "\n") == 0) text.erase(begin, 1);
  }
  return pictures;
}

}  // namespace

BOOST_AUTO_TEST_CASE(tables_fit_the_terminal_and_are_whole_elsewhere) {
  const std::string name(70, 'p');
  const imgsim_test::trained_folder made;
  imgsim_test::write_photo(made.photo("red/" + name + ".png"), 0, 77);
  static_cast<void>(must_run({"index", "--index", made.index(), "--quiet"}));
  const std::vector<std::string> line{"query", "--index", made.index(), "--id", "red/0.png", "-n", "24", "--quiet"};
  BOOST_TEST(must_run(line).out.find(name) != std::string::npos);
  const std::string narrow = shown_in_terminal(line, 60);
  BOOST_TEST(narrow.find("similarity") != std::string::npos);
  BOOST_TEST(narrow.find(name) == std::string::npos);
  std::vector<std::string> plain = line;
  plain.insert(plain.end(), {"--color", "never"});
  for (const std::string& row : lines_of(shown_in_terminal(plain, 60))) {
    // A cut name holds an ellipsis of three bytes.
    BOOST_TEST(row.size() <= 60 + (row.find("\xe2\x80\xa6") != std::string::npos ? 2u : 0u), row);
  }
}

BOOST_AUTO_TEST_CASE(colours_are_for_terminals_and_heed_NO_COLOR_and_the_option) {
  const std::vector<std::string> line{"query", "--index", shared_folder().index(), "--id", "0", "--quiet"};
  const auto with = [&](const std::string& when) {
    std::vector<std::string> all = line;
    all.insert(all.end(), {"--color", when});
    return all;
  };
  BOOST_TEST(must_run(line).out.find('\x1b') == std::string::npos);
  BOOST_TEST(must_run(with("always")).out.find("\x1b[1m") != std::string::npos);
  BOOST_TEST(shown_in_terminal(line, 80).find("\x1b[1m") != std::string::npos);
  BOOST_TEST(shown_in_terminal(line, 80, "1").find('\x1b') == std::string::npos);
  BOOST_TEST(shown_in_terminal(with("always"), 80, "1").find("\x1b[1m") != std::string::npos);
  BOOST_TEST(shown_in_terminal(with("never"), 80).find('\x1b') == std::string::npos);
}

BOOST_AUTO_TEST_CASE(progress_has_no_control_characters_where_stderr_is_no_terminal) {
  const imgsim_test::temporary_folder folder;
  const auto result = must_run({"index", "--images", shared_folder().photos(), "--model", shared_folder().model(),
                                "--index", (folder.path() / "i").string(), "--color", "always"});
  BOOST_TEST(result.err.find("24/24 photos") != std::string::npos);
  BOOST_TEST(std::ranges::all_of(result.err, [](char c) { return c == '\n' || (c >= ' ' && c != '\x7f') || c < 0; }));
}

BOOST_AUTO_TEST_CASE(each_step_of_a_choice_of_k_shows_its_progress_after_the_one_before) {
  const std::string err = must_run({"choose-k", "--index", shared_folder().index()}).err;
  std::size_t at = 0;
  for (const char* step : {"choose K: ", "gap statistic: 21/21 sets of points  ", "silhouettes: ", "stability: "}) {
    const std::size_t found = err.find(step, at);
    BOOST_TEST_REQUIRE(found != std::string::npos, step << " in " << err);
    at = found;
  }
}

BOOST_AUTO_TEST_CASE(help_is_as_wide_as_the_terminal) {
  const auto longest = [](const std::string& text) {
    std::size_t length = 0;
    bool is_example = false;  // lines to copy stay whole
    for (const std::string& line : lines_of(text)) {
      if (!line.starts_with("  ")) is_example = line.starts_with("Example") || line.starts_with("Step by step");
      if (!is_example) length = std::max(length, line.size());
    }
    return length;
  };
  for (const std::vector<std::string>& line :
       {std::vector<std::string>{"--help"}, {"query", "--help"}, {"cluster", "--help"}, {"compare", "--help"}}) {
    const std::string unbound = must_run(line).out;
    BOOST_TEST(longest(unbound) > 90u);
    BOOST_TEST(longest(unbound) <= 100u, unbound);
    BOOST_TEST(shown_in_terminal(line, 200) == unbound);
    for (const unsigned short columns : std::array<unsigned short, 3>{80, 60, 45}) {
      const std::string shown = shown_in_terminal(line, columns);
      BOOST_TEST(longest(shown) <= columns, shown);
      std::string words = shown, expected = unbound;
      for (std::string* text : {&words, &expected}) std::erase_if(*text, [](char c) { return c == ' ' || c == '\n'; });
      BOOST_TEST(words == expected);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_name_that_was_meant_is_suggested) {
  const std::string photos = shared_folder().photos(), index = shared_folder().index();
  const struct {
    std::vector<std::string> line;
    std::string meant;
  } table[] = {
      {{"query", "--index", index, photos + "/red/0.pgn"}, photos + "/red/0.png"},
      {{"query", "--index", index, photos + "/rad/0.png"}, photos + "/red/0.png"},
      {{"query", "--index", index + "x", "--id", "0"}, index},
      {{"train", "--images", photos + "s", "--model", photos + "/../m"}, photos},
      {{"info", shared_folder().model() + "s"}, shared_folder().model()},
  };
  for (const auto& row : table) {
    const auto result = run_imgsim(row.line);
    BOOST_TEST(result.exit_code == 1);
    BOOST_TEST(result.err.find("\nDid you mean " + row.meant + "?\n") != std::string::npos, result.err);
  }
  // Of the right kind, although another has a name that is nearer.
  const temporary_folder folder;
  const auto at = [&](const char* name) { return (folder.path() / name).string(); };
  for (const char* name : {"trip", "trip.jpeg"}) write_photo(folder.path() / name / "0.png", 0, 1);
  std::filesystem::copy(index, at("trips"));
  std::filesystem::copy(shared_folder().model(), at("trippy.safetensors"));
  write_photo(at("tripps"), 0, 1);
  for (const auto& row : std::initializer_list<std::pair<std::vector<std::string>, std::string>>{
           {{"index", "--images", at("tripp"), "--model", shared_folder().model(), "--index", at("new")}, at("trip")},
           {{"query", "--index", at("tripp"), "--id", "0"}, at("trips")},
           {{"query", "--index", index, at("tripp")}, at("tripps")},
           {{"index", "--images", photos, "--model", at("tripp.safetensors"), "--index", at("new")},
            at("trippy.safetensors")}}) {
    const auto result = run_imgsim(row.first);
    BOOST_TEST(result.exit_code == 1);
    BOOST_TEST(result.err.ends_with("\nDid you mean " + row.second + "?\n"), result.err);
  }
  const std::string early = run_imgsim({"query", "--index", index + "x", "--id", "0"}).err;
  BOOST_TEST(early.find("--index " + index + "x\n") != std::string::npos, early);  // ends the line that is to be copied
  const auto far = run_imgsim({"info", photos + "/../quite_another_name"});
  BOOST_TEST(far.err.find("id you mean") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(kitty_pictures_are_the_png_in_pieces) {
  const imgsim::rgb_image picture = drawn(150, 90);
  const std::string text = imgsim::app::picture_text(imgsim::app::picture_protocol::kitty, picture.view());
  std::string data;
  std::size_t pieces = 0;
  for (std::size_t begin = 0; (begin = text.find("\x1b_G", begin)) != std::string::npos; ++pieces) {
    const std::size_t end = text.find("\x1b\\", begin), semicolon = text.find(';', begin);
    BOOST_REQUIRE(end != std::string::npos);
    const std::string keys = text.substr(begin + 3, semicolon - begin - 3),
                      piece = text.substr(semicolon + 1, end - semicolon - 1);
    BOOST_TEST(piece.size() <= 4096u);
    const bool is_last = text.find("\x1b_G", end) == std::string::npos;
    BOOST_TEST(keys == (pieces == 0 ? "a=T,f=100,q=2," : "") + std::string(is_last ? "m=0" : "m=1"));
    if (!is_last) BOOST_TEST(piece.size() % 4 == 0u);
    data += piece;
    begin = end;
  }
  const imgsim::rgb_image decoded = imgsim::decode_image(from_base64(data));
  BOOST_TEST(decoded.width == picture.width);
  BOOST_TEST((decoded.pixels == picture.pixels));
}

BOOST_AUTO_TEST_CASE(sixel_pictures_draw_every_pixel_near_its_colour) {
  const imgsim::rgb_image picture = drawn(61, 40);  // a last band of four rows
  const auto pixels = drawn_by_sixels(imgsim::app::picture_text(imgsim::app::picture_protocol::sixel, picture.view()));
  BOOST_REQUIRE(pixels.size() == 40u);
  double error[3] = {0, 0, 0};
  for (std::size_t y = 0; y < 40; ++y) {
    for (std::size_t x = 0; x < 61; ++x) {
      for (std::size_t c = 0; c < 3; ++c) {
        const double wanted = picture.pixels[(y * 61 + x) * 3 + c], shown = pixels[y][x][c] * 2.55;
        BOOST_REQUIRE(pixels[y][x][c] >= 0);
        BOOST_TEST(std::abs(shown - wanted) <= 77, "at " << x << ", " << y);  // a step and a half of the palette
        error[c] += shown - wanted;
      }
    }
  }
  // Shades come out right on the whole: errors are handed on, not dropped.
  for (const double sum : error) BOOST_TEST(std::abs(sum / (61 * 40)) < 4);
}

BOOST_AUTO_TEST_CASE(query_shows_thumbnails_where_they_are_wanted) {
  const std::vector<std::string> line{"query", "--index", shared_folder().index(), "--id", "0", "--thumbnails"};
  const auto with = [&](const std::string& kind) {
    std::vector<std::string> all = line;
    all.push_back(kind);
    return must_run(all).out;
  };
  BOOST_TEST(with("kitty").find("\x1b_Ga=T") != std::string::npos);
  BOOST_TEST(with("sixel").find("\x1bPq") != std::string::npos);
  BOOST_TEST(with("none").find('\x1b') == std::string::npos);
  BOOST_TEST(with("auto").find('\x1b') == std::string::npos);  // a file is no terminal
}

BOOST_AUTO_TEST_CASE(duplicates_shows_each_group_where_that_is_wanted) {
  const temporary_folder folder;
  std::size_t photo = 0;
  for (const std::size_t copies : {2U, 7U, 1U}) {  // one match, two rows of them, and no group
    for (std::size_t i = 0; i < copies; ++i)
      write_photo(folder.path() / "photos" / (std::to_string(photo++) + ".png"), copies % imgsim_test::kLabels, copies);
  }
  const std::string index = (folder.path() / "idx").string();
  static_cast<void>(must_run({"index", "--images", (folder.path() / "photos").string(), "--model",
                              shared_folder().model(), "--index", index, "--quiet"}));
  const auto with = [&](const std::string& kind) {
    return must_run({"duplicates", "--index", index, "--thumbnails", kind, "--quiet"}).out;
  };
  const std::string plain = must_run({"duplicates", "--index", index, "--quiet"}).out;
  BOOST_TEST(plain.find('\x1b') == std::string::npos);
  std::string shown = with("kitty");
  std::vector<std::size_t> heights;
  for (const std::string& data : taken_kitty_pictures(shown))
    heights.push_back(imgsim::decode_image(from_base64(data)).height);
  BOOST_TEST((shown == plain), shown);
  constexpr std::size_t kOneRow = 28 + 128 + 58 + 96 + 44 + 28, kMore = 96 + 44 + 14;
  BOOST_TEST(heights == (std::vector<std::size_t>{kOneRow + kMore, kOneRow}), boost::test_tools::per_element());
  BOOST_TEST(with("sixel").find("\x1bPq") != std::string::npos);
  BOOST_TEST(must_run({"duplicates", "--index", index, "--thumbnails", "kitty", "--json"}).json().contains("groups"));
}

BOOST_AUTO_TEST_SUITE_END()
