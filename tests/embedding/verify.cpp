#include <imgsim/embedding/verify.hpp>

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "embedding/sample_index.hpp"
#include "support/reason.hpp"

namespace fs = std::filesystem;

namespace {

struct indexed_folder {
  imgsim_test::temporary_folder folder;
  imgsim_test::photo_store photos{folder.path() / "photos"};
  fs::path index = folder.path() / "index";

  indexed_folder() {
    for (const char* path : {"a.jpg", "b.jpg", "c.jpg", "d.jpg"}) photos.put(path, path);
    imgsim_test::update_index(index, photos.root());
    imgsim_test::add_everything(index);
  }

  [[nodiscard]] std::vector<imgsim::finding> damage(const imgsim::verify_options& options = {}) const {
    auto findings = imgsim::verify_index(index, options);
    std::erase_if(findings, [](const imgsim::finding& f) { return f.severity == imgsim::severity::note; });
    return findings;
  }
  /// The one damage, as "file: what".
  [[nodiscard]] std::string only_damage(const imgsim::verify_options& options = {}) const {
    const auto found = damage(options);
    BOOST_TEST(found.size() == 1u);
    for (const auto& f : found) BOOST_TEST(!f.advice.empty());
    return found.empty() ? "" : found[0].file + ": " + found[0].what;
  }

