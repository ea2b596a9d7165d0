// Lines given to a shell, and what it prints.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include "support/run_command.hpp"
#include "support/temporary_folder.hpp"

namespace imgsim_test {

/// BOOST_AUTO_TEST_CASE(name, *needs_program("zsh")). Prints a line for tests/run.sh to count.
inline boost::unit_test::precondition needs_program(const std::string& program) {
  return boost::unit_test::precondition([program](boost::unit_test::test_unit_id id) {
    const bool present = std::system(("command -v " + program + " >/dev/null 2>&1").c_str()) == 0;
    if (!present)
      std::cout << "SKIPPED " << boost::unit_test::framework::get(id, boost::unit_test::TUT_ANY).full_name() << ": "
                << program << " is not installed\n";
    return boost::test_tools::assertion_result(present);
  });
}

/// Standard output and error of `program SCRIPT`, run in `folder`.
[[nodiscard]] inline std::string run_script(const std::string& program, const std::string& script,
                                            const std::filesystem::path& folder) {
  const temporary_folder made;
  write_text(made.path() / "script", script);
  const std::string line = "cd '" + folder.string() + "' && " + program + " '" + (made.path() / "script").string() +
                           "' >'" + (made.path() / "out").string() + "' 2>&1 </dev/null";
  static_cast<void>(std::system(line.c_str()));
  return read_text(made.path() / "out");
}

[[nodiscard]] inline std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::size_t begin = 0;
  for (std::size_t end = 0; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1)
    lines.push_back(text.substr(begin, end - begin));
  return lines;
}

/// The commands that the overview lists.
[[nodiscard]] inline std::vector<std::string> listed_commands() {
  std::vector<std::string> names;
  bool listing = false;
  for (const std::string& line : lines_of(must_run({"--help"}).out)) {
    if (listing && line.empty()) break;
    if (listing) names.push_back(line.substr(2, line.find(' ', 2) - 2));
    if (line.starts_with("Commands (")) listing = true;
  }
  return names;
}

/// The options that its help lists, with their dashes: "--number", "-n".
[[nodiscard]] inline std::vector<std::string> listed_options(const std::string& command) {
  std::vector<std::string> names;
  for (const std::string& line : lines_of(must_run({command, "--help"}).out)) {
    const std::size_t at = line.find_first_not_of(' ');
    if (at == std::string::npos || at > 6 || at < 2 || line[at] != '-') continue;
    if (line[at + 1] != '-') names.push_back(line.substr(at, 2));
    const std::size_t name = line.find("--");
    names.push_back(line.substr(name, line.find(' ', name) - name));
  }
  return names;
}

}  // namespace imgsim_test
