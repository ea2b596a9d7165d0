// The manual pages: complete, and read by man without a complaint.
#include <string>

#include <boost/test/unit_test.hpp>

#include "cli/shell.hpp"

using imgsim_test::is_installed;
using imgsim_test::lines_of;
using imgsim_test::listed_commands;
using imgsim_test::listed_options;
using imgsim_test::must_run;
using imgsim_test::run_imgsim;
using imgsim_test::run_script;
using imgsim_test::temporary_folder;

BOOST_AUTO_TEST_SUITE(manual)

namespace {

/// As roff writes it.
std::string with_copied_hyphens(const std::string& text) {
  std::string roff;
  for (const char c : text) roff += c == '-' ? std::string("\\-") : std::string(1, c);
  return roff;
}

}  // namespace

BOOST_AUTO_TEST_CASE(every_option_of_every_command_is_in_its_page) {
  const std::string overview = must_run({"manual"}).out;
  for (const std::string& command : listed_commands()) {
    BOOST_TEST_CONTEXT(command) {
      BOOST_TEST(overview.find("\\fB" + with_copied_hyphens(command) + "\\fR") != std::string::npos);
      const std::string page = must_run({"manual", command}).out;
      for (const std::string& option : listed_options(command))
        BOOST_TEST(page.find("\\fB" + with_copied_hyphens(option) + "\\fR") != std::string::npos,
                   option << " is missing");
    }
  }
}

BOOST_AUTO_TEST_CASE(pages_are_written_where_they_are_wanted_and_are_sound) {
  const temporary_folder folder;
  const std::filesystem::path pages = folder.path() / "man 1";
  static_cast<void>(must_run({"manual", "--out", pages.string()}));
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(pages)) {
    ++count;
    BOOST_TEST_CONTEXT(entry.path().filename().string()) {
      const std::string page = "'" + entry.path().string() + "'";
      if (is_installed("groff"))
        BOOST_TEST(run_script("sh", "groff -ww -man -Tutf8 " + page + " >/dev/null\n", folder.path()).empty());
      if (is_installed("mandoc")) {
        // A version that is not released has no date.
        const std::string lint = "mandoc -T lint -W warning " + page + " | grep -v 'missing date'\n";
        BOOST_TEST(run_script("sh", lint, folder.path()) == "");
      }
    }
  }
  BOOST_TEST(count == listed_commands().size() + 1);
}

BOOST_AUTO_TEST_CASE(wrong_names_are_refused) {
  BOOST_TEST(run_imgsim({"manual", "qury"}).exit_code == 2);
  BOOST_TEST(run_imgsim({"manual", "query", "--out", "x"}).exit_code == 2);
  const auto result = run_imgsim({"completion", "bsh"});
  BOOST_TEST(result.exit_code == 2);
  BOOST_TEST(result.err.find("did you mean bash?") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
