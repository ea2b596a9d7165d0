// choose-k, cluster, predict and evaluate.
#include <filesystem>
#include <set>
#include <string>

#include <boost/test/unit_test.hpp>

#include "cli/trained_folder.hpp"

using namespace imgsim_test;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t kPhotos = kLabels * kPhotosOfLabel;

/// Checks the contract of k_groups.json.
void check_groups(const nlohmann::json& groups, std::size_t k, const std::string& method) {
  for (const char* field : {"k", "method", "cost", "seed", "medoids", "clusters", "paths"})
    BOOST_TEST_REQUIRE(groups.contains(field), field);
  BOOST_TEST(groups.at("k") == k);
  BOOST_TEST(groups.at("method") == method);
  BOOST_TEST_REQUIRE(groups.at("medoids").size() == k);
  BOOST_TEST_REQUIRE(groups.at("clusters").size() == k);
  BOOST_TEST(groups.at("paths").size() == kPhotos);
  std::set<std::size_t> rows;
  for (std::size_t g = 0; g < k; ++g) {
    const auto cluster = groups.at("clusters").at(g).get<std::vector<std::size_t>>();
    rows.insert(cluster.begin(), cluster.end());
    BOOST_TEST(
        (std::find(cluster.begin(), cluster.end(), groups.at("medoids").at(g).get<std::size_t>()) != cluster.end()));
  }
  BOOST_TEST(rows.size() == kPhotos);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(groups)

BOOST_AUTO_TEST_CASE(cluster_prints_and_writes_k_groups_and_a_contact_sheet) {
  const trained_folder made;
  const temporary_folder folder;
  const std::string out = (folder.path() / "out").string();
  const auto printed =
      must_run({"cluster", "--index", made.index(), "-k", "3", "--out", out, "--json", "--seed", "5"}).json();
  check_groups(printed, 3, "k-medoids");
  BOOST_TEST(printed.at("seed") == 5);
  BOOST_TEST(nlohmann::json::parse(read_text(out + "/k_groups.json")) == printed);
  BOOST_TEST(read_text(out + "/contact_sheet.png").starts_with("\x89PNG"));
  BOOST_TEST(must_run({"verify", made.index(), "--json"}).json().at("sound") == true);
}

BOOST_AUTO_TEST_CASE(photos_of_the_index_are_predicted_into_their_own_groups) {
  const trained_folder made;
  for (const std::string method : {"k-medoids", "k-means"}) {
    const auto groups = must_run({"cluster", "--index", made.index(), "-k", "3", "--method", method, "--json"}).json();
    check_groups(groups, 3, method);
    for (std::size_t g = 0; g < 3; ++g) {
      const std::string medoid = groups.at("paths").at(groups.at("medoids").at(g).get<std::size_t>());
      const auto predicted = must_run({"predict", "--index", made.index(), made.photo(medoid), "--json"}).json();
      BOOST_TEST(predicted.at("method") == method);
      BOOST_TEST(predicted.at("results").at(0).at("group") == g);
      BOOST_TEST(predicted.at("results").at(0).at("medoid_path") == medoid);
    }
  }
}

BOOST_AUTO_TEST_CASE(predict_without_groups_says_how_to_make_them) {
  const auto result = run_imgsim({"predict", "--index", shared_folder().index(), shared_folder().photo("red/0.png")});
  BOOST_TEST(result.exit_code == 1);
  BOOST_TEST(result.err.find("imgsim cluster") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(k_is_chosen_on_request_and_k_beyond_the_photos_is_refused) {
  const trained_folder made;
  const auto groups = must_run({"cluster", "--index", made.index(), "-k", "auto", "--json"}).json();
  check_groups(groups, groups.at("k"), "k-medoids");
  BOOST_TEST(groups.at("k").get<std::size_t>() >= 2u);
  const auto refused = run_imgsim({"cluster", "--index", made.index(), "-k", "25"});
  BOOST_TEST(refused.exit_code == 2);
  BOOST_TEST(refused.err.starts_with("imgsim cluster: -k 25 is more than the 24 photos of the index\n"), refused.err);
  check_groups(must_run({"cluster", "--index", made.index(), "-k", "24", "--json"}).json(), 24, "k-medoids");
}

BOOST_AUTO_TEST_CASE(choose_k_and_cluster_auto_recommend_the_same_k) {
  const trained_folder made;
  for (const char* seed : {"0", "4"}) {
    const auto chosen = must_run({"choose-k", "--index", made.index(), "--json", "--seed", seed}).json();
    BOOST_TEST(chosen.at("curve").back().at("k") == kPhotos / 2 + 1);
    const auto groups = must_run({"cluster", "--index", made.index(), "-k", "auto", "--json", "--seed", seed}).json();
    BOOST_TEST(groups.at("k") == chosen.at("recommended_k"));
    // The groups begin with the medoids of the curve: without a swap they are as good.
    const auto kept =
        must_run({"cluster", "--index", made.index(), "-k", "auto", "--max-swaps", "0", "--json", "--seed", seed})
            .json();
    const double cost = chosen.at("curve").at(kept.at("k").get<std::size_t>() - 2).at("cost");
    BOOST_TEST(kept.at("cost").get<double>() <= cost * (1 + 1e-6));
  }
  const auto beyond = must_run({"choose-k", "--index", made.index(), "--k-min", "20", "--json"}).json();
  BOOST_TEST(beyond.at("curve").size() == 1u);
  const auto refused = run_imgsim({"choose-k", "--index", made.index(), "--k-min", "25"});
  BOOST_TEST(refused.exit_code == 2);
  BOOST_TEST(refused.err.starts_with("imgsim choose-k: --k-min 25 is more than the 24 photos of the index\n"));
}

BOOST_AUTO_TEST_CASE(k_means_follows_batches) {
  const trained_folder made;
  const auto groups = [&](const std::string& sample) {
    return must_run(
               {"cluster", "--index", made.index(), "-k", "3", "--method", "k-means", "--sample", sample, "--json"})
        .json();
  };
  const auto whole = groups("off"), batched = groups("5");
  check_groups(batched, 3, "k-means");
  BOOST_TEST(whole == groups("auto"));
  BOOST_TEST(batched.at("cost").get<double>() <= 1.2 * whole.at("cost").get<double>());
}

BOOST_AUTO_TEST_CASE(k_means_makes_no_more_groups_than_there_are_different_photos) {
  const trained_folder made;
  const temporary_folder folder;
  const fs::path photos = folder.path() / "photos";
  fs::create_directories(photos);
  for (const std::string colour : {"red", "green", "blue"}) {
    for (const std::string copy : {"1", "2", "3"})
      fs::copy(made.photo(colour + "/0.png"), photos / (colour + copy + ".png"));
  }
  const std::string index = (folder.path() / "idx").string();
  static_cast<void>(must_run({"index", "--images", photos.string(), "--model", made.model(), "--index", index}));
  for (const std::string metric : {"cosine", "euclidean"}) {
    const auto result =
        must_run({"cluster", "--index", index, "-k", "7", "--method", "k-means", "--metric", metric, "--json"});
    const auto groups = result.json();
    BOOST_TEST(groups.at("k") == 3);
    BOOST_TEST(result.err.find("3 groups in place of 7: ") != std::string::npos, result.err);
    for (const auto& cluster : groups.at("clusters")) BOOST_TEST(cluster.size() == 3u);
    BOOST_TEST(must_run({"verify", index, "--json"}).json().at("sound") == true);
    const auto predicted = must_run({"predict", "--index", index, (photos / "red2.png").string(), "--json"}).json();
    BOOST_TEST(predicted.at("results").at(0).at("size") == 3);
    BOOST_TEST(predicted.at("results").at(0).at("medoid_path").get<std::string>().starts_with("red"));
  }
}

BOOST_AUTO_TEST_CASE(choose_k_prints_a_falling_curve_and_writes_csv_json_and_svg) {
  const trained_folder& made = shared_folder();
  const temporary_folder folder;
  const std::string out = (folder.path() / "curve").string();
  const auto result =
      must_run({"choose-k", "--index", made.index(), "--k-min", "2", "--k-max", "8", "--out", out, "--json"}).json();
  BOOST_TEST_REQUIRE(result.at("curve").size() == 7u);
  for (std::size_t i = 1; i < 7; ++i)
    BOOST_TEST(result.at("curve").at(i).at("cost").get<double>() <=
               result.at("curve").at(i - 1).at("cost").get<double>());
  for (const char* field : {"recommended_k", "verdict", "elbow_k", "best_silhouette_k", "seed"})
    BOOST_TEST(result.contains(field), field);
  BOOST_TEST(nlohmann::json::parse(read_text(out + "/choose_k.json")) == result);
  BOOST_TEST(read_text(out + "/choose_k.csv")
                 .starts_with("k,cost,sum_of_squares,medoid_silhouette,calinski_harabasz,davies_bouldin,"
                              "silhouette_dynmsc\n2,"));
  BOOST_TEST(read_text(out + "/choose_k.svg").find(">medoid silhouette<") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(choose_k_says_what_each_criterion_finds_and_how_stable_it_is) {
  const trained_folder& made = shared_folder();
  const auto result = must_run({"choose-k", "--index", made.index(), "--k-max", "8", "--json"}).json();
  const auto& curve = result.at("curve");
  const auto best = [&](const char* field, bool largest) {
    std::size_t at = 0;
    for (std::size_t i = 1; i < curve.size(); ++i) {
      const double change = curve[i].at(field).get<double>() - curve[at].at(field).get<double>();
      if (largest ? change > 0 : change < 0) at = i;
    }
    return curve[at].at("k");
  };
  BOOST_TEST(result.at("best_silhouette_k") == best("medoid_silhouette", true));
  BOOST_TEST(result.at("best_calinski_harabasz_k") == best("calinski_harabasz", true));
  BOOST_TEST(result.at("best_davies_bouldin_k") == best("davies_bouldin", false));
  // Three colours.
  BOOST_TEST(result.at("gap").at("has_structure") == true);
  BOOST_TEST(result.at("gap").at("p_value").get<double>() == 1.0 / 21);
  BOOST_TEST(result.at("photos") == kPhotos);
  std::set<std::size_t> judged;
  for (const auto& one : result.at("stability")) {
    judged.insert(one.at("k").get<std::size_t>());
    BOOST_TEST(one.at("adjusted_rand_index").get<double>() <= 1.0);
    BOOST_TEST(one.at("least").get<double>() <= one.at("adjusted_rand_index").get<double>());
  }
  for (const char* field : {"recommended_k", "best_silhouette_k", "best_calinski_harabasz_k", "best_davies_bouldin_k"})
    BOOST_TEST(judged.contains(result.at(field).get<std::size_t>()), field);

  const std::string text = must_run({"choose-k", "--index", made.index(), "--k-max", "8"}).out;
  for (const char* part : {"\nelbow (Kneedle)", "\nmedoid silhouette ", "\nCalinski-Harabasz ", "\nDavies-Bouldin ",
                           "  structure, p = 0.05", "\nrecommended ", "stability", "\ntake K = "})
    BOOST_TEST(text.find(part) != std::string::npos, part << " in " << text);
}

BOOST_AUTO_TEST_CASE(photos_that_differ_by_chance_have_no_cluster_structure) {
  const trained_folder made;
  const temporary_folder folder;
  const std::string photos = (folder.path() / "photos").string(), index = (folder.path() / "idx").string();
  fs::create_directories(photos);
  for (std::uint64_t i = 0; i < 40; ++i) {
    imgsim::random_stream random(i);
    imgsim::rgb_image noise{.width = 32, .height = 32, .pixels = {}};
    for (int value = 0; value < 32 * 32 * 3; ++value) noise.pixels.push_back(static_cast<std::uint8_t>(random.next()));
    imgsim::write_file(photos + "/" + std::to_string(i) + ".png", imgsim::encode_png(noise.view()));
  }
  static_cast<void>(must_run({"index", "--images", photos, "--model", made.model(), "--index", index}));
  const auto chosen = must_run({"choose-k", "--index", index, "--json"}).json();
  BOOST_TEST(chosen.at("verdict") == "no cluster structure");
  BOOST_TEST(chosen.at("clear") == false);
  BOOST_TEST(chosen.at("gap").at("has_structure") == false);
  BOOST_TEST(chosen.at("gap").at("p_value").get<double>() > 0.05);
  BOOST_TEST(chosen.at("reason").get<std::string>().starts_with("Photos spread evenly gain as much "));
  BOOST_TEST(
      must_run({"choose-k", "--index", index}).out.find("\nif the photos are to be grouped all the same, take K") !=
      std::string::npos);
  const auto grouped = must_run({"cluster", "--index", index, "-k", "auto", "--json"});
  BOOST_TEST(
      grouped.err.find("no cluster structure; taking K = " + chosen.at("recommended_k").dump()) != std::string::npos,
      grouped.err);
}

BOOST_AUTO_TEST_CASE(one_photo_leaves_nothing_to_choose) {
  const trained_folder made;
  const temporary_folder folder;
  const std::string photos = (folder.path() / "photos").string(), index = (folder.path() / "idx").string();
  write_photo(photos + "/one.png", 0, 1);
  static_cast<void>(must_run({"index", "--images", photos, "--model", made.model(), "--index", index}));
  const auto one = must_run({"choose-k", "--index", index, "--json"}).json();
  BOOST_TEST(one.at("recommended_k") == 1);
  BOOST_TEST(one.at("verdict") == "too few to choose");
  BOOST_TEST(one.at("curve").size() == 1u);
  BOOST_TEST(run_imgsim({"choose-k", "--index", index, "--k-min", "2"}).exit_code == 2);
  BOOST_TEST(must_run({"query", "--index", index, "--id", "0"}).out.find("the index holds no other photo") !=
             std::string::npos);
  BOOST_TEST(must_run({"cluster", "--index", index, "-k", "auto", "--json"}).json().at("k") == 1);
  write_photo(photos + "/two.png", 1, 2);
  static_cast<void>(must_run({"index", "--images", photos, "--model", made.model(), "--index", index}));
  const auto two = must_run({"choose-k", "--index", index, "--json"}).json();
  BOOST_TEST(two.at("recommended_k") == 1);
  BOOST_TEST(two.at("verdict") == "too few to choose");
  for (const char* method : {"k-medoids", "k-means", "silhouette"})
    BOOST_TEST(must_run({"cluster", "--index", index, "-k", "auto", "--method", method, "--json"}).json().at("k") == 1);
}

BOOST_AUTO_TEST_CASE(photos_that_are_the_same_make_one_group) {
  const trained_folder made;
  const temporary_folder folder;
  const std::string photos = (folder.path() / "photos").string(), index = (folder.path() / "idx").string();
  for (int i = 0; i < 12; ++i) write_photo(photos + "/" + std::to_string(i) + ".png", 1, 7);
  static_cast<void>(must_run({"index", "--images", photos, "--model", made.model(), "--index", index}));
  const auto chosen = must_run({"choose-k", "--index", index, "--json"}).json();
  BOOST_TEST(chosen.at("recommended_k") == 1);
  BOOST_TEST(chosen.at("verdict") == "no cluster structure");
  BOOST_TEST(chosen.at("elbow").is_null());
  const std::string text = must_run({"choose-k", "--index", index}).out;
  BOOST_TEST(text.find("elbow") == std::string::npos, text);
  BOOST_TEST(text.find("\nno cluster structure: All lie in one place") != std::string::npos, text);
  for (const char* method : {"k-medoids", "k-means", "silhouette"})
    BOOST_TEST(must_run({"cluster", "--index", index, "-k", "auto", "--method", method, "--json"}).json().at("k") == 1);
  const std::string three = must_run({"cluster", "--index", index, "-k", "3"}).out;
  BOOST_TEST(three.find("hardest to tell apart: groups 0 and 1, whose medoids are the same") != std::string::npos,
             three);
}

BOOST_AUTO_TEST_CASE(what_is_said_of_structure_and_of_one_k_agrees) {
  const trained_folder& made = shared_folder();
  for (const auto& [low, high] : {std::pair{"3", "3"}, {"2", "24"}, {"2", "5"}, {"9", "20"}}) {
    const auto chosen =
        must_run({"choose-k", "--index", made.index(), "--k-min", low, "--k-max", high, "--json"}).json();
    const std::string reason = chosen.at("reason"), verdict = chosen.at("verdict");
    BOOST_TEST_CONTEXT(verdict << ": " << reason) {
      BOOST_TEST(chosen.at("gap").at("has_structure") == true);
      BOOST_TEST(chosen.at("gap").at("curve").back().at("k").get<int>() <= std::stoi(high));
      BOOST_TEST(reason.find("without groups") == std::string::npos);
      BOOST_TEST(
          ((reason.find("There are groups all the same") == std::string::npos) == chosen.at("clear").get<bool>()));
      BOOST_TEST((verdict == "only K = 3 was tried") == (std::string(low) == high));
    }
  }
}

BOOST_AUTO_TEST_CASE(medoids_are_chosen_for_the_silhouette) {
  const trained_folder made;
  const auto chosen = must_run({"choose-k", "--index", made.index(), "--json"}).json();
  const auto& curve = chosen.at("silhouettes").at("curve");
  // Groups of one photo each are as well separated as can be: they are not looked for.
  BOOST_TEST_REQUIRE(curve.back().at("k") == kPhotos / 2);
  const std::string text = must_run({"choose-k", "--index", made.index()}).out;
  BOOST_TEST(text.find("medoid silhouette up to K = 12 ") != std::string::npos, text);
  BOOST_TEST(text.find("(DynMSC) up to K = 12 ") != std::string::npos, text);
  const auto all = must_run({"choose-k", "--index", made.index(), "--k-max", "24", "--json"}).json();
  BOOST_TEST(all.at("silhouettes").at("best_k") == chosen.at("silhouettes").at("best_k"));
  double best = -1;
  for (std::size_t i = 0; i < curve.size(); ++i) {
    const double here = curve[i].at("medoid_silhouette");
    best = std::max(best, here);
    BOOST_TEST(curve[i].at("k") == chosen.at("curve")[i].at("k"));
    BOOST_TEST(curve[i].at("medoids").size() == curve[i].at("k").get<std::size_t>());
  }
  const auto automatic =
      must_run({"cluster", "--index", made.index(), "-k", "auto", "--method", "silhouette", "--json"});
  const auto groups = automatic.json();
  check_groups(groups, chosen.at("silhouettes").at("best_k"), "silhouette");
  BOOST_TEST(groups.at("medoid_silhouette").get<double>() == best);
  const bool is_limit = groups.at("k") == curve.back().at("k");
  BOOST_TEST(automatic.err.find("the medoid silhouette is largest at K = " + groups.at("k").dump() +
                                (is_limit ? ", the most that was tried" : "\n")) != std::string::npos,
             automatic.err);
  const std::string medoid = groups.at("paths").at(groups.at("medoids").at(1).get<std::size_t>());
  const auto predicted = must_run({"predict", "--index", made.index(), made.photo(medoid), "--json"}).json();
  BOOST_TEST(predicted.at("results").at(0).at("group") == 1);
  const auto three = must_run({"cluster", "--index", made.index(), "-k", "3", "--method", "silhouette", "--json"});
  check_groups(three.json(), 3, "silhouette");
  // No other medoids do better by the silhouette than those chosen for it, which is what the other method shows.
  BOOST_TEST(three.json().at("medoid_silhouette").get<double>() >=
             chosen.at("curve").at(1).at("medoid_silhouette").get<double>() - 1e-9);
  for (const std::string k : {"1", "24"})
    BOOST_TEST(run_imgsim({"cluster", "--index", made.index(), "-k", k, "--method", "silhouette"}).exit_code == 2);
  BOOST_TEST(run_imgsim({"cluster", "--index", made.index(), "-k", "3", "--method", "silhouette", "--sample", "9"})
                 .exit_code == 2);
}

BOOST_AUTO_TEST_CASE(the_report_shows_the_curve_that_k_was_chosen_from) {
  const trained_folder made;
  const temporary_folder folder;
  const std::string out = folder.path().string();
  static_cast<void>(must_run({"cluster", "--index", made.index(), "-k", "auto", "--out", out, "--outliers", "0.05"}));
  const std::string page = read_text(out + "/report.html");
  for (const char* part : {">How many groups?</h2>", "<svg", ">recommended<", ">medoid</span>", ">Outliers</h2>",
                           "outliers: ", ">stability<", "(DynMSC)"})
    BOOST_TEST(page.find(part) != std::string::npos, part);
  static_cast<void>(must_run({"cluster", "--index", made.index(), "-k", "3", "--out", out}));
  BOOST_TEST(read_text(out + "/report.html").find("How many groups?") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(evaluate_reports_the_index_beside_baselines) {
  const trained_folder& made = shared_folder();
  const auto result = must_run({"evaluate", "--index", made.index(), "--labels", "folder", "-n", "7", "--json"}).json();
  BOOST_TEST(result.at("n") == 7);
  BOOST_TEST(result.at("precision_at_n").get<double>() > result.at("chance").get<double>());
  BOOST_TEST(result.at("map").get<double>() > 0.0);
  BOOST_TEST(result.at("by_label").size() == kLabels);
  for (const char* name : {"raw_pixels", "thumbnail_16x16", "colour_histogram", "pca"}) {
    BOOST_TEST_REQUIRE(result.at("baselines").contains(name), name);
    BOOST_TEST(result.at("baselines").at(name).contains("precision_at_n"));
    BOOST_TEST(result.at("baselines").at(name).contains("map"));
  }
  // Colour tells these photos apart without fail.
  BOOST_TEST(result.at("baselines").at("raw_pixels").at("map").get<double>() > 0.9);
}

BOOST_AUTO_TEST_CASE(labels_come_from_a_csv_file_too) {
  const trained_folder& made = shared_folder();
  const temporary_folder folder;
  const std::string csv = (folder.path() / "labels.csv").string();
  write_text(csv, "path,label\nred/0.png,\"a,b\"\r\nred/1.png,\"a,b\"\nblue/0.png,c\nblue/1.png,c\n");
  const auto result =
      must_run({"evaluate", "--index", made.index(), "--labels", csv, "-n", "1", "--no-baselines", "--json"}).json();
  BOOST_TEST(result.at("photos") == 4);
  BOOST_TEST(result.at("by_label").contains("a,b"));
  BOOST_TEST(result.at("baselines").empty());
  // As a spreadsheet writes it: no header, and a byte order mark before the first path.
  write_text(csv, "\xef\xbb\xbfred/0.png,a\r\nred/1.png,a\r\nblue/0.png,c\r\nblue/1.png,c\r\n");
  BOOST_TEST(must_run({"evaluate", "--index", made.index(), "--labels", csv, "-n", "1", "--no-baselines", "--json"})
                 .json()
                 .at("photos") == 4);
  // A first line that names neither a photo nor the two fields is a mistake, not a header.
  for (const std::string header : {"path,label", "File,Class", "IMAGE,category"}) {
    write_text(csv, header + "\nred/0.png,a\nred/1.png,a\nblue/0.png,c\nblue/1.png,c\n");
    BOOST_TEST(must_run({"evaluate", "--index", made.index(), "--labels", csv, "-n", "1", "--no-baselines", "--json"})
                   .json()
                   .at("photos") == 4);
  }
  for (const std::string bad : {"path,label\nnowhere.png,x\n", "rde/0.png,a\nred/1.png,a\nblue/0.png,c\n",
                                "red/0.png,x\nred/0.png,y\n", "red/0.png\n", "red/0.png,\"x\n"}) {
    write_text(csv, bad);
    const auto refused = run_imgsim({"evaluate", "--index", made.index(), "--labels", csv});
    BOOST_TEST(refused.exit_code == 1, bad);
    BOOST_TEST(refused.err.find("labels.csv: record ") != std::string::npos, refused.err);
  }
}

BOOST_AUTO_TEST_CASE(labels_of_photos_that_the_index_skipped_are_passed_over) {
  const trained_folder made;
  const temporary_folder folder;
  write_text(made.photo("red/broken.png"), "\x89PNG and no more");
  static_cast<void>(run_imgsim({"index", "--images", made.photos(), "--model", made.model(), "--index", made.index()}));
  const std::string csv = (folder.path() / "labels.csv").string();
  write_text(csv, "red/broken.png,a\nred/0.png,a\nred/1.png,a\nblue/0.png,c\nblue/1.png,c\n");
  const auto result =
      must_run({"evaluate", "--index", made.index(), "--labels", csv, "-n", "1", "--no-baselines", "--json"});
  BOOST_TEST(result.json().at("photos") == 4);
  BOOST_TEST(result.err.find("labels of 1 photo that the index skipped are passed over, the first of red/broken.png") !=
                 std::string::npos,
             result.err);
}

BOOST_AUTO_TEST_SUITE_END()
