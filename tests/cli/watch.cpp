// An index that follows its folder.
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <set>
#include <thread>

#include <boost/test/unit_test.hpp>

#include <imgsim/embedding/index_folder.hpp>
#include <imgsim/embedding/photo_index.hpp>

#include "cli/trained_folder.hpp"

using namespace imgsim_test;

BOOST_AUTO_TEST_SUITE(watched_folders)

namespace {

/// imgsim watch under way.
class watched {
 public:
  explicit watched(const trained_folder& made, std::vector<std::string> more = {}) : index_(made.index()) {
    std::vector<std::string> arguments{"watch",    made.photos(), "--index",  made.index(),
                                       "--settle", "0.2",         "--device", "cpu"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    process_.start(arguments, folder_.path() / "out", folder_.path() / "err");
  }

  [[nodiscard]] std::string out() const { return read_text(folder_.path() / "out"); }
  [[nodiscard]] std::string err() const { return read_text(folder_.path() / "err"); }

  [[nodiscard]] std::set<std::string> paths() const {
    std::set<std::string> names;
    const auto index = imgsim::photo_index::open(index_);
    for (const auto& photo : index.photos()) names.insert(photo.path);
    return names;
  }
  /// Until it is so, a minute at most.
  static void wait_until(const std::string& what, const std::function<bool()>& is_so) {
    for (int i = 0; i < 1200; ++i) {
      if (is_so()) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    BOOST_FAIL("waited in vain until " << what);
  }
  void wait_for_photo(const std::string& path, bool is_there = true) const {
    wait_until(path + (is_there ? " is in the index" : " is out of the index"),
               [&] { return paths().contains(path) == is_there; });
  }
  /// Until the first update is done.
  void wait_for_start() const {
    wait_until("it began", [&] { return out().find(" photos; ") != std::string::npos; });
  }
  int stop() {
    process_.signal(SIGINT);
    return process_.wait();
  }

 private:
  temporary_folder folder_;
  std::string index_;
  running_imgsim process_;
};

}  // namespace

BOOST_AUTO_TEST_CASE(photos_that_come_change_move_and_go_are_followed) {
  const trained_folder made;
  watched watch(made);
  watch.wait_for_start();
  write_photo(made.photo("new.png"), 1, 50);
  watch.wait_for_photo("new.png");
  write_photo(made.photo("deep/er/still/one.png"), 1, 51);  // folders that were not there
  watch.wait_for_photo("deep/er/still/one.png");
  write_photo(made.photo("deep/er/still/two.png"), 1, 52);
  watch.wait_for_photo("deep/er/still/two.png");
  std::filesystem::rename(made.photo("new.png"), made.photo("red/renamed.png"));
  watch.wait_for_photo("red/renamed.png");
  watch.wait_for_photo("new.png", false);
  const std::string before = imgsim::photo_index::open(made.index()).photos()[0].content_hash;
  write_photo(made.photo("blue/0.png"), 2, 77);
  watched::wait_until("blue/0.png is the changed one",
                      [&] { return imgsim::photo_index::open(made.index()).photos()[0].content_hash != before; });
  std::filesystem::remove_all(made.photo("deep"));
  watch.wait_for_photo("deep/er/still/two.png", false);
  BOOST_TEST(watch.stop() == 0);
  static_cast<void>(must_run({"verify", made.index()}));
  // What it made is what imgsim index makes.
  const auto again = must_run({"index", "--index", made.index(), "--json"}).json();
  BOOST_TEST(again.at("unchanged") == again.at("photos"));
}

BOOST_AUTO_TEST_CASE(an_index_that_another_changes_at_the_start_is_waited_for) {
  const trained_folder made;
  std::optional<imgsim::index_lock> other(made.index());
  watched watch(made);
  watched::wait_until("it tries again", [&] { return watch.err().find("; tried again in ") != std::string::npos; });
  BOOST_TEST(watch.err().find("is being changed by another imgsim") != std::string::npos, watch.err());
  other.reset();
  watch.wait_for_start();
  write_photo(made.photo("new.png"), 1, 50);
  watch.wait_for_photo("new.png");
  BOOST_TEST(watch.stop() == 0);
}

BOOST_AUTO_TEST_CASE(a_photo_that_is_written_slowly_is_taken_when_it_is_whole) {
  const trained_folder made;
  watched watch(made);
  watch.wait_for_start();
  write_photo(made.photo("source.png"), 1, 50);
  watch.wait_for_photo("source.png");
  const std::string whole = read_text(made.photo("source.png"));
  {
    std::ofstream slow(made.photo("slow.png"), std::ios::binary);
    slow << whole.substr(0, whole.size() / 2) << std::flush;
    std::this_thread::sleep_for(std::chrono::milliseconds(700));
    slow << whole.substr(whole.size() / 2);
  }
  watch.wait_for_photo("slow.png");
  BOOST_TEST(watch.err().find("slow.png") == std::string::npos, watch.err());
}

BOOST_AUTO_TEST_CASE(a_damaged_photo_is_told_once) {
  const trained_folder made;
  watched watch(made);
  watch.wait_for_start();
  write_text(made.photo("bad.png"), "no picture");
  watched::wait_until("bad.png is told", [&] { return watch.err().find("skipped bad.png") != std::string::npos; });
  write_photo(made.photo("good.png"), 1, 50);
  watch.wait_for_photo("good.png");
  const std::string err = watch.err();
  BOOST_TEST(err.find("bad.png") == err.rfind("bad.png"), err);
  BOOST_TEST(watch.stop() == 0);
}

BOOST_AUTO_TEST_CASE(while_another_writes_the_index_it_waits) {
  const trained_folder made;
  watched watch(made);
  watch.wait_for_start();
  {
    const imgsim::index_lock other(made.index());
    write_photo(made.photo("new.png"), 1, 50);
    watched::wait_until("the lock is told", [&] { return watch.err().find("tried again") != std::string::npos; });
    BOOST_TEST(!watch.paths().contains("new.png"));
  }
  watch.wait_for_photo("new.png");
  BOOST_TEST(watch.stop() == 0);
}

BOOST_AUTO_TEST_CASE(a_folder_that_goes_away_leaves_the_index_and_is_followed_when_it_is_back) {
  const trained_folder made;
  watched watch(made);
  watch.wait_for_start();
  const auto before = watch.paths();
  std::filesystem::rename(made.photos(), made.photos() + ".away");
  watched::wait_until("it is told", [&] { return watch.err().find("tried again") != std::string::npos; });
  BOOST_TEST((watch.paths() == before));
  write_photo(made.photos() + ".away/new.png", 1, 50);
  std::filesystem::rename(made.photos() + ".away", made.photos());
  watch.wait_for_photo("new.png");
}

BOOST_AUTO_TEST_CASE(an_index_among_its_photos_does_not_wake_it) {
  const trained_folder made;
  const std::string inside = made.photos() + "/photos.idx";
  std::filesystem::rename(made.index(), inside);
  const temporary_folder folder;
  const auto out = folder.path() / "out";
  const pid_t process = start_imgsim({"watch", made.photos(), "--index", inside, "--settle", "0.5", "--json"},
                                     "/dev/null", out, folder.path() / "err");
  const auto photos = [&] { return imgsim::photo_index::open(inside).size(); };
  std::this_thread::sleep_for(std::chrono::seconds(1));
  write_photo(made.photo("new.png"), 1, 50);
  watched::wait_until("the photo is in the index", [&] { return photos() == kLabels * kPhotosOfLabel + 1; });
  std::this_thread::sleep_for(std::chrono::seconds(2));
  ::kill(process, SIGTERM);
  BOOST_TEST(wait_for(process) == 0);
  const auto document = nlohmann::json::parse(read_text(out));
  BOOST_TEST(document.at("updates") <= 2);  // at the beginning, and for the photo where it came after that
  BOOST_TEST(document.at("added") == 1);
}

BOOST_AUTO_TEST_CASE(links_to_folders_are_followed_also_in_circles) {
  const trained_folder made;
  const temporary_folder elsewhere;
  std::filesystem::create_directory_symlink(made.photos(), made.photo("red/circle"));
  watched watch(made);
  watch.wait_for_start();
  std::filesystem::create_directory_symlink(elsewhere.path(), made.photo("linked"));
  std::this_thread::sleep_for(std::chrono::milliseconds(800));  // an update without a photo more
  write_photo(elsewhere.path() / "there.png", 1, 50);
  watch.wait_for_photo("linked/there.png");
  BOOST_TEST(watch.stop() == 0);
}

BOOST_AUTO_TEST_CASE(what_the_system_does_not_tell_of_is_seen_by_looking) {
  const trained_folder made;
  const temporary_folder elsewhere;
  const auto target = elsewhere.path() / "photo.png";
  write_photo(target, 0, 501);
  std::filesystem::create_symlink(target, made.photo("link.png"));
  watched watch(made, {"--every", "1"});
  watch.wait_for_start();
  watch.wait_for_photo("link.png");
  std::filesystem::remove(target);  // not in the folder that is watched
  watch.wait_for_photo("link.png", false);
  write_photo(target, 1, 502);
  watch.wait_for_photo("link.png");
  BOOST_TEST(watch.stop() == 0);
}

BOOST_AUTO_TEST_CASE(what_it_cannot_begin_with_is_told) {
  const trained_folder& made = shared_folder();
  BOOST_TEST(run_imgsim({"watch"}).exit_code == 2);
  const auto nothing = run_imgsim({"watch", made.photos(), "--index", "/nonexistent/idx"});
  BOOST_TEST(nothing.exit_code == 2);
  BOOST_TEST(nothing.err.find("--model FILE") != std::string::npos, nothing.err);
  const auto nowhere = run_imgsim({"watch", "/nonexistent/photos", "--index", made.index()});
  BOOST_TEST(nowhere.exit_code == 1);
  BOOST_TEST(nowhere.err.find("/nonexistent/photos") != std::string::npos, nowhere.err);
}

BOOST_AUTO_TEST_SUITE_END()
