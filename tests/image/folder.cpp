#include <imgsim/image/folder.hpp>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include "support/temporary_folder.hpp"

namespace {

namespace fs = std::filesystem;
using imgsim::photo_folder;
using imgsim::scan_folder;
using imgsim_test::temporary_folder;

void touch(const fs::path& path, const std::string& content = "x") {
  fs::create_directories(path.parent_path());
  std::ofstream(path) << content;
  BOOST_REQUIRE(fs::exists(path));
}

std::vector<std::string> photos_of(const photo_folder& folder) {
  std::vector<std::string> paths;
  for (const imgsim::photo_file& photo : folder.photos) paths.push_back(photo.path);
  return paths;
}

std::vector<std::string> skipped_of(const photo_folder& folder) {
  std::vector<std::string> lines;
  for (const imgsim::skipped_file& file : folder.skipped) lines.push_back(file.path + ": " + file.reason);
  return lines;
}

using strings = std::vector<std::string>;

photo_folder with_photos(const strings& paths) {
  photo_folder folder;
  for (const std::string& path : paths) folder.photos.push_back({path, 0, 0});
  return folder;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(folders)

BOOST_AUTO_TEST_CASE(photos_at_any_depth_in_byte_order) {
  const temporary_folder folder;
  for (const char* name :
       {"b.jpg", "a/z.PNG", "a/b/c/deep.JpEg", "a.jpg", "B.webp", "a-b/x.jfif", "y.jpe", "\xc3\xa4.jpg"})
    touch(folder.path() / name);
  BOOST_TEST(photos_of(scan_folder(folder.path())) == (strings{"B.webp", "a-b/x.jfif", "a.jpg", "a/b/c/deep.JpEg",
                                                               "a/z.PNG", "b.jpg", "y.jpe", "\xc3\xa4.jpg"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(other_and_hidden_names_are_passed_over_and_counted) {
  const temporary_folder folder;
  for (const char* name : {"notes.txt", "jpg", "photo.jpg.bak", "photo.jpgx", ".hidden.jpg", ".hidden/in.jpg",
                           "._mac.png", ".notes", "Makefile", "a/raw.gif", "Raw.GIF", "a.b/none", "seen.jpg"})
    touch(folder.path() / name);
  fs::create_symlink("Raw.GIF", folder.path() / "link.gif");
  const photo_folder found = scan_folder(folder.path());
  BOOST_TEST(photos_of(found) == strings{"seen.jpg"}, boost::test_tools::per_element());
  BOOST_TEST(found.skipped.empty());
  BOOST_TEST(found.hidden == 1u);
  const std::map<std::string, std::size_t> others{{"", 3}, {"bak", 1}, {"gif", 3}, {"jpgx", 1}, {"txt", 1}};
  BOOST_TEST((found.others == others));
}

BOOST_AUTO_TEST_CASE(odd_names_keep_their_bytes) {
  const temporary_folder folder;
  const strings names = {"\n.jpg", " .jpg", "-rf.jpg", "\xff\xfe.jpg", "folder.png/in.jpg"};
  for (const std::string& name : names) touch(folder.path() / name);
  strings sorted = names;
  std::ranges::sort(sorted);
  BOOST_TEST(photos_of(scan_folder(folder.path())) == sorted, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(size_and_time_are_of_the_file) {
  const temporary_folder folder;
  touch(folder.path() / "a.jpg", "12345");
  const timespec times[2] = {{.tv_sec = 1, .tv_nsec = 2}, {.tv_sec = 1'700'000'000, .tv_nsec = 123'456'789}};
  BOOST_REQUIRE(::utimensat(AT_FDCWD, (folder.path() / "a.jpg").c_str(), times, 0) == 0);
  const photo_folder found = scan_folder(folder.path());
  BOOST_REQUIRE(found.photos.size() == 1U);
  BOOST_TEST(found.photos[0].size == 5U);
  BOOST_TEST(found.photos[0].modified_ns == 1'700'000'000'123'456'789);
}

BOOST_AUTO_TEST_CASE(links_to_folders_are_followed_once_and_never_in_circles) {
  const temporary_folder folder, outside;
  touch(folder.path() / "real/a.jpg");
  touch(outside.path() / "b.jpg");
  touch(outside.path() / "more/c.jpg");
  fs::create_directory_symlink(folder.path(), folder.path() / "real/up");         // a circle
  fs::create_directory_symlink(folder.path() / "real", folder.path() / "alias");  // sorts before "real"
  fs::create_directory_symlink(outside.path(), folder.path() / "out1");
  fs::create_directory_symlink(outside.path(), folder.path() / "out2");
  fs::create_directory_symlink("self", folder.path() / "self");
  fs::create_symlink(folder.path() / "real/a.jpg", folder.path() / "link.jpg");
  BOOST_TEST(
      photos_of(scan_folder(folder.path())) == (strings{"link.jpg", "out1/b.jpg", "out1/more/c.jpg", "real/a.jpg"}),
      boost::test_tools::per_element());
  BOOST_TEST(photos_of(scan_folder(folder.path() / "alias")).size() == 4U);  // the root itself may be a link
}

BOOST_AUTO_TEST_CASE(what_is_no_regular_file_is_skipped_with_its_kind) {
  const temporary_folder folder;
  BOOST_REQUIRE(::mkfifo((folder.path() / "pipe.jpg").c_str(), 0600) == 0);
  BOOST_REQUIRE(::mkfifo((folder.path() / "pipe").c_str(), 0600) == 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string name = (folder.path() / "socket.png").string();
  BOOST_REQUIRE(name.size() < sizeof(address.sun_path));
  name.copy(address.sun_path, name.size());
  const int socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
  BOOST_REQUIRE(::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
  ::close(socket);
  fs::create_symlink("/dev/null", folder.path() / "device.webp");
  fs::create_symlink("nowhere", folder.path() / "broken.jpg");
  fs::create_symlink("nowhere", folder.path() / "broken");
  const photo_folder found = scan_folder(folder.path());
  BOOST_TEST(found.photos.empty());
  BOOST_TEST(
      skipped_of(found) == (strings{"broken.jpg: No such file or directory", "device.webp: is a device, not a file",
                                    "pipe.jpg: is a named pipe, not a file", "socket.png: is a socket, not a file"}),
      boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_folder_that_cannot_be_read_is_skipped) {
  const temporary_folder folder;
  touch(folder.path() / "closed/a.jpg");
  touch(folder.path() / "open/b.jpg");
  fs::permissions(folder.path() / "closed", fs::perms::none);
  const photo_folder found = scan_folder(folder.path());
  fs::permissions(folder.path() / "closed", fs::perms::owner_all);
  if (::geteuid() == 0) {
    BOOST_TEST_MESSAGE("as root every folder can be read: permissions are not tested");
    BOOST_TEST(found.photos.size() == 2U);
    return;
  }
  BOOST_TEST(photos_of(found) == strings{"open/b.jpg"}, boost::test_tools::per_element());
  BOOST_TEST(skipped_of(found) == strings{"closed: the folder cannot be read: Permission denied"},
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_root_that_is_no_folder_is_an_error) {
  const temporary_folder folder;
  touch(folder.path() / "a.jpg");
  const auto reason = [](const fs::path& root) {
    try {
      static_cast<void>(scan_folder(root));
      return std::string();
    } catch (const imgsim::io_error& failure) {
      return failure.reason();
    }
  };
  BOOST_TEST(reason(folder.path()) == "");
  BOOST_TEST(reason(folder.path() / "none") == "No such file or directory");
  BOOST_TEST(reason(folder.path() / "a.jpg") == "is a regular file, not a folder of photos");
  fs::create_directories(folder.path() / "empty");
  BOOST_TEST(scan_folder(folder.path() / "empty").photos.empty());
}

BOOST_AUTO_TEST_CASE(a_split_is_taken_from_train_val_test) {
  const auto split = split_by_folder(
      with_photos({"Test/a.jpg", "train/cat/b.jpg", "train/c.jpg", "val/d.jpg", "valid/e.jpg", "validation/f.jpg"}));
  BOOST_REQUIRE(split.has_value());
  using rows = std::vector<std::size_t>;
  BOOST_TEST(split->train == (rows{1, 2}), boost::test_tools::per_element());
  BOOST_TEST(split->validation == (rows{3, 4, 5}), boost::test_tools::per_element());
  BOOST_TEST(split->test == (rows{0}), boost::test_tools::per_element());
  BOOST_TEST(split_by_folder(with_photos({"train/a.jpg", "test/b.jpg"})).has_value());
  for (const strings& other : {strings{},
                               {"a.jpg"},
                               {"train/a.jpg"},
                               {"val/a.jpg", "test/b.jpg"},
                               {"train/a.jpg", "val/b.jpg", "c.jpg"},
                               {"train/a.jpg", "val/b.jpg", "cat/c.jpg"},
                               {"x/train/a.jpg", "x/val/b.jpg"},
                               {"training/a.jpg", "val/b.jpg"}})
    BOOST_TEST(!split_by_folder(with_photos(other)).has_value());
}

BOOST_AUTO_TEST_CASE(a_label_is_the_folder_that_holds_the_photo) {
  BOOST_TEST(imgsim::label_of("a.jpg") == "");
  BOOST_TEST(imgsim::label_of("cat/a.jpg") == "cat");
  BOOST_TEST(imgsim::label_of("train/cat/a.jpg") == "cat");
  BOOST_TEST(imgsim::label_of("/a.jpg") == "");
  BOOST_TEST(imgsim::label_of("") == "");
}

BOOST_AUTO_TEST_SUITE_END()
