// The manual pages: complete, and read by man without a complaint.
#include <string>

#include <boost/test/unit_test.hpp>

#include "cli/shell.hpp"

using imgsim_test::listed_commands;
using imgsim_test::listed_options;
using imgsim_test::must_run;
using imgsim_test::needs_program;
using imgsim_test::read_text;
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

/// What `check` says of the pages, each of which it finds as $page.
std::string complaints(const std::string& check) {
  const temporary_folder folder;
  static_cast<void>(must_run({"manual", "--out", (folder.path() / "man 1").string()}));
  return run_script("sh", "for page in 'man 1'/*; do " + check + "; done\n", folder.path());
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

BOOST_AUTO_TEST_CASE(every_page_is_written) {
  const temporary_folder folder;
  const std::filesystem::path pages = folder.path() / "man 1";
  static_cast<void>(must_run({"manual", "--out", pages.string()}));
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(pages)) {
    ++count;
    BOOST_TEST(read_text(entry.path()).starts_with(".\\\" Made by: imgsim manual\n.TH IMGSIM"));
  }
  BOOST_TEST(count == listed_commands().size() + 1);
}

BOOST_AUTO_TEST_CASE(groff_reads_every_page_without_a_warning, *needs_program("groff")) {
  BOOST_TEST(complaints("groff -ww -man -Tutf8 \"$page\" 2>&1 >/dev/null") == "");
}

BOOST_AUTO_TEST_CASE(mandoc_reads_every_page_without_a_warning, *needs_program("mandoc")) {
  // A version that is not released has no date.
  BOOST_TEST(complaints("mandoc -T lint -W warning \"$page\" | grep -v 'missing date'") == "");
}

BOOST_AUTO_TEST_CASE(wrong_names_are_refused) {
  BOOST_TEST(run_imgsim({"manual", "qury"}).exit_code == 2);
  BOOST_TEST(run_imgsim({"manual", "query", "--out", "x"}).exit_code == 2);
  const auto result = run_imgsim({"completion", "bsh"});
  BOOST_TEST(result.exit_code == 2);
  BOOST_TEST(result.err.find("did you mean bash?") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
