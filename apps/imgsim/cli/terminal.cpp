#include "cli/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/environment.hpp"

namespace imgsim::app {

bool is_terminal(int descriptor) {
  return isatty(descriptor) == 1 && environment("TERM") != "dumb";
}

std::size_t terminal_columns(int descriptor) {
  if (isatty(descriptor) != 1) return 0;
  winsize size{};
  return ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

bool wants_colour(int descriptor, colour_choice choice) {
  if (choice != colour_choice::automatic) return choice == colour_choice::always;
  return is_terminal(descriptor) && environment("NO_COLOR").empty();
}

}  // namespace imgsim::app
