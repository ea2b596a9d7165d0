// system_calls.cpp below another program: a shared library for LD_PRELOAD. IMGSIM_TEST_FAULT says what happens:
//   fail:AT:ERRNO:FILE   call AT and those after it fail; FILE is made when the first does
//   short:0:0:FILE       reads and writes move a few bytes, and each second one is interrupted; FILE is made at the
//   first
#include <cstdio>
#include <cstdlib>
#include <optional>

#include "support/system_calls.hpp"

namespace {

struct from_environment {
  from_environment() {
    const char* const text = std::getenv("IMGSIM_TEST_FAULT");
    char what[8] = "";
    std::size_t at = 0;
    int error = 0;
    if (text == nullptr || std::sscanf(text, "%7[a-z]:%zu:%d:%4000s", what, &at, &error, reached_) != 4) std::abort();
    using kind = imgsim_test::system_fault::kind;
    fault_.emplace(what[0] == 's' ? kind::short_calls : kind::fail, at, error, reached_);
  }

 private:
  char reached_[4001] = "";
  std::optional<imgsim_test::system_fault> fault_;
};

const from_environment g_fault;

}  // namespace
