// What the process tells the shell. Scripts rely on these numbers.
#pragma once

namespace imgsim::app {

enum class exit_code : int {
  done = 0,
  failed = 1,
  wrong_usage = 2,
  some_skipped = 3,  // done, but some photos could not be read; each is listed on stderr
};

}  // namespace imgsim::app
