#include <imgsim/core/file.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "support/reason.hpp"
#include "support/system_calls.hpp"
#include "support/temporary_folder.hpp"

namespace fs = std::filesystem;
using imgsim_test::reason_of;
using imgsim_test::system_fault;

namespace {

std::string text_in(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string repeated(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 7 + i / 251);
  return text;
}

std::size_t entries_of(const fs::path& folder) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(file)

BOOST_AUTO_TEST_CASE(what_is_written_is_read_mapped_and_hashed) {
  const imgsim_test::temporary_folder folder;
  for (const std::size_t size : {0u, 1u, 2u, 4095u, 4096u, 4097u, 262143u, 262144u, 262145u, 1000000u}) {
    const std::string text = repeated(size);
    const fs::path path = folder.path() / "file";
    imgsim::write_file(path, text);
    const auto bytes = imgsim::read_file(path, size);
    BOOST_TEST((imgsim::text_of(bytes) == text), "size " << size);
    BOOST_TEST((imgsim::text_of(imgsim::mapped_file(path).bytes()) == text), "size " << size);
    BOOST_TEST(imgsim::hash_file(path) == imgsim::content_hash(imgsim::bytes_of(text)));
    if (size > 0)
      BOOST_TEST(reason_of([&] { (void)imgsim::read_file(path, size - 1); }) ==
                 "holds " + std::to_string(size) + " bytes, more than the limit of " + std::to_string(size - 1));
  }
  BOOST_TEST(entries_of(folder.path()) == 1u);
}

BOOST_AUTO_TEST_CASE(content_hash_is_xxh3_128) {
  // From xxHash's own test table (tests/sanity_test_vectors.h): length 0, seed 0.
  BOOST_TEST(imgsim::content_hash({}) == "99aa06d3014798d86001c324468d497f");
  const std::string text = repeated(1000);
  imgsim::content_hasher pieces;
  for (std::size_t i = 0; i < text.size(); i += 7)
    pieces.update(imgsim::bytes_of(text).subspan(i).first(std::min<std::size_t>(7, text.size() - i)));
  BOOST_TEST(pieces.hex() == imgsim::content_hash(imgsim::bytes_of(text)));
}

BOOST_AUTO_TEST_CASE(files_without_a_size_are_read_to_their_end) {
  const auto bytes = imgsim::read_file("/proc/self/status", 1 << 20);
  BOOST_TEST(imgsim::text_of(bytes).starts_with("Name:"));
  BOOST_TEST(reason_of([] { (void)imgsim::read_file("/proc/self/status", 10); }).starts_with("holds "));
}

BOOST_AUTO_TEST_CASE(refusals_say_why) {
  const imgsim_test::temporary_folder folder;
  const fs::path fifo = folder.path() / "fifo";
  BOOST_REQUIRE(mkfifo(fifo.c_str(), 0600) == 0);
  const fs::path absent = folder.path() / "absent" / "file";
  BOOST_TEST(reason_of([&] { (void)imgsim::read_file(absent, 1); }) == "cannot be opened: No such file or directory");
  BOOST_TEST(reason_of([&] { imgsim::mapped_file{absent}; }) == "cannot be opened: No such file or directory");
  BOOST_TEST(reason_of([&] { imgsim::write_file(absent, "x"); }) == "cannot be created: No such file or directory");
  BOOST_TEST(reason_of([&] { (void)imgsim::read_file(folder.path(), 1); }) == "is a folder, not a file");
  BOOST_TEST(reason_of([&] { imgsim::write_file(folder.path(), "x"); }) == "is a folder, not a file");
  BOOST_TEST(reason_of([&] { (void)imgsim::read_file(fifo, 1); }) == "is a named pipe, not a file");
  BOOST_TEST(reason_of([&] { imgsim::mapped_file{fifo}; }) == "is a named pipe, not a file");
  BOOST_TEST(reason_of([&] { imgsim::write_file(fifo, "x"); }) == "is not a regular file and will not be replaced");
  BOOST_TEST(reason_of([&] { imgsim::write_file("/dev/null", "x"); }) ==
             "is not a regular file and will not be replaced");
}

BOOST_AUTO_TEST_CASE(a_file_not_committed_leaves_no_trace) {
  const imgsim_test::temporary_folder folder;
  const fs::path path = folder.path() / "file";
  imgsim::write_file(path, "old");
  {
    imgsim::atomic_file file(path);
    file.write(repeated(600000));
    BOOST_TEST(text_in(path) == "old");
    BOOST_TEST(entries_of(folder.path()) == 1u, "it has no name yet");
  }
  BOOST_TEST(text_in(path) == "old");
  BOOST_TEST(entries_of(folder.path()) == 1u);
}

BOOST_AUTO_TEST_CASE(file_systems_without_unnamed_files_serve_too) {
  const system_fault fault(system_fault::kind::no_unnamed);
  const imgsim_test::temporary_folder folder;
  const fs::path path = folder.path() / "file";
  imgsim::write_file(path, "old");
  {
    imgsim::atomic_file file(path);
    file.write("new");
    BOOST_TEST(entries_of(folder.path()) == 2u);
  }
  BOOST_TEST(text_in(path) == "old");
  imgsim::write_file(path, "new");
  BOOST_TEST(text_in(path) == "new");
  BOOST_TEST(entries_of(folder.path()) == 1u);
}

BOOST_AUTO_TEST_CASE(pieces_of_all_sizes_stay_in_order) {
  const imgsim_test::temporary_folder folder;
  const std::string text = repeated(1500000);
  imgsim::atomic_file file(folder.path() / "file");
  std::size_t at = 0;
  for (std::size_t size = 1; at < text.size(); size = size * 3 + 1) {
    file.write(std::string_view(text).substr(at, size));
    at += size;
  }
  file.commit();
  BOOST_TEST((text_in(folder.path() / "file") == text));
}

BOOST_AUTO_TEST_CASE(links_and_permissions_are_kept) {
  const imgsim_test::temporary_folder folder;
  fs::create_directory(folder.path() / "there");
  const fs::path target = folder.path() / "there" / "target";
  const fs::path link = folder.path() / "link";
  imgsim::write_file(target, "old");
  fs::permissions(target, fs::perms(0640));
  fs::create_symlink(target, link);
  imgsim::write_file(link, "new");
  BOOST_TEST(fs::is_symlink(link));
  BOOST_TEST(text_in(target) == "new");
  BOOST_TEST((fs::status(target).permissions() == fs::perms(0640)));
}

BOOST_AUTO_TEST_CASE(a_mapping_outlives_the_replacement_of_its_file) {
  const imgsim_test::temporary_folder folder;
  const fs::path path = folder.path() / "file";
  imgsim::write_file(path, "old");
  imgsim::mapped_file old(path);
  imgsim::write_file(path, "newer");
  const imgsim::mapped_file moved = std::move(old);
  BOOST_TEST(imgsim::text_of(moved.bytes()) == "old");
  BOOST_TEST(imgsim::text_of(imgsim::mapped_file(path).bytes()) == "newer");
}

BOOST_AUTO_TEST_CASE(interrupted_and_short_calls_are_resumed) {
  const imgsim_test::temporary_folder folder;
  const fs::path path = folder.path() / "file";
  const std::string text = repeated(1000);
  const system_fault fault(system_fault::kind::short_calls);
  imgsim::write_file(path, text);
  const auto bytes = imgsim::read_file(path, 1000);
  BOOST_TEST((imgsim::text_of(bytes) == text));
  BOOST_TEST(imgsim::hash_file(path) == imgsim::content_hash(imgsim::bytes_of(text)));
}

BOOST_AUTO_TEST_CASE(a_file_that_cannot_be_given_a_name_is_copied_to_one) {
  const imgsim_test::temporary_folder folder;
  const fs::path path = folder.path() / "file";
  imgsim::write_file(path, "old");
  fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write);
  const std::string text = repeated(700'001);  // more than goes over at a time
  {
    const system_fault fault(system_fault::kind::no_link);
    imgsim::write_file(path, text);
  }
  BOOST_TEST((text_in(path) == text));
  BOOST_TEST(entries_of(folder.path()) == 1u);
  BOOST_TEST((fs::status(path).permissions() == (fs::perms::owner_read | fs::perms::owner_write)));
}

BOOST_AUTO_TEST_CASE(a_full_disk_at_any_moment_keeps_the_old_file) {
  const imgsim_test::temporary_folder folder;
  const fs::path path = folder.path() / "file";
  imgsim::write_file(path, "old");
  // open, write, fsync, link, rename, in this order; after them the new file is in place.
  for (std::size_t at = 0; at < 5; ++at) {
    std::string reason;
    {
      const system_fault fault(system_fault::kind::fail, at, ENOSPC);
      reason = reason_of([&] { imgsim::write_file(path, "new"); });
    }
    BOOST_TEST(reason.ends_with(": No space left on device"), reason);
    BOOST_TEST(text_in(path) == "old", "call " << at);
    BOOST_TEST(entries_of(folder.path()) == 1u);
  }
}

BOOST_AUTO_TEST_SUITE_END()
