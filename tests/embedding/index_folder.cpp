#include <imgsim/embedding/index_folder.hpp>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <utility>

#include <imgsim/embedding/photo_index.hpp>
#include <imgsim/embedding/verify.hpp>

#include "embedding/sample_index.hpp"
#include "support/reason.hpp"
#include "support/system_calls.hpp"

namespace fs = std::filesystem;
using imgsim_test::reason_of;
using imgsim_test::system_fault;
using imgsim_test::update_index;

namespace {

/// Runs `body` in a process of its own, which ends, at the latest, with this object.
class other_process {
 public:
  explicit other_process(const std::function<void()>& body) : child_(fork()) {
    if (child_ != 0) return;
    try {
      body();
    } catch (...) {
      _exit(1);
    }
    _exit(0);
  }
  other_process(const other_process&) = delete;
  other_process& operator=(const other_process&) = delete;
  ~other_process() {
    if (child_ <= 0) return;
    kill(child_, SIGKILL);
    wait();
  }

  /// Its exit status, -1 where a signal ended it.
  int wait() {
    int status = 0;
    waitpid(std::exchange(child_, 0), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  pid_t child_;
};

/// Version 1 has three photos and every file; version 2 has other photos, and neither neighbours nor groups.
struct two_versions {
  imgsim_test::temporary_folder folder;
  imgsim_test::photo_store photos{folder.path() / "photos"};
  fs::path first = folder.path() / "first";
  fs::path second = folder.path() / "second";
  fs::path index = folder.path() / "index";
  std::map<std::string, std::string> first_contents, second_contents;

  two_versions() {
    photos.put("a.jpg", "one");
    photos.put("b.jpg", "two");
    photos.put("c.jpg", "three");
    update_index(first, photos.root());
    imgsim_test::add_everything(first);
    first_contents = imgsim_test::contents_of(first);
    photos.put("b.jpg", "other");
    photos.put("d.jpg", "four");
    photos.remove("a.jpg");
    update_index(second, photos.root(), "n");
    second_contents = imgsim_test::contents_of(second);
  }

  void begin_with(const fs::path& version) {
    fs::remove_all(index);
    if (!version.empty()) fs::copy(version, index, fs::copy_options::recursive);
  }
  void update() { update_index(index, photos.root(), "n"); }
  [[nodiscard]] int update_killed_at(std::size_t call) {
    other_process updating([&] {
      const system_fault fault(system_fault::kind::kill, call);
      update();
    });
    return updating.wait();
  }

  /// Which whole version a reader sees, 0 for none; anything between is a failure.
  [[nodiscard]] int version_seen() const {
    const std::string reason = reason_of([&] { (void)imgsim::photo_index::open(index); });
    if (reason.starts_with("does not exist") || reason.starts_with("is not an index")) return 0;
    const auto opened = imgsim::photo_index::open(index);
    const int seen = opened.neighbours().has_value() ? 1 : 2;
    const auto expected = imgsim::photo_index::open(seen == 1 ? first : second);
    BOOST_TEST(std::ranges::equal(opened.photos(), expected.photos()));
    BOOST_TEST(std::ranges::equal(std::span(opened.embeddings().data(), opened.embeddings().size()),
                                  std::span(expected.embeddings().data(), expected.embeddings().size())));
    BOOST_TEST(imgsim::hash_file(opened.model_path()) == expected.model_hash());
    BOOST_TEST(opened.groups().has_value() == (seen == 1));
    BOOST_TEST(opened.centroids().has_value() == (seen == 1));
    for (const auto& found : imgsim::verify_index(index))
      BOOST_TEST((found.severity == imgsim::severity::note), found.file << ": " << found.what);
    return seen;
  }

  /// Kills an update of `version` at every call that changes files: a reader sees the old version up to one moment and
  /// the new one from there on, and the next update gets through.
  void check_every_moment(const fs::path& version, int before) {
    int seen = before;
    for (std::size_t call = 0;; ++call) {
      begin_with(version);
      const int status = update_killed_at(call);
      const int now = version_seen();
      BOOST_TEST((now == seen || (now == 2 && seen == before)), "call " << call << " shows version " << now);
      seen = now;
      update();
      BOOST_TEST((imgsim_test::contents_of(index) == second_contents), "call " << call);
      if (status == 0) break;
      BOOST_REQUIRE(status == system_fault::kKilled);
      BOOST_REQUIRE(call < 1000u);
    }
    BOOST_TEST(seen == 2);
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(index_folder, two_versions)

BOOST_AUTO_TEST_CASE(an_update_killed_at_any_moment_shows_a_whole_version) {
  check_every_moment(first, 1);
}

BOOST_AUTO_TEST_CASE(a_first_index_killed_at_any_moment_is_whole_or_absent) {
  check_every_moment({}, 0);
}

BOOST_AUTO_TEST_CASE(a_recovery_killed_at_any_moment_is_taken_up_again) {
  std::size_t commit = 0;  // the first call after the commit
  for (;; ++commit) {
    begin_with(first);
    BOOST_REQUIRE(update_killed_at(commit) == system_fault::kKilled);
    if (fs::exists(index / ".committed")) break;
  }
  const fs::path crashed = folder.path() / "crashed";
  fs::copy(index, crashed, fs::copy_options::recursive);
  check_every_moment(crashed, 2);
}

BOOST_AUTO_TEST_CASE(a_full_disk_at_any_moment_leaves_a_whole_version) {
  for (std::size_t call = 0; call < 1000; ++call) {
    begin_with(first);
    std::string reason;
    {
      const system_fault fault(system_fault::kind::fail, call, ENOSPC);
      reason = reason_of([&] { update(); });
    }
    if (reason == "(no io_error)") return;
    BOOST_TEST(reason.ends_with(": No space left on device"), reason);
    BOOST_TEST(version_seen() != 0);
  }
  BOOST_ERROR("the update never got through");
}

BOOST_AUTO_TEST_CASE(a_second_writer_is_told_to_wait) {
  begin_with(first);
  const std::string busy = "is being changed by another imgsim; wait until it has finished, then try again";
  {
    const imgsim::index_writer writer(index);
    BOOST_TEST(reason_of([&] { imgsim::index_writer{index}; }) == busy);
    other_process second_writer([&] {
      if (reason_of([&] { imgsim::index_writer{index}; }) != busy) throw imgsim::error("not locked");
    });
    BOOST_TEST(second_writer.wait() == 0);
    BOOST_TEST(version_seen() == 1);  // readers need no lock
  }
  update();
  BOOST_TEST(version_seen() == 2);
}

BOOST_AUTO_TEST_CASE(looks_at_the_lock_turn_no_writer_away) {
  begin_with(first);
  const other_process dry_runs([&] {
    for (;;) static_cast<void>(reason_of([&] { imgsim::index_lock::expect_free(index); }));
  });
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(1);
  for (std::size_t writers = 0; writers < 20 || std::chrono::steady_clock::now() < end; ++writers)
    BOOST_REQUIRE_NO_THROW(imgsim::index_lock{index});
}

BOOST_AUTO_TEST_CASE(readers_beside_a_writer_see_whole_versions_only) {
  begin_with(second);
  // The texts of the manifests recur from round to round: a reader must not take one round for another.
  const other_process writer([&] {
    const system_fault no_waiting_for_the_disk(system_fault::kind::fail, std::numeric_limits<std::size_t>::max());
    for (;;) {
      for (const char* model : {"m", "n"}) update_index(index, photos.root(), model);
      imgsim::index_writer neighbours(index);
      imgsim_test::add_neighbours(neighbours, 3, 1);
      neighbours.commit();
    }
  });
  const std::string hash_m = imgsim::hash_file(folder.path() / "m.safetensors");
  std::size_t seen_m = 0, seen_n = 0;
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(2);
  while (std::chrono::steady_clock::now() < end) {
    const auto opened = imgsim::photo_index::open(index);
    const bool is_m = opened.model_hash() == hash_m;
    ++(is_m ? seen_m : seen_n);
    for (std::size_t row = 0; row < opened.size(); ++row) {
      const auto expected = imgsim_test::toy_embedding(photos.root() / opened.photos()[row].path, is_m ? "m" : "n");
      BOOST_REQUIRE(std::equal(expected.begin(), expected.end(), opened.embeddings().row(row)));
    }
    if (const auto neighbours = opened.neighbours()) BOOST_REQUIRE(neighbours->rows_of(2)[0] == 0);
  }
  BOOST_TEST(seen_m > 0u);
  BOOST_TEST(seen_n > 0u);
}

BOOST_AUTO_TEST_CASE(a_folder_of_other_things_is_not_taken_over) {
  fs::create_directory(index);
  imgsim::write_file(index / "thesis.doc", "x");
  BOOST_TEST(reason_of([&] { imgsim::index_writer{index}; }) ==
             "holds other files (thesis.doc) and is no index; give an empty or a new folder");
  BOOST_TEST(fs::exists(index / "thesis.doc"));
  BOOST_TEST(reason_of([&] { imgsim::index_writer{index / "thesis.doc"}; }) == "cannot be created: Not a directory");
}

BOOST_AUTO_TEST_CASE(other_files_in_an_index_are_left_alone) {
  begin_with(first);
  imgsim::write_file(index / "history.csv", "x");
  update();
  BOOST_TEST(fs::exists(index / "history.csv"));
}

BOOST_AUTO_TEST_CASE(a_writer_dropped_without_a_commit_changes_nothing) {
  begin_with(first);
  {
    imgsim::index_writer writer(index);
    imgsim_test::add_neighbours(writer, 3, 1);
  }
  BOOST_TEST((imgsim_test::contents_of(index) == first_contents));
}

BOOST_AUTO_TEST_CASE(parts_that_do_not_fit_are_refused) {
  begin_with(first);
  imgsim::index_writer writer(index);
  BOOST_CHECK_THROW(imgsim_test::add_neighbours(writer, 4, 1), imgsim::invalid_argument);
  const imgsim::tensor<float, 2> centroids({2, 7});
  BOOST_CHECK_THROW(writer.set_groups("{}", centroids.view()), imgsim::invalid_argument);
  BOOST_CHECK_THROW(writer.refresh_photos({}), imgsim::invalid_argument);
  imgsim::index_writer empty(folder.path() / "new");
  BOOST_CHECK_THROW(empty.commit(), imgsim::invalid_argument);
}

BOOST_AUTO_TEST_SUITE_END()