  /// Changes the index as a faulty program would that keeps the checksums right.
  void write_groups(const std::string& json) const {
    imgsim::index_writer writer(index);
    writer.set_groups(json);
    writer.commit();
  }
  template <class Change>
  void write_neighbours(Change&& change) const {
    imgsim::tensor<std::int64_t, 2> rows({4, 2});
    imgsim::tensor<float, 2> similarity({4, 2});
    for (std::size_t i = 0; i < 4; ++i) {
      rows(i, 0) = static_cast<std::int64_t>((i + 1) % 4);
      rows(i, 1) = static_cast<std::int64_t>((i + 2) % 4);
    }
    change(rows, similarity);
    imgsim::index_writer writer(index);
    writer.set_neighbours("cosine", rows.view(), similarity.view());
    writer.commit();
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(verify, indexed_folder)

BOOST_AUTO_TEST_CASE(a_sound_index_has_no_findings) {
  BOOST_TEST(imgsim::verify_index(index).empty());
}

BOOST_AUTO_TEST_CASE(every_flipped_byte_is_found) {
  for (const auto& [name, text] : imgsim_test::contents_of(index)) {
    std::fstream file(index / name, std::ios::binary | std::ios::in | std::ios::out);
    const auto put = [&, &text = text](std::size_t at, char flip) {
      file.seekp(static_cast<std::streamoff>(at)).put(static_cast<char>(text[at] ^ flip)).flush();
    };
    for (std::size_t at = 0; at < text.size(); ++at) {
      put(at, static_cast<char>(1 << (at % 8)));
      const auto found = damage({.compare_photos = false});
      BOOST_TEST_REQUIRE(!found.empty(), name << " byte " << at);
      BOOST_TEST(found[0].file == name, name << " byte " << at);
      put(at, 0);
    }
  }
  BOOST_TEST(damage().empty());
}

BOOST_AUTO_TEST_CASE(missing_and_cut_files_are_found) {
  const fs::path kept = folder.path() / "kept";
  fs::copy(index, kept);
  for (const char* name : imgsim::index_file::kListed) {
    fs::remove(index / name);
    BOOST_TEST(only_damage() == std::string(name) + ": cannot be opened: No such file or directory");
    fs::copy(kept / name, index / name);
    fs::resize_file(index / name, fs::file_size(index / name) - 1);
    BOOST_TEST(only_damage().find("bytes, the manifest says") != std::string::npos, name);
    fs::copy(kept / name, index / name, fs::copy_options::overwrite_existing);
  }
  fs::remove(index / "manifest.json");
  BOOST_TEST(only_damage() == "manifest.json: is missing");
}

BOOST_AUTO_TEST_CASE(a_folder_that_is_no_index_is_not_judged) {
  const auto verifying = [](const fs::path& path) {
    return imgsim_test::reason_of([&] { (void)imgsim::verify_index(path); });
  };
  BOOST_TEST(verifying(photos.root()) == "is not an index: it has no manifest.json");
  BOOST_TEST(verifying(folder.path() / "none") == "does not exist");
}

BOOST_AUTO_TEST_CASE(every_damage_is_found_at_once_with_what_repairs_it) {
  for (const char* name : {"embeddings.npy", "neighbors_index.npy", "k_groups.json", "model.safetensors"}) {
    std::fstream file(index / name, std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(-1, std::ios::end).put('\x7f').flush();
  }
  fs::remove(index / "centroids.npy");
  std::string advice;
  for (const auto& found : damage({.compare_photos = false})) advice += found.file + ": " + found.advice + "\n";
  const std::string groups = ": make the groups again with: imgsim cluster --index " + index.string() + " -k K\n";
  BOOST_TEST(advice == "centroids.npy" + groups +
                           "embeddings.npy: restore the index from a copy, or delete its folder and index the photos "
                           "again\nk_groups.json" +
                           groups + "model.safetensors: give the model again with: imgsim index --index " +
                           index.string() +
                           " --model FILE\nneighbors_index.npy: make the neighbours again with: imgsim neighbors "
                           "--index " +
                           index.string() + "\n");
}

BOOST_AUTO_TEST_CASE(neighbours_are_checked_against_the_rows) {
  write_neighbours([](auto&, auto&) {});
  BOOST_TEST(damage().empty());
  write_neighbours([](auto& rows, auto&) { rows(2, 1) = 4; });
  BOOST_TEST(only_damage() == "neighbors_index.npy: names row 4 of 4 among the neighbours of row 2");
  write_neighbours([](auto& rows, auto&) { rows(2, 1) = -1; });
  BOOST_TEST(only_damage() == "neighbors_index.npy: names row -1 of 4 among the neighbours of row 2");
  write_neighbours([](auto& rows, auto&) { rows(2, 1) = 3; });
  BOOST_TEST(only_damage() == "neighbors_index.npy: row 2 lists a photo twice, or itself");
  write_neighbours([](auto& rows, auto&) { rows(2, 1) = 2; });
  BOOST_TEST(only_damage() == "neighbors_index.npy: row 2 lists a photo twice, or itself");
  write_neighbours([](auto&, auto& similarity) { similarity(1, 1) = 0.5f; });
  BOOST_TEST(only_damage() == "neighbors_index.npy: row 1 is not in falling order");
  const float nan = std::numeric_limits<float>::quiet_NaN();
  write_neighbours([&](auto&, auto& similarity) { similarity(1, 0) = nan; });
  BOOST_TEST(only_damage() == "neighbors_index.npy: row 1 is not in falling order");
  write_neighbours([&](auto&, auto& similarity) { similarity(1, 1) = nan; });  // NaN last
  BOOST_TEST(damage().empty());
}

BOOST_AUTO_TEST_CASE(graphs_are_checked_against_the_rows) {
  const auto write_graph = [&](std::int32_t link, std::int32_t row, std::int32_t below, std::int32_t line) {
    imgsim::tensor<std::int32_t, 2> links({4, 2}), layers({2, 3});
    std::ranges::fill(links, -1);
    std::ranges::fill(layers, -1);
    links(3, 1) = link;
    layers(0, 0) = 0;
    layers(1, 0) = row;
    layers(1, 1) = below;
    layers(0, 2) = line;
    imgsim::index_writer writer(index);
    writer.set_graph({.metric = "cosine", .breadth = 8, .recall = 1}, links.view(), layers.view());
    writer.commit();
  };
  write_graph(3, 3, -1, 1);
  BOOST_TEST(damage().empty());
  write_graph(4, 3, -1, 1);
  BOOST_TEST(only_damage() == "graph_links.npy: names 4 of 4 in line 3");
  write_graph(-2, 3, -1, 1);
  BOOST_TEST(only_damage() == "graph_links.npy: names -2 of 4 in line 3");
  write_graph(3, 4, -1, 1);
  BOOST_TEST(only_damage() == "graph_layers.npy: names 4 of 4 in line 1");
  write_graph(3, 3, 2, 1);
  BOOST_TEST(only_damage() == "graph_layers.npy: names 2 of 2 in line 1");
  write_graph(3, 3, -1, 2);
  BOOST_TEST(only_damage() == "graph_layers.npy: names 2 of 2 in line 0");
}

BOOST_AUTO_TEST_CASE(groups_are_checked_against_the_photos) {
  const std::string paths = R"(, "paths": ["a.jpg", "b.jpg", "c.jpg", "d.jpg"]})";
  const std::pair<const char*, const char*> wrong[] = {
      {R"({"k": 2, "medoids": [0], "clusters": [[0, 1, 2, 3]])", "does not hold 2 groups and medoids"},
      {R"({"k": 1, "medoids": [0], "clusters": [[0, 1, 2]])", "groups 3 of 4 rows"},
      {R"({"k": 1, "medoids": [0], "clusters": [[0, 1, 2, 4]])",
       "group 0 holds a row twice, or one that the index has not"},
      {R"({"k": 1, "medoids": [0], "clusters": [[0, 1, 2, 2]])",
       "group 0 holds a row twice, or one that the index has not"},
      {R"({"k": 1, "medoids": [0], "clusters": [[0, 1, 2, "3"]])",
       "group 0 holds a row twice, or one that the index has not"},
      {R"({"k": 2, "medoids": [2, 1], "clusters": [[0, 1], [2, 3]])", "group 0 does not hold its medoid"},
      {R"({"k": 1, "clusters": [[0, 1, 2, 3]])", "the field \"medoids\" is missing"},
  };
  for (const auto& [text, what] : wrong) {
    write_groups(text + paths);
    BOOST_TEST(only_damage() == std::string("k_groups.json: ") + what);
  }
  const std::string good = R"({"k": 2, "medoids": [1, 2], "clusters": [[0, 1], [2, 3]])";
  write_groups(good + R"(, "paths": ["a.jpg", "b.jpg", "d.jpg", "c.jpg"]})");
  BOOST_TEST(only_damage() == "k_groups.json: names other photos than the index");
  write_groups(good + paths);
  BOOST_TEST(damage().empty());
  const std::string fewer = R"({"k": 1, "medoids": [1], "clusters": [[0, 1]], "outliers": )";
  for (const char* outliers : {"[2, 3, 1]", "[2, 3, 3]", "[2, 4]", "[2, -1]"}) {
    write_groups(fewer + outliers + paths);
    BOOST_TEST(only_damage() ==
               "k_groups.json: the outliers hold a row twice, or one that is in a group or not in the index");
  }
  write_groups(fewer + "[2]" + paths);
  BOOST_TEST(only_damage() == "k_groups.json: groups 3 of 4 rows");
  write_groups(fewer + "[3, 2]" + paths);
  BOOST_TEST(damage().empty());
  write_groups(good + paths);
  imgsim::index_writer writer(index);
  const imgsim::tensor<float, 2> three({3, imgsim_test::kToyDimension});
  writer.set_groups(good + paths, three.view());
  writer.commit();
  BOOST_TEST(only_damage() == "centroids.npy: has shape [3, 6], the manifest says [2, 6]");
}

BOOST_AUTO_TEST_CASE(embeddings_must_be_finite) {
  imgsim::index_writer writer(index);
  const std::vector<imgsim::indexed_photo> list(writer.previous()->photos().begin(), writer.previous()->photos().end());
  auto embeddings = writer.new_embeddings(4, 3);
  embeddings.values()(2, 1) = std::numeric_limits<float>::infinity();
  writer.replace_rows(list, embeddings);
  writer.commit();
  BOOST_TEST(only_damage() == "embeddings.npy: row 2 holds numbers that are not finite");
}

BOOST_AUTO_TEST_CASE(the_model_is_looked_into) {
  const auto refuse = [](const fs::path& path) { throw imgsim::io_error(path, "is no model"); };
  BOOST_TEST(only_damage({.check_model = refuse}) == "model.safetensors: is no model");
}

BOOST_AUTO_TEST_CASE(photos_that_changed_and_stray_files_are_notes) {
  photos.remove("a.jpg");
  photos.put("b.jpg", "other");
  fs::create_directory(index / ".staging");
  const auto findings = imgsim::verify_index(index);
  BOOST_REQUIRE(findings.size() == 2u);
  BOOST_TEST(findings[0].file == ".staging");
  BOOST_TEST(findings[1].what == "1 photos of the index are gone, 1 changed since");
  BOOST_TEST(damage().empty());
  fs::remove_all(photos.root());
  BOOST_TEST(imgsim::verify_index(index).back().what == "the folder of the photos is not there");
  BOOST_TEST(imgsim::verify_index(index, {.compare_photos = false}).size() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()
