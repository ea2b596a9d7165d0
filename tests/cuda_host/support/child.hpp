// Runs a piece of a test in a process of its own, since a sanitizer ends the process that it finds fault with.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <functional>
#include <iostream>
#include <stdexcept>
#include <string>

#include "cuda_host/runner/report.hpp"
#include "cuda_host/runtime/device_state.hpp"

namespace imgsim_test {

struct child_result {
  int exit_code = -1;  // 128 + the signal, where one ended it
  std::string output;  // stdout and stderr

  [[nodiscard]] bool says(const std::string& text) const { return output.find(text) != std::string::npos; }
};

/// Resets the device first: what fork() copies must have no fibers, or ThreadSanitizer, which counts them as threads,
/// closes its eyes in the child. The child prints what `body` throws and exits with 0, or 3 where the runner reported
/// something, or as the sanitizer ends it.
inline child_result run_in_child(const std::function<void()>& body) {
  std::FILE* const file = std::tmpfile();
  if (file == nullptr) throw std::runtime_error("no temporary file");
  imgsim::cuda_host::reset_device();
  imgsim::cuda_host::drop_kept_fibers();
  std::cout.flush();
  std::fflush(nullptr);  // the child would say it again
  const pid_t child = fork();
  if (child == 0) {
    dup2(fileno(file), STDOUT_FILENO);
    dup2(fileno(file), STDERR_FILENO);
    try {
      body();
    } catch (const std::exception& fault) {
      std::fprintf(stderr, "%s\n", fault.what());
    }
    std::fflush(nullptr);
    _exit(imgsim::cuda_host::any_reports() ? 3 : 0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  child_result result;
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  std::rewind(file);
  for (int c = std::fgetc(file); c != EOF; c = std::fgetc(file)) result.output.push_back(static_cast<char>(c));
  std::fclose(file);
  return result;
}

}  // namespace imgsim_test
