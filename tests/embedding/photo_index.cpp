#include <imgsim/embedding/photo_index.hpp>

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <imgsim/embedding/closest_name.hpp>

#include "embedding/sample_index.hpp"
#include "support/reason.hpp"

namespace fs = std::filesystem;
using imgsim_test::complaint_of;
using imgsim_test::reason_of;

namespace {

struct fixture {
  imgsim_test::temporary_folder folder;
  imgsim_test::photo_store photos{folder.path() / "photos"};
  fs::path index = folder.path() / "index";

  fixture() {
    for (const char* path : {"cat/1.jpg", "cat/2.jpg", "dog/1.jpg", "10", "7/zebra.png"})
      photos.put(std::string(path) == "10" ? "10.jpg" : path, path);
    imgsim_test::update_index(index, photos.root());
    imgsim_test::add_everything(index);
  }

  [[nodiscard]] std::string text_of(const char* name) const {
    return std::string(imgsim::text_of(imgsim::read_file(index / name, 1 << 20)));
  }
  /// Replaces the one occurrence of `from`.
  void edit(const char* name, std::string_view from, std::string_view to) const {
    std::string text = text_of(name);
    const std::size_t at = text.find(from);
    BOOST_REQUIRE_MESSAGE(at != std::string::npos, name << " does not hold " << from);
    imgsim::write_file(index / name, text.replace(at, from.size(), to));
  }
  [[nodiscard]] std::string opening() const {
    return reason_of([&] { (void)imgsim::photo_index::open(index); });
  }
  /// What using every part of the index says first.
  [[nodiscard]] std::string using_all() const {
    return reason_of([&] {
      const auto opened = imgsim::photo_index::open(index);
      (void)opened.embeddings();
      (void)opened.neighbours();
      (void)opened.graph();
      (void)opened.groups();
      (void)opened.centroids();
      (void)opened.model_path();
    });
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(photo_index, fixture)

BOOST_AUTO_TEST_CASE(an_index_gives_back_all_its_parts) {
  const auto opened = imgsim::photo_index::open(index);
  BOOST_TEST(opened.size() == 5u);
  BOOST_TEST(opened.embeddings().extent(0) == 5u);
  BOOST_TEST(opened.embeddings().extent(1) == imgsim_test::kToyDimension);
  BOOST_REQUIRE(opened.neighbours().has_value());
  BOOST_TEST(opened.neighbours()->metric == "cosine");
  BOOST_TEST(opened.neighbours()->rows(4, 1) == 1);
  BOOST_TEST(opened.neighbours()->rows_of(4)[0] == 0);
  BOOST_TEST(opened.neighbours()->similarity(0, 1) == 0.75f);
  BOOST_TEST(opened.groups().value() == imgsim_test::groups_text(opened.photos()));
  BOOST_TEST(opened.centroids().value().extent(0) == 2u);
  BOOST_TEST(imgsim::text_of(imgsim::read_file(opened.model_path(), 100)) == "model m");
  BOOST_TEST(opened.photos_root() == photos.root());
}

BOOST_AUTO_TEST_CASE(photos_are_found_by_path_by_typed_path_and_by_row) {
  const auto opened = imgsim::photo_index::open(index);
  const std::pair<std::string, std::size_t> names[] = {
      {"10.jpg", 0},
      {"7/zebra.png", 1},
      {"cat/1.jpg", 2},
      {"dog/1.jpg", 4},
      {"0", 0},
      {"4", 4},
      {(photos.root() / "cat/2.jpg").string(), 3},
      {(photos.root() / "dog/.." / "cat/./2.jpg").string(), 3},
      {fs::path(photos.root() / "cat/2.jpg").lexically_relative(fs::current_path()).string(), 3},
  };
  for (const auto& [name, row] : names) BOOST_TEST(opened.find(name) == row, name);
  const std::pair<std::string, std::string> wrong[] = {
      {"5", "the index has no row 5: it holds 5 photos, rows count from 0"},
      {"99999999999999999999", "the index has no row 99999999999999999999: it holds 5 photos, rows count from 0"},
      {"cat/3.jpg", "the index holds no photo 'cat/3.jpg'; did you mean 'cat/1.jpg'?"},
      {"zebra.png", "the index holds no photo 'zebra.png'; did you mean '7/zebra.png'?"},
      {"zoo/1.jpg", "the index holds no photo 'zoo/1.jpg'; did you mean 'dog/1.jpg'?"},
      {"elephant", "the index holds no photo 'elephant'; --id takes a path of images.jsonl or a row"},
      {"", "the index holds no photo ''; --id takes a path of images.jsonl or a row"},
      {"-1", "the index holds no photo '-1'; --id takes a path of images.jsonl or a row"},
  };
  for (const auto& [name, complaint] : wrong)
    BOOST_TEST(complaint_of([&, &n = name] { (void)opened.find(n); }) == complaint);
}

BOOST_AUTO_TEST_CASE(edit_distance_is_levenshtein_s) {
  BOOST_TEST(imgsim::edit_distance("", "", 9) == 0u);
  BOOST_TEST(imgsim::edit_distance("kitten", "sitting", 9) == 3u);
  BOOST_TEST(imgsim::edit_distance("sitting", "kitten", 9) == 3u);
  BOOST_TEST(imgsim::edit_distance("abc", "", 9) == 3u);
  BOOST_TEST(imgsim::edit_distance("kitten", "sitting", 3) == 3u);
  BOOST_TEST(imgsim::edit_distance("kitten", "sitting", 2) == 3u);
  BOOST_TEST(imgsim::edit_distance("aaaaaaaa", "b", 2) == 3u);
}

BOOST_AUTO_TEST_CASE(photos_and_index_may_move_together) {
  const fs::path moved = folder.path() / "elsewhere";
  fs::create_directory(moved);
  fs::rename(index, moved / "index");
  fs::rename(photos.root(), moved / "photos");
  const auto opened = imgsim::photo_index::open(moved / "index");
  BOOST_TEST(opened.photos_root() == moved / "photos");
  BOOST_TEST(fs::exists(opened.photo_path(2)));
  BOOST_TEST(opened.find((moved / "photos" / "cat/1.jpg").string()) == 2u);
}

BOOST_AUTO_TEST_CASE(what_is_no_index_is_refused) {
  BOOST_TEST(reason_of([&] { (void)imgsim::photo_index::open(folder.path() / "none"); }) ==
             "does not exist; make an index with: imgsim index");
  BOOST_TEST(reason_of([&] { (void)imgsim::photo_index::open(photos.root()); }) ==
             "is not an index: it has no manifest.json");
  BOOST_TEST(reason_of([&] { (void)imgsim::photo_index::open(photos.root() / "10.jpg"); }) ==
             "is not an index: it has no manifest.json");
}

BOOST_AUTO_TEST_CASE(a_missing_or_cut_file_is_named) {
  const fs::path kept = folder.path() / "kept";
  fs::copy(index, kept);
  const std::string sound = "(no io_error)";
  for (const std::string name : imgsim::index_file::kListed) {
    BOOST_TEST_CONTEXT(name) {
      const bool is_needed = name == imgsim::index_file::kEmbeddings || name == imgsim::index_file::kPhotos;
      const std::string repair = is_needed                       ? "; restore the index from a copy"
                                 : name.starts_with("neighbors") ? "; make the neighbours again with: imgsim neighb"
                                 : name.starts_with("graph")     ? "; make the graph again with: imgsim graph"
                                 : name == imgsim::index_file::kModel ? "; give the model again with: imgsim index"
                                                                      : "; make the groups again with: imgsim cluster";
      fs::remove(index / name);
      BOOST_TEST((opening() == sound) == !is_needed);
      BOOST_TEST(using_all().starts_with("is missing from the index: No such file or directory" + repair), using_all());
      fs::copy(kept / name, index / name);
      fs::resize_file(index / name, fs::file_size(index / name) - 1);
      BOOST_TEST((opening() == sound) == !is_needed);
      BOOST_TEST(using_all().find(" bytes, the manifest says ") != std::string::npos, using_all());
      BOOST_TEST(using_all().find(repair) != std::string::npos, using_all());
      fs::copy(kept / name, index / name, fs::copy_options::overwrite_existing);
      BOOST_TEST(using_all() == sound);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_derived_file_that_is_damaged_is_missed_by_none_but_its_users) {
  fs::remove(index / "neighbors_similarity.npy");
  std::string groups = text_of("k_groups.json");
  groups[1] ^= 1;
  imgsim::write_file(index / "k_groups.json", groups);
  const auto opened = imgsim::photo_index::open(index);
  BOOST_TEST(opened.embeddings().extent(0) == 5u);
  BOOST_TEST(opened.find("cat/1.jpg") == 2u);
  BOOST_TEST(opened.centroids().has_value());
  BOOST_TEST(imgsim::text_of(imgsim::read_file(opened.model_path(), 100)) == "model m");
  BOOST_CHECK_THROW((void)opened.neighbours(), imgsim::io_error);
  BOOST_TEST(reason_of([&] { (void)opened.groups(); }).starts_with("differs from what was written"));
  BOOST_REQUIRE(opened.faults().size() == 2u);
  BOOST_TEST(opened.faults()[0].path() == index / "neighbors_similarity.npy");
  BOOST_TEST(opened.faults()[1].path() == index / "k_groups.json");
}

BOOST_AUTO_TEST_CASE(writing_a_damaged_file_again_repairs_it) {
  const auto before = imgsim_test::contents_of(index);
  for (const char* name : {"neighbors_index.npy", "neighbors_similarity.npy", "graph_links.npy", "graph_layers.npy",
                           "k_groups.json", "centroids.npy"}) {
    std::string bytes = text_of(name);
    bytes.back() ^= 1;
    imgsim::write_file(index / name, bytes);
    imgsim_test::add_everything(index);
    BOOST_TEST((imgsim_test::contents_of(index) == before), name);
    fs::remove(index / name);
    imgsim_test::add_everything(index);
    BOOST_TEST((imgsim_test::contents_of(index) == before), name);
  }
  imgsim::write_file(index / "model.safetensors", "model n");
  imgsim_test::update_index(index, photos.root());
  BOOST_TEST((imgsim_test::contents_of(index) == before));
}

BOOST_AUTO_TEST_CASE(a_model_that_is_not_the_one_of_the_rows_is_not_handed_out) {
  imgsim::write_file(index / "model.safetensors", "model n");
  const auto opened = imgsim::photo_index::open(index);
  BOOST_TEST(reason_of([&] { (void)opened.model_path(); }) ==
             "differs from what was written: its checksum does not hold; give the model again with: imgsim index "
             "--index " +
                 index.string() + " --model FILE");
}

BOOST_AUTO_TEST_CASE(embeddings_that_are_not_finite_are_never_handed_out) {
  for (const std::uint32_t bits : {0x7f800000u, 0xff800000u, 0x7fc00000u, 0xff800001u}) {
    std::string bytes = text_of("embeddings.npy");
    std::memcpy(bytes.data() + bytes.size() - 8 * sizeof(float), &bits, sizeof bits);
    imgsim::write_file(index / "embeddings.npy", bytes);
    const auto opened = imgsim::photo_index::open(index);
    BOOST_TEST(reason_of([&] { (void)opened.embeddings(); }) ==
               "row 3 holds numbers that are not finite; restore the index from a copy, or delete its folder and index "
               "the photos again");
  }
}

BOOST_AUTO_TEST_CASE(hostile_manifests_are_refused) {
  struct edited {
    const char *from, *to, *reason;
  };
  const edited edits[] = {
      {"{", "", "is not valid JSON at byte 12"},
      {"imgsim-index", "other", "does not describe an imgsim index"},
      {"\"version\": 1", "\"version\": 2",
       "was made by a newer imgsim (index version 2, this imgsim 0.1.0 reads version 1): update imgsim"},
      {"\"version\": 1", "\"version\": 0", "has an impossible version"},
      {"\"version\": 1", "\"version\": \"1\"",
       "\"version\" must be a whole number from -9223372036854775808 to "
       "9223372036854775807"},
      {"\"rows\": 5", "\"rows\": 6", "lists 5 photos, the manifest says 6"},
      {"\"rows\": 5", "\"rows\": -5", "\"rows\" must be a whole number from 0 to 18446744073709551615"},
      {"\"dimension\": 6", "\"dimension\": 7", "has shape [5, 6], the manifest says [5, 7]"},
      {"\"dimension\": 6", "\"dimension\": 18446744073709551615",
       "has shape [5, 6], the manifest says [5, 18446744073709551615]"},
      {"\"n\": 2", "\"n\": 3", "has shape [5, 2], the manifest says [5, 3]"},
      {"\"embeddings.npy\"", "\"../passwords\"", "\"files\": lists the unknown file \"../passwords\""},
      {"\"embeddings.npy\"", "\"centroids.npy\"", "lists no embeddings or no photos"},
      {"\"neighbors_index.npy\"", "\"model.safetensors\"", "lists the neighbours only in part"},
      {"\"k_groups.json\"", "\"model.safetensors\"", "lists centroids without groups"},
      {"\"graph_links.npy\"", "\"model.safetensors\"", "lists the graph of neighbours only in part"},
      {"\"graph\"", "\"graphs\"", "lists the graph of neighbours only in part"},
      {"\"breadth\": 16", "\"breadth\": -1",
       "\"graph\": \"breadth\" must be a whole number from 0 to 18446744073709551615"},
      {"\"recall\": 0.75", "\"recall\": []", "\"graph\": \"recall\" must be a number"},
      {"\"neighbors\"", "\"neighbours\"", "lists the neighbours only in part"},
      {"\"skipped\": []", "\"skipped\": 1", "\"skipped\" must be a list"},
      {"\"skipped\": []", "\"skipped\": [{\"path\": 1}]", "\"skipped\": \"path\" must be a string"},
      {"\"model_hash\"", "\"m\"", "the field \"model_hash\" is missing"},
  };
  const std::string good = text_of("manifest.json");
  for (const edited& entry : edits) {
    edit("manifest.json", entry.from, entry.to);
    const std::string reason = using_all();
    BOOST_TEST(reason.starts_with(entry.reason), reason);
    imgsim::write_file(index / "manifest.json", good);
  }
  BOOST_TEST(opening() == "(no io_error)");
}

BOOST_AUTO_TEST_CASE(manifests_survive_their_text) {
  imgsim::index_manifest manifest;
  manifest.photos_root = "/caf\xe9";
  manifest.photos_relative_root = "../\xff";
  manifest.model_hash = "00";
  manifest.rows = 3;
  manifest.dimension = 2;
  manifest.neighbours = imgsim::neighbours_note{"euclidean", 1};
  manifest.graph = imgsim::graph_note{"cosine", 32, 0.995};
  for (const char* name : imgsim::index_file::kListed) manifest.files[name] = {7, "abc", {3, 2}};
  manifest.skipped = {{"a\x80.jpg", "is not \"an\" image"}};
  const std::string text = imgsim::manifest_text(manifest);
  BOOST_TEST(imgsim::manifest_checksum_holds(text));
  BOOST_TEST(imgsim::manifest_text(imgsim::parse_manifest(text, "manifest.json")) == text);
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string flipped = text;
    flipped[i] = static_cast<char>(flipped[i] ^ 1);
    BOOST_TEST(!imgsim::manifest_checksum_holds(flipped), "byte " << i);
  }
  BOOST_TEST(!imgsim::manifest_checksum_holds(text + " "));
  BOOST_TEST(!imgsim::manifest_checksum_holds(text.substr(0, text.size() - 1)));
}

BOOST_AUTO_TEST_CASE(hostile_photo_lists_are_refused) {
  const auto line = [](const std::string& path) {
    return R"({"path":")" + path + R"(","size":1,"mtime":2,"hash":"h"})" + "\n";
  };
  const std::string outside = "\"path\" must be a path within the folder of photos";
  const std::pair<std::string, std::string> lists[] = {
      {"", "(no io_error)"},
      {line("a") + line("b/c") + line("b/d.e"), "(no io_error)"},
      {"\n", "line 1: is not valid JSON at byte 1"},
      {line("a") + "{", "line 2: is cut short"},
      {line("a") + "[]\n", "line 2: must be a JSON object"},
      {line("b") + line("a"), "line 2: does not follow the line before in the order of paths"},
      {line("a") + line("a"), "line 2: does not follow the line before in the order of paths"},
      {line("a") + line("a\\u0000ff") + line("a\\u00ff"),
       "line 3: does not follow the line before in the order of paths"},
      {line("../a"), "line 1: " + outside},
      {line("/etc/passwd"), "line 1: " + outside},
      {line("a/../../b"), "line 1: " + outside},
      {line("a//b"), "line 1: " + outside},
      {line("a/."), "line 1: " + outside},
      {line("a/"), "line 1: " + outside},
      {line(""), "line 1: " + outside},
      {line("a\\u000000"), "line 1: " + outside},
      {line("a\\u0000"), "line 1: \"path\" holds U+0000 without two hexadecimal digits"},
      {"{\"path\":\"a\",\"size\":-1,\"mtime\":2,\"hash\":\"h\"}\n",
       "line 1: \"size\" must be a whole number from 0 to 18446744073709551615"},
      {"{\"path\":\"a\",\"size\":1,\"mtime\":2.5,\"hash\":\"h\"}\n",
       "line 1: \"mtime\" must be a whole number from -9223372036854775808 to 9223372036854775807"},
      {"{\"path\":\"a\",\"size\":1,\"mtime\":2}\n", "line 1: the field \"hash\" is missing"},
      {"{\"path\":\"\xff\",\"size\":1,\"mtime\":2,\"hash\":\"h\"}\n", "line 1: is not valid JSON at byte 10"},
  };
  const fs::path path = folder.path() / "list.jsonl";
  for (const auto& [text, reason] : lists) {
    imgsim::write_file(path, text);
    BOOST_TEST(reason_of([&] { (void)imgsim::read_photo_list(path); }) == reason);
  }
}

BOOST_AUTO_TEST_CASE(neighbours_out_of_range_are_never_handed_out) {
  std::string bytes = text_of("neighbors_index.npy");
  bytes[128 + 7] = '\x7f';  // the highest byte of the first number
  imgsim::write_file(index / "neighbors_index.npy", bytes);
  const auto opened = imgsim::photo_index::open(index);
  BOOST_TEST(reason_of([&] {
               (void)opened.neighbours()->rows_of(0);
             }).ends_with("imgsim neighbors --index " + index.string()));
  BOOST_TEST(opened.neighbours()->rows_of(1).size() == 2u);
}

BOOST_AUTO_TEST_CASE(neighbours_that_cannot_be_are_never_handed_out) {
  const fs::path good = folder.path() / "good.npy";
  fs::copy(index / "neighbors_index.npy", good);
  const auto with = [&](std::size_t rank, std::int64_t row) {
    auto rows = imgsim::read_npy<std::int64_t>(good);
    rows(0, rank) = row;
    imgsim::write_npy(index / "neighbors_index.npy", rows.view());
    const auto opened = imgsim::photo_index::open(index);
    return reason_of([&] { (void)opened.neighbours()->rows_of(0); });
  };
  BOOST_TEST(with(0, 0).starts_with("row 0 lists a photo twice, or itself"));
  BOOST_TEST(with(0, 2).starts_with("row 0 lists a photo twice, or itself"));
  BOOST_TEST(with(0, 4) == "(no io_error)");
}

BOOST_AUTO_TEST_SUITE_END()
