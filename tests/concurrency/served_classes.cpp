// The classes of imgsim serve that requests share, without HTTP and without a network: thumbnails, work in the
// background, the newest version of an index. ThreadSanitizer watches them in .ci/run.
#include <atomic>
#include <chrono>
#include <filesystem>
#include <string>

#include <boost/test/unit_test.hpp>

#include "device/compute.hpp"
#include "device/open_compute.hpp"
#include "serve/background_task.hpp"
#include "serve/collection.hpp"
#include "serve/thumbnails.hpp"

#include <imgsim/image/encode.hpp>

#include "concurrency/crowd.hpp"
#include "embedding/sample_index.hpp"

namespace imgsim::app {

/// Nothing here may ask for a device: an index without a model has no use for one.
opened_compute open_compute(const device_choice&, std::size_t) {
  throw error("this test has no device");
}

}  // namespace imgsim::app

using namespace imgsim_test;

BOOST_AUTO_TEST_SUITE(concurrency_served_classes)

namespace {

namespace fs = std::filesystem;
namespace app = imgsim::app;

/// Photos that can be decoded, and an index of them that names no model.
class served_photos {
 public:
  explicit served_photos(std::size_t count) : store_(folder_.path() / "photos") {
    for (std::size_t i = 0; i < count; ++i) put(i);
    update();
  }
  void put(std::size_t i) {
    imgsim::rgb_image photo{.width = 16, .height = 12, .pixels = std::vector<std::uint8_t>(16 * 12 * 3)};
    for (std::size_t p = 0; p < photo.pixels.size(); ++p) photo.pixels[p] = static_cast<std::uint8_t>(p * (i + 3));
    const auto png = imgsim::encode_png(photo.view());
    store_.put(std::to_string(i) + ".png", imgsim::text_of(png));
  }
  void update() const {
    imgsim::index_writer writer(index());
    imgsim::thread_pool pool(1);
    writer.set_photos_root(store_.root());
    toy_encoder encoder{store_.root(), "m"};
    static_cast<void>(imgsim::apply_update(
        writer, imgsim::plan_update(imgsim::scan_folder(store_.root()), writer.previous(), "", pool), kToyDimension,
        encoder));
    writer.commit();
  }
  [[nodiscard]] fs::path index() const { return folder_.path() / "idx"; }
  [[nodiscard]] fs::path beside(const char* name) const { return folder_.path() / name; }

 private:
  temporary_folder folder_;
  photo_store store_;
};

}  // namespace

BOOST_AUTO_TEST_CASE(thumbnails_are_the_same_for_all) {
  const served_photos made(12);
  const imgsim::photo_index index = imgsim::photo_index::open(made.index());
  std::vector<std::string> alone;
  app::thumbnail_store first({}, std::nullopt);
  for (std::size_t row = 0; row < index.size(); ++row) alone.push_back(*first.of(index, row));
  for (const std::optional<fs::path>& folder : {std::optional<fs::path>(), std::optional(made.beside("kept"))}) {
    app::thumbnail_store store({}, folder);
    run_crowd([&](std::size_t t) {
      for (std::size_t i = 0; i < index.size(); ++i) {
        const std::size_t row = (i * 5 + t) % index.size();
        must_hold(*store.of(index, row) == alone[row], "a thumbnail is that of its photo");
        must_hold(store.keep(index, row) == folder.has_value(), "it is kept where there is a place");
      }
      store.remove_old();
    });
  }
}

BOOST_AUTO_TEST_CASE(work_that_many_ask_for_is_done_once) {
  app::session session({}, "serve", {});
  app::background_task task;
  std::atomic<int> done = 0;
  run_crowd([&](std::size_t) {
    task.start(session, [&](app::session& background) {
      ++done;
      background.check_stop("nothing is lost");
      return app::json{{"found", 3}};
    });
    while (task.state("v").find("\"running\"") != std::string::npos) std::this_thread::yield();
    must_hold(task.state("v") == R"({"version":"v","state":"done","result":{"found":3}})", task.state("v"));
  });
  BOOST_TEST(done == 1);
}

BOOST_AUTO_TEST_CASE(work_that_failed_is_begun_again_and_dropped_work_stops) {
  app::session session({}, "serve", {});
  std::atomic<int> begun = 0;
  {
    app::background_task task;
    run_crowd([&](std::size_t) {
      task.start(session, [&](app::session& background) -> app::json {
        if (++begun == 1) throw imgsim::error("the first fails");
        for (;;) {
          background.check_stop("it was dropped");
          std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
      });
      static_cast<void>(task.state("v"));
    });
    while (begun < 2) {
      task.start(session, [&](app::session& background) -> app::json {
        ++begun;
        for (;;) background.check_stop("it was dropped");
      });
    }
  }
  BOOST_TEST(begun == 2);
}

BOOST_AUTO_TEST_CASE(the_newest_version_is_whole_for_everyone) {
  served_photos made(6);
  app::session session({}, "serve", {});
  std::mutex device;
  app::current_collection current(session, made.index(), device);
  constexpr std::size_t kChanges = 3;
  std::atomic<bool> is_done = false;
  run_crowd([&](std::size_t t) {
    if (t == 0) {
      for (std::size_t change = 0; change < kChanges; ++change) {
        made.put(6 + change);
        made.update();
        std::this_thread::sleep_for(std::chrono::milliseconds(300));
      }
      is_done = true;
      return;
    }
    std::size_t before = 0;
    do {
      const std::shared_ptr<app::collection> shown = current.get();
      const auto listed = nlohmann::json::parse(shown->photo_list());
      must_hold(listed.at("paths").size() == shown->index().size(), "the list is of this version");
      must_hold(listed.at("version") == shown->version(), "the list names its version");
      must_hold(shown->index().size() >= before, "versions do not go back");
      before = shown->index().size();
      static_cast<void>(current.fault());
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    } while (!is_done);
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(600));  // it looks twice a second
  BOOST_TEST(current.get()->index().size() == 6 + kChanges);
  BOOST_TEST(current.fault() == "");
}

BOOST_AUTO_TEST_SUITE_END()
