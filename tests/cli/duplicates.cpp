// imgsim duplicates on rendered photos with planted variants, on folders without any, and on the smallest folders.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <imgsim/core/file.hpp>
#include <imgsim/core/thread_pool.hpp>
#include <imgsim/image/decode.hpp>
#include <imgsim/image/encode.hpp>

#include "cli/trained_folder.hpp"
#include "sample_set/sample_set.hpp"

using namespace imgsim_test;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t kPictures = 240;  // of which 40 are variants of others

/// "fish/fish-0001" of fish/fish-0001.jpg and of fish/fish-0001-crop.jpg.
std::string original_of(const std::string& path) {
  const std::size_t name = path.find('/') + 1;
  return path.substr(0, std::min(path.find('-', path.find('-', name) + 1), path.rfind('.')));
}

bool is_variant(const std::string& path) {
  return original_of(path) + ".jpg" != path;
}

/// Rendered photos, with or without their variants, a model and an index.
class rendered_folder {
 public:
  explicit rendered_folder(bool with_variants, const std::string& architecture = kTinyArchitecture) {
    imgsim::thread_pool pool(2);
    imgsim::sample_set::write_sample_set(folder_.path() / "photos", 11, kPictures, pool);
    for (const std::string& path : imgsim::sample_set::sample_set_paths(kPictures)) {
      if (is_variant(path) && !with_variants) fs::remove(photo(path));
      if (is_variant(path)) ++variants_;
    }
    write_text(folder_.path() / "tiny.json", architecture);
    static_cast<void>(must_run({"train", "--images", photos(), "--model", (folder_.path() / "m.safetensors").string(),
                                "--preset", (folder_.path() / "tiny.json").string(), "--quiet"}));
    update();
  }

  void update() const {
    static_cast<void>(must_run({"index", "--images", photos(), "--model", (folder_.path() / "m.safetensors").string(),
                                "--index", index(), "--quiet"}));
  }
  [[nodiscard]] std::string photos() const { return (folder_.path() / "photos").string(); }
  [[nodiscard]] std::string photo(const std::string& name) const { return photos() + "/" + name; }
  [[nodiscard]] std::string index() const { return (folder_.path() / "idx").string(); }
  [[nodiscard]] std::string page() const { return (folder_.path() / "page.html").string(); }
  [[nodiscard]] std::size_t variants() const { return variants_; }

 private:
  temporary_folder folder_;
  std::size_t variants_ = 0;
};

/// Paths of the two ends of each link of a report that is, or is not, exact.
std::vector<std::pair<std::string, std::string>> links_of(const nlohmann::json& report, bool exact) {
  std::vector<std::pair<std::string, std::string>> links;
  for (const auto& group : report.at("groups")) {
    const auto path_of = [&](const nlohmann::json& row) -> std::string {
      for (const auto& photo : group.at("photos"))
        if (photo.at("row") == row) return photo.at("path");
      BOOST_FAIL("a link names a row that its group has not");
      return {};
    };
    for (const auto& link : group.at("links"))
      if (link.at("exact") == exact) links.emplace_back(path_of(link.at("a")), path_of(link.at("b")));
  }
  return links;
}

