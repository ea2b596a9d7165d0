// Runs the imgsim binary as a shell would, and keeps what it said.
#pragma once

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "support/temporary_folder.hpp"

namespace imgsim_test {

struct command_result {
  int exit_code = -1;
  std::string out;
  std::string err;

  /// stdout as the one JSON document that --json promises.
  [[nodiscard]] nlohmann::json json() const {
    BOOST_REQUIRE_MESSAGE(nlohmann::json::accept(out),
                          "stdout is not one JSON document: " << out << "\nstderr: " << err);
    return nlohmann::json::parse(out);
  }
};

[[nodiscard]] inline std::string read_text(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void write_text(const std::filesystem::path& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  if (!file.flush()) throw std::runtime_error("cannot write " + path.string());
}

/// The process id of a program under way, words[0] being its path; its output goes to `out` and `err`.
[[nodiscard]] inline pid_t start_program(std::vector<std::string> words, const std::filesystem::path& in,
                                         const std::filesystem::path& out, const std::filesystem::path& err) {
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, in.c_str(), O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  pid_t child = 0;
  const int failure = posix_spawn(&child, words.front().c_str(), &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failure != 0) throw std::runtime_error("cannot start " + words.front());
  return child;
}

[[nodiscard]] inline pid_t start_imgsim(std::vector<std::string> arguments, const std::filesystem::path& in,
                                        const std::filesystem::path& out, const std::filesystem::path& err) {
  arguments.insert(arguments.begin(), IMGSIM_COMMAND);
  return start_program(std::move(arguments), in, out, err);
}

/// The exit code, or 128 + the signal that ended the process.
[[nodiscard]] inline int wait_for(pid_t child) {
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/// A run under way, killed at the end where nobody has waited for it.
class running_imgsim {
 public:
  running_imgsim() = default;
  running_imgsim(const running_imgsim&) = delete;
  running_imgsim& operator=(const running_imgsim&) = delete;
  ~running_imgsim() {
    if (process_ == 0) return;
    signal(SIGKILL);
    static_cast<void>(wait());
  }

  void start(const std::vector<std::string>& arguments, const std::filesystem::path& out,
             const std::filesystem::path& err) {
    process_ = start_imgsim(arguments, "/dev/null", out, err);
  }
  [[nodiscard]] bool is_running() {
    if (waitpid(process_, nullptr, WNOHANG) == 0) return true;
    process_ = 0;
    return false;
  }
  void signal(int number) const { ::kill(process_, number); }
  /// As wait_for().
  [[nodiscard]] int wait() { return wait_for(std::exchange(process_, 0)); }

 private:
  pid_t process_ = 0;  // 0: it has ended
};

[[nodiscard]] inline command_result run_program(std::vector<std::string> words,
                                                const std::filesystem::path& in = "/dev/null") {
  const temporary_folder folder;
  const pid_t child = start_program(std::move(words), in, folder.path() / "out", folder.path() / "err");
  command_result result;
  result.exit_code = wait_for(child);
  result.out = read_text(folder.path() / "out");
  result.err = read_text(folder.path() / "err");
  return result;
}

[[nodiscard]] inline command_result run_imgsim(std::vector<std::string> arguments,
                                               const std::filesystem::path& in = "/dev/null") {
  arguments.insert(arguments.begin(), IMGSIM_COMMAND);
  return run_program(std::move(arguments), in);
}

/// Runs and requires success.
[[nodiscard]] inline command_result must_run(const std::vector<std::string>& arguments,
                                             const std::filesystem::path& in = "/dev/null") {
  command_result result = run_imgsim(arguments, in);
  std::string line = "imgsim";
  for (const std::string& argument : arguments) line += " " + argument;
  BOOST_REQUIRE_MESSAGE(result.exit_code == 0, line << ": exit code " << result.exit_code << "\n" << result.err);
  return result;
}

}  // namespace imgsim_test
