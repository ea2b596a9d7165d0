#include <imgsim/embedding/index_update.hpp>

#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include <imgsim/core/random.hpp>

#include "embedding/sample_index.hpp"
#include "support/reason.hpp"

namespace fs = std::filesystem;
using imgsim_test::photo_store;
using imgsim_test::update_index;
using strings = std::vector<std::string>;

namespace {

struct updated_folder {
  imgsim_test::temporary_folder folder;
  photo_store photos{folder.path() / "photos"};
  fs::path index = folder.path() / "index";

  updated_folder() {
    photos.put("b/1.jpg", "one");
    photos.put("b/2.jpg", "two");
    photos.put("a.png", "three");
    photos.put("z.webp", "four!");
  }
  imgsim_test::toy_update update(const std::string& model = "m") { return update_index(index, photos.root(), model); }

  /// Every row is what the encoder makes of the photo now, and the bytes are those of an index made afresh.
  void check_equals_fresh(const std::string& model = "m") {
    const fs::path fresh = folder.path() / "fresh";
    fs::remove_all(fresh);
    update_index(fresh, photos.root(), model);
    BOOST_TEST((imgsim_test::contents_of(index) == imgsim_test::contents_of(fresh)));
    const auto opened = imgsim::photo_index::open(index);
    for (std::size_t row = 0; row < opened.size(); ++row) {
      const auto expected = imgsim_test::toy_embedding(photos.root() / opened.photos()[row].path, model);
      BOOST_TEST(std::equal(expected.begin(), expected.end(), opened.embeddings().row(row)));
    }
  }
};

strings paths_of(const imgsim::photo_index& index) {
  strings paths;
  for (const auto& photo : index.photos()) paths.push_back(photo.path);
  return paths;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(index_update, updated_folder)

/// Rows that go on into a new version get new checksums there: damage must be found before.
BOOST_AUTO_TEST_CASE(damaged_rows_are_not_taken_into_a_new_version) {
  for (const char* file : {"embeddings.npy", "images.jsonl"}) {
    fs::remove_all(index);
    update();
    std::string bytes = imgsim_test::contents_of(index).at(file);
    bytes[bytes.size() - 4] = static_cast<char>(bytes[bytes.size() - 4] ^ 1);
    imgsim::write_file(index / file, bytes);
    photos.put("new.png", "five");
    BOOST_CHECK_THROW(update(), imgsim::io_error);
    photos.remove("new.png");
  }
}

BOOST_AUTO_TEST_CASE(a_first_index_holds_every_photo_in_the_order_of_paths) {
  const auto done = update();
  BOOST_TEST(done.summary.added == 4u);
  BOOST_TEST(done.summary.encoded == 4u);
  BOOST_TEST(done.committed);
  const auto opened = imgsim::photo_index::open(index);
  BOOST_TEST(paths_of(opened) == (strings{"a.png", "b/1.jpg", "b/2.jpg", "z.webp"}), boost::test_tools::per_element());
  BOOST_TEST(opened.dimension() == imgsim_test::kToyDimension);
  BOOST_TEST(opened.photos()[1].content_hash == imgsim::hash_file(photos.root() / "b/1.jpg"));
  BOOST_TEST(opened.model_hash() == imgsim::hash_file(opened.model_path()));
  BOOST_TEST(opened.photo_path(0) == photos.root() / "a.png");
}

BOOST_AUTO_TEST_CASE(nothing_is_done_where_nothing_changed) {
  update();
  imgsim_test::add_everything(index);
  const auto before = imgsim_test::contents_of(index);
  const auto written = fs::last_write_time(index / "manifest.json");
  const auto done = update();
  BOOST_TEST(done.summary.unchanged == 4u);
  BOOST_TEST(done.encoded.empty());
  BOOST_TEST(!done.committed);
  BOOST_TEST((imgsim_test::contents_of(index) == before));
  BOOST_TEST((fs::last_write_time(index / "manifest.json") == written));
}

BOOST_AUTO_TEST_CASE(a_new_date_alone_encodes_nothing_and_keeps_what_was_computed) {
  update();
  imgsim_test::add_everything(index);
  photos.touch("b/1.jpg");
  const auto done = update();
  BOOST_TEST(done.summary.unchanged == 4u);
  BOOST_TEST(done.encoded.empty());
  BOOST_TEST(done.committed);
  const auto opened = imgsim::photo_index::open(index);
  BOOST_TEST(opened.neighbours().has_value());
  BOOST_TEST(opened.groups().has_value());
  BOOST_TEST(!update().committed);
}

BOOST_AUTO_TEST_CASE(a_file_that_is_no_photo_costs_nothing_that_was_computed) {
  photos.put("b/3.jpg", "bad");
  update();
  imgsim_test::add_everything(index);
  const auto before = imgsim_test::contents_of(index);
  const auto done = update();
  BOOST_TEST(done.encoded == strings{"b/3.jpg"}, boost::test_tools::per_element());
  BOOST_TEST(done.summary.same_rows);
  BOOST_TEST(!done.committed);
  BOOST_TEST((imgsim_test::contents_of(index) == before));
  // One more of them is a change of the list alone.
  photos.put("a.jpg", "bad");
  BOOST_TEST(update().committed);
  const auto opened = imgsim::photo_index::open(index);
  BOOST_TEST(opened.manifest().skipped.size() == 2u);
  BOOST_TEST(opened.neighbours().has_value());
  BOOST_TEST(opened.groups().has_value());
}

BOOST_AUTO_TEST_CASE(each_change_is_told_from_the_others) {
  update();
  imgsim_test::add_everything(index);
  photos.put("b/1.jpg", "eno");                 // changed, the same size
  photos.put("z.webp", "something longer");     // changed, another size
  photos.rename("b/2.jpg", "c/new name.jpeg");  // renamed
  photos.remove("a.png");                       // removed
  photos.put("d.jpg", "five");                  // added
  photos.put("e.jpg", "two");                   // added: a copy of what was renamed
  photos.put("f.jpg", "bad file");              // skipped
  const auto done = update();
  BOOST_TEST(done.summary.changed == 2u);
  BOOST_TEST(done.summary.renamed == 1u);
  BOOST_TEST(done.summary.removed == 1u);
  BOOST_TEST(done.summary.added == 2u);
  BOOST_TEST(done.summary.unchanged == 0u);
  BOOST_TEST(done.summary.encoded == 3u);
  BOOST_TEST(done.encoded == (strings{"b/1.jpg", "d.jpg", "f.jpg", "z.webp"}), boost::test_tools::per_element());
  BOOST_REQUIRE(done.summary.skipped.size() == 1u);
  BOOST_TEST(done.summary.skipped[0].path == "f.jpg");
  const auto opened = imgsim::photo_index::open(index);
  BOOST_TEST(!opened.neighbours().has_value());
  BOOST_TEST(!opened.graph().has_value());
  BOOST_TEST(!opened.groups().has_value());
  BOOST_TEST(!opened.centroids().has_value());
  BOOST_TEST(!fs::exists(index / "neighbors_index.npy"));
  BOOST_TEST(!fs::exists(index / "graph_layers.npy"));
  BOOST_TEST(!fs::exists(index / "k_groups.json"));
  BOOST_TEST(opened.manifest().skipped.size() == 1u);
  check_equals_fresh();
}

BOOST_AUTO_TEST_CASE(contents_that_change_places_keep_their_embeddings) {
  update();
  photos.rename("b/1.jpg", "tmp.jpg");
  photos.rename("b/2.jpg", "b/1.jpg");
  photos.rename("tmp.jpg", "b/2.jpg");
  const auto done = update();
  BOOST_TEST(done.summary.changed == 2u);
  BOOST_TEST(done.encoded.empty());
  check_equals_fresh();
}

BOOST_AUTO_TEST_CASE(a_rename_that_keeps_the_order_drops_groups_which_name_the_old_path) {
  update();
  imgsim_test::add_everything(index);
  photos.rename("a.png", "aa.png");
  BOOST_TEST(update().summary.renamed == 1u);
  BOOST_TEST(!imgsim::photo_index::open(index).groups().has_value());
  check_equals_fresh();
}

BOOST_AUTO_TEST_CASE(another_model_encodes_everything_again) {
  update();
  const auto done = update("other");
  BOOST_TEST(done.encoded.size() == 4u);
  BOOST_TEST(done.summary.unchanged == 0u);
  BOOST_TEST(done.summary.reencoded == 4u);
  check_equals_fresh("other");
  BOOST_TEST(update("other").summary.unchanged == 4u);
}

BOOST_AUTO_TEST_CASE(a_photo_that_encodes_to_no_finite_numbers_is_skipped) {
  imgsim::index_writer writer(index);
  imgsim::thread_pool pool(1);
  writer.set_photos_root(photos.root());
  const auto plan = imgsim::plan_update(imgsim::scan_folder(photos.root()), nullptr, "", pool);
  const auto encode = [&](std::span<const std::string> paths, imgsim::row_sink& rows) {
    for (std::size_t i = 0; i < paths.size(); ++i)
      rows.store(i, std::vector<float>{1.0f, i == 2 ? std::numeric_limits<float>::quiet_NaN() : 0.0f});
  };
  const auto summary = imgsim::apply_update(writer, plan, 2, encode);
  BOOST_REQUIRE(summary.skipped.size() == 1u);
  BOOST_TEST(summary.skipped[0].path == "b/2.jpg");
}

BOOST_AUTO_TEST_CASE(a_manifest_that_was_corrected_by_hand_is_signed_again) {
  update();
  std::string text(imgsim::text_of(imgsim::read_file(index / "manifest.json", 1 << 20)));
  const std::size_t at = text.find("\"root\": \"");
  imgsim::write_file(index / "manifest.json", text.insert(at + 9, "/elsewhere"));
  BOOST_TEST(update().committed);
  BOOST_TEST(imgsim::manifest_checksum_holds(imgsim::photo_index::open(index).stored_manifest()));
}

BOOST_AUTO_TEST_CASE(a_file_that_no_longer_decodes_leaves_the_index_and_may_come_back) {
  update();
  photos.put("b/2.jpg", "bad");
  const auto done = update();
  BOOST_TEST(done.summary.skipped.size() == 1u);
  BOOST_TEST(done.summary.changed == 0u);
  BOOST_TEST(imgsim::photo_index::open(index).size() == 3u);
  check_equals_fresh();
  photos.put("b/2.jpg", "two");
  BOOST_TEST(update().summary.added == 1u);
  check_equals_fresh();
}

BOOST_AUTO_TEST_CASE(all_photos_may_go_and_come_back) {
  update();
  for (const char* path : {"a.png", "b/1.jpg", "b/2.jpg", "z.webp"}) photos.remove(path);
  BOOST_TEST(update().summary.removed == 4u);
  BOOST_TEST(imgsim::photo_index::open(index).size() == 0u);
  check_equals_fresh();
  photos.put("a.png", "three");
  BOOST_TEST(update().summary.added == 1u);
  check_equals_fresh();
}

BOOST_AUTO_TEST_CASE(names_of_any_bytes_survive) {
  std::string name;
  for (int byte = 1; byte < 256; ++byte)
    if (byte != '/') name += static_cast<char>(byte);
  photos.put("d\xff/" + name.substr(0, 120) + ".jpg", "x");
  photos.put("d\xff/" + name.substr(120) + ".jpg", "xyz");
  update();
  BOOST_TEST(update().summary.unchanged == 6u);
  BOOST_TEST(imgsim::photo_index::open(index).find("d\xff/" + name.substr(120) + ".jpg") < 6u);
  check_equals_fresh();
}

BOOST_AUTO_TEST_CASE(random_histories_end_in_the_bytes_of_a_fresh_index) {
  imgsim::random_stream random(20260101);
  update();
  for (int step = 0; step < 60; ++step) {
    const auto any_path = [&] { return std::string(1, static_cast<char>('a' + random.below(8))) + ".jpg"; };
    const std::string path = any_path(), other = any_path();
    const bool exists = fs::exists(photos.root() / path);
    switch (random.below(5)) {
      case 0:
      case 1:
        photos.put(path, "content " + std::to_string(random.below(4)));
        break;
      case 2:
        if (exists) photos.remove(path);
        break;
      case 3:
        if (exists && path != other) photos.rename(path, other);
        break;
      default:
        photos.put(path, "bad" + std::to_string(random.below(3)));
    }
    if (random.below(2) == 0) {
      update();
      check_equals_fresh();
    }
  }
}

BOOST_AUTO_TEST_CASE(a_photo_that_changes_while_it_is_indexed_is_skipped) {
  imgsim::index_writer writer(index);
  imgsim::thread_pool pool(1);
  writer.set_photos_root(photos.root());
  const auto plan = imgsim::plan_update(imgsim::scan_folder(photos.root()), nullptr, "", pool);
  const auto encode = [&](std::span<const std::string> paths, imgsim::row_sink& rows) {
    photos.put("b/1.jpg", "new");
    for (std::size_t i = 0; i < paths.size(); ++i) rows.store(i, std::vector<float>(3, 1.0f));
  };
  const auto summary = imgsim::apply_update(writer, plan, 3, encode);
  writer.commit();
  BOOST_REQUIRE(summary.skipped.size() == 1u);
  BOOST_TEST(summary.skipped[0].path == "b/1.jpg");
  BOOST_TEST(summary.skipped[0].reason == "changed while it was being indexed; index the folder again");
  BOOST_TEST(imgsim::photo_index::open(index).size() == 3u);
}

BOOST_AUTO_TEST_CASE(an_encoder_that_fails_leaves_the_index_as_it_was) {
  update();
  const auto before = imgsim_test::contents_of(index);
  photos.put("new.jpg", "new");
  imgsim::thread_pool pool(1);
  const auto run = [&](auto encode) {
    imgsim::index_writer writer(index);
    const auto plan =
        imgsim::plan_update(imgsim::scan_folder(photos.root()), writer.previous(), writer.model_hash(), pool);
    imgsim::apply_update(writer, plan, imgsim_test::kToyDimension, encode);
  };
  using rows = imgsim::row_sink;
  using paths = std::span<const std::string>;
  BOOST_CHECK_THROW(run([](paths, rows&) { throw imgsim::cancelled("stop"); }), imgsim::cancelled);
  BOOST_TEST(imgsim_test::complaint_of([&] { run([](paths, rows&) {}); }) == "the encoder left out new.jpg");
  BOOST_TEST(imgsim_test::complaint_of([&] { run([](paths, rows& r) { r.store(0, std::vector<float>(2)); }); }) ==
             "an embedding of 2 numbers for rows of 6");
  BOOST_TEST(imgsim_test::complaint_of([&] { run([](paths, rows& r) { r.store(1, std::vector<float>(6)); }); }) ==
             "photo 1 of 1 was encoded twice or was not asked for");
  BOOST_TEST((imgsim_test::contents_of(index) == before));
}

BOOST_AUTO_TEST_SUITE_END()