/// An index of the named photos of the shared folder's model.
nlohmann::json report_of_photos(const std::vector<std::pair<std::size_t, std::uint64_t>>& photos) {
  const temporary_folder folder;
  for (std::size_t i = 0; i < photos.size(); ++i)
    write_photo(folder.path() / "photos" / (std::to_string(i) + ".png"), photos[i].first, photos[i].second);
  const std::string index = (folder.path() / "idx").string();
  static_cast<void>(must_run({"index", "--images", (folder.path() / "photos").string(), "--model",
                              shared_folder().model(), "--index", index, "--quiet"}));
  return must_run({"duplicates", "--index", index, "--json", "--quiet"}).json();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(duplicates)

BOOST_AUTO_TEST_CASE(planted_variants_are_found_at_the_precision_that_is_asked_for) {
  const rendered_folder made(true);
  fs::copy_file(made.photo("fish/fish-0003.jpg"), made.photo("gears/copy.jpg"));
  made.update();
  const auto report =
      must_run({"duplicates", "--index", made.index(), "--json", "--quiet", "--report", made.page()}).json();
  BOOST_TEST(report.at("precision") == 0.99);
  BOOST_TEST(report.at("no_estimate").is_null());
  BOOST_TEST(report.at("compared") == kPictures);
  const auto exact = links_of(report, true);
  BOOST_TEST_REQUIRE(exact.size() == 1u);
  BOOST_TEST(exact[0].first == "fish/fish-0003.jpg");
  BOOST_TEST(exact[0].second == "gears/copy.jpg");

  std::size_t right = 0;
  std::set<std::string> found;
  const auto near = links_of(report, false);
  for (const auto& [a, b] : near) {
    BOOST_TEST_CONTEXT(a << " and " << b) BOOST_TEST((original_of(a) == original_of(b)));
    if (original_of(a) == original_of(b)) ++right;
    for (const std::string& path : {a, b})
      if (is_variant(path)) found.insert(path);
  }
  BOOST_TEST(report.at("near_pairs") == near.size());
  BOOST_TEST(static_cast<double>(right) >= 0.99 * static_cast<double>(near.size()));
  BOOST_TEST(static_cast<double>(found.size()) >= 0.85 * static_cast<double>(made.variants()),
             found.size() << " of " << made.variants() << " variants");
  for (const char* kind : {"crop", "mirror", "brightness", "contrast", "blur", "low_quality", "resize"}) {
    const auto& entry = report.at("variants_found").at(kind);
    BOOST_TEST(entry.at("made") == 128);
    BOOST_TEST(entry.at("found").get<int>() >= 90, kind << " " << entry.dump());
  }
  for (const auto& group : report.at("groups"))
    for (const auto& link : group.at("links"))
      if (!link.at("exact"))
        BOOST_TEST((link.at("difference") <= report.at("max_difference") && link.at("precision") >= 0.99));
  BOOST_TEST(read_text(made.page()).find("copy.jpg") != std::string::npos);
  // How far below a thousandth of a pair says nothing to anybody.
  const bool is_tiny = report.at("expected_false").get<double>() < 0.001;
  BOOST_TEST(read_text(made.page()).find(is_tiny ? "(fewer than 0.001 expected to be wrong)" : "(at most ") !=
             std::string::npos);

  // Fewer, surer pairs; the same report again.
  const auto surer =
      must_run({"duplicates", "--index", made.index(), "--precision", "0.999", "--json", "--quiet"}).json();
  BOOST_TEST(surer.at("near_pairs") <= report.at("near_pairs"));
  BOOST_TEST(must_run({"duplicates", "--index", made.index(), "--json", "--quiet", "--threads", "1"}).json() == report);

  // A photo that has changed is skipped, and no longer called the same as what was its copy.
  write_text(made.photo("fish/fish-0003.jpg"), "no picture any more");
  const auto damaged = run_imgsim({"duplicates", "--index", made.index(), "--json", "--quiet"});
  BOOST_TEST(damaged.exit_code == 3);
  BOOST_TEST_REQUIRE(damaged.json().at("skipped").size() == 1u);
  BOOST_TEST(damaged.json().at("skipped")[0].at("path") == "fish/fish-0003.jpg");
  BOOST_TEST(links_of(damaged.json(), true).empty());
}

BOOST_AUTO_TEST_CASE(a_folder_without_duplicates_reports_none) {
  const rendered_folder made(false);
  const auto result = must_run({"duplicates", "--index", made.index(), "--json", "--quiet"}).json();
  BOOST_TEST(result.at("photos") == kPictures - made.variants());
  BOOST_TEST(result.at("no_estimate").is_null());
  BOOST_TEST(result.at("groups").empty(), result.at("groups").dump());
}

BOOST_AUTO_TEST_CASE(many_copies_of_each_photo_do_not_hide_how_close_others_come) {
  constexpr int kCopies = 10;  // more than the photos that each is compared with at first
  auto architecture = nlohmann::json::parse(kTinyArchitecture);
  architecture["embedding"]["mirror"] = true;  // a mirror image is near to nothing else either
  const rendered_folder made(false, architecture.dump());
  std::size_t originals = 0;
  for (const std::string& path : imgsim::sample_set::sample_set_paths(kPictures)) {
    if (is_variant(path)) continue;
    const fs::path photo = made.photo(path);
    if (++originals > 40) {
      fs::remove(photo);
      continue;
    }
    const imgsim::rgb_image image = imgsim::read_image(photo);
    for (int copy = 0; copy < kCopies; ++copy) {
      fs::path name = photo;
      name.replace_filename(photo.stem().string() + "-" + std::to_string(copy) + ".jpg");
      imgsim::write_file(name, imgsim::encode_jpeg(image.view(), 50 + 4 * copy));
    }
  }
  made.update();
  const auto report = must_run({"duplicates", "--index", made.index(), "--json", "--quiet"}).json();
  BOOST_TEST(report.at("no_estimate").is_null(), report.at("no_estimate").dump());
  const auto near = links_of(report, false);
  std::size_t right = 0;
  for (const auto& [a, b] : near)
    if (original_of(a) == original_of(b)) ++right;
  BOOST_TEST(static_cast<double>(right) >= 0.99 * static_cast<double>(near.size()));
  std::size_t copies = 0;
  for (const auto& group : report.at("groups")) copies += group.at("photos").size();
  BOOST_TEST(copies >= 40u * kCopies, copies << " photos in groups");
}

BOOST_AUTO_TEST_CASE(the_smallest_folders_have_exact_duplicates_alone) {
  for (const auto& photos : std::vector<std::vector<std::pair<std::size_t, std::uint64_t>>>{
           {{0, 1}}, {{0, 1}, {1, 1}}, {{0, 1}, {1, 1}, {2, 1}}}) {
    const auto report = report_of_photos(photos);
    BOOST_TEST(report.at("groups").empty());
    BOOST_TEST(report.at("no_estimate").is_string());
    BOOST_TEST(report.at("photos") == photos.size());
  }
  const auto same = report_of_photos({{0, 1}, {0, 1}, {0, 1}, {1, 4}});
  BOOST_TEST_REQUIRE(same.at("groups").size() == 1u);
  BOOST_TEST(same.at("groups").at(0).at("exact") == true);
  BOOST_TEST(same.at("groups").at(0).at("photos").size() == 3u);
  const auto all_same = report_of_photos(std::vector<std::pair<std::size_t, std::uint64_t>>(20, {2, 5}));
  BOOST_TEST_REQUIRE(all_same.at("groups").size() == 1u);
  BOOST_TEST(all_same.at("groups").at(0).at("photos").size() == 20u);
  BOOST_TEST(all_same.at("near_pairs") == 0);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_done_is_told) {
  const trained_folder& made = shared_folder();
  for (const char* precision : {"0.2", "1", "all"})
    BOOST_TEST(run_imgsim({"duplicates", "--index", made.index(), "--precision", precision}).exit_code == 2);
  BOOST_TEST(run_imgsim({"duplicates"}).exit_code == 2);
  BOOST_TEST(run_imgsim({"duplicates", "--index", "/nowhere/idx"}).exit_code == 1);
  const trained_folder moved;
  fs::rename(moved.photos(), moved.photos() + "-elsewhere");
  const auto gone = run_imgsim({"duplicates", "--index", moved.index()});
  BOOST_TEST(gone.exit_code == 1);
  BOOST_TEST(gone.err.find(moved.photos()) != std::string::npos, gone.err);
  const auto within = run_imgsim({"duplicates", "--index", made.index(), "--report", made.photo("page.html")});
  BOOST_TEST(within.exit_code == 1);
  BOOST_TEST(within.err.find("the folder of the photos") != std::string::npos, within.err);
}

BOOST_AUTO_TEST_SUITE_END()
