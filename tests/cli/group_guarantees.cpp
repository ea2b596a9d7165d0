// cluster: groups of a guaranteed distance, outliers, the bound of the cost, and how K-medoids is made to search.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <imgsim/core/number_text.hpp>
#include <imgsim/embedding/photo_index.hpp>
#include <imgsim/report/number.hpp>

#include "cli/shell.hpp"
#include "cli/trained_folder.hpp"

using namespace imgsim_test;
namespace fs = std::filesystem;

BOOST_AUTO_TEST_SUITE(group_guarantees)

namespace {

constexpr std::size_t kPhotos = kLabels * kPhotosOfLabel;

/// Cosine distances between the photos of an index, from the file of its embeddings.
class photo_distances {
 public:
  explicit photo_distances(const std::string& index) : index_(imgsim::photo_index::open(index)) {}

  double operator()(std::size_t a, std::size_t b) const {
    double product = 0, square_a = 0, square_b = 0;
    for (std::size_t i = 0; i < index_.dimension(); ++i) {
      const double x = index_.embeddings()(a, i), y = index_.embeddings()(b, i);
      product += x * y;
      square_a += x * x;
      square_b += y * y;
    }
    return 1 - product / std::sqrt(square_a * square_b);
  }

 private:
  imgsim::photo_index index_;
};

/// calls check(row, distance to its medoid) for each member.
template <class Check>
void for_each_member(const nlohmann::json& groups, const photo_distances& distance, Check&& check) {
  for (std::size_t g = 0; g < groups.at("clusters").size(); ++g) {
    const auto medoid = groups.at("medoids").at(g).get<std::size_t>();
    for (const auto& row : groups.at("clusters").at(g))
      check(row.get<std::size_t>(), distance(row.get<std::size_t>(), medoid));
  }
}

constexpr double kRounding = 1e-6;

}  // namespace

BOOST_AUTO_TEST_CASE(every_photo_lies_within_the_distance) {
  const trained_folder made;
  const photo_distances distance(made.index());
  std::size_t previous = kPhotos + 1;
  for (const std::string most : {"0", "0.2", "0.5", "3"}) {
    const auto groups = must_run({"cluster", "--index", made.index(), "--max-distance", most, "--json"}).json();
    BOOST_TEST(groups.at("method") == "cover");
    BOOST_TEST(groups.at("max_distance") == std::stod(most));
    std::size_t members = 0;
    double farthest = 0;
    for_each_member(groups, distance, [&](std::size_t, double d) {
      ++members;
      farthest = std::max(farthest, d);
    });
    BOOST_TEST(members == kPhotos);
    BOOST_TEST(farthest <= std::stod(most) + kRounding);
    BOOST_TEST(std::abs(groups.at("weakest_member").at("distance").get<double>() - farthest) <= kRounding);
    BOOST_TEST(groups.at("k").get<std::size_t>() < previous);
    previous = groups.at("k").get<std::size_t>();
    BOOST_TEST(groups.at("least_k") <= previous);
    BOOST_TEST(groups.at("least_k") >= (most == "0" ? kPhotos : 1u));
    BOOST_TEST(must_run({"verify", made.index(), "--json"}).json().at("sound") == true);
  }
  BOOST_TEST(previous == 1u);
  const std::string text = must_run({"cluster", "--index", made.index(), "--max-distance", "0.5"}).out;
  for (const char* part :
       {"every photo lies within 0.5 of its medoid, ", "\nweakest member: ", "\nhardest to tell apart"})
    BOOST_TEST(text.find(part) != std::string::npos, text);
  // A new photo need not be within the distance.
  const temporary_folder folder;
  write_photo(folder.path() / "new.png", 1, 99);
  const std::string stranger = (folder.path() / "new.png").string();
  for (const std::string most : {"0.0001", "1.9"}) {
    static_cast<void>(must_run({"cluster", "--index", made.index(), "--max-distance", most}));
    const auto predicted =
        must_run({"predict", "--index", made.index(), stranger, made.photo("red/0.png"), "--json"}).json();
    BOOST_TEST(predicted.at("method") == "cover");
    BOOST_TEST(predicted.at("results").at(0).at("outlier") == (most != "1.9"));
    BOOST_TEST(predicted.at("results").at(1).at("outlier") == false);
  }
}

BOOST_AUTO_TEST_CASE(outliers_are_listed_kept_apart_and_predicted) {
  const trained_folder made;
  const photo_distances distance(made.index());
  const temporary_folder folder;
  for (const std::string method : {"k-medoids", "k-means"}) {
    const fs::path out = folder.path() / method;
    const std::vector<std::string> line{"cluster", "--index", made.index(), "-k",          "3",   "--method",
                                        method,    "--out",   out,          "--partition", "copy"};
    // Half of the photos lie beyond the median distance.
    std::vector<double> reach;
    for_each_member(must_run({"cluster", "--index", made.index(), "-k", "3", "--json"}).json(), distance,
                    [&](std::size_t, double d) { reach.push_back(d); });
    std::ranges::sort(reach);
    const std::string most = std::to_string(reach[kPhotos / 2] / (method == "k-means" ? 1.5 : 1));
    auto with = line;
    with.insert(with.end(), {"--outliers", most});
    const auto printed = must_run(with);
    const std::string count = "outliers: ";
    BOOST_TEST(printed.out.find(count) != std::string::npos, printed.out);

    const auto groups = nlohmann::json::parse(read_text(out / "k_groups.json"));
    const auto outliers = groups.at("outliers").get<std::vector<std::size_t>>();
    BOOST_TEST_REQUIRE(!outliers.empty());
    std::set<std::size_t> rows(outliers.begin(), outliers.end());
    for_each_member(groups, distance, [&](std::size_t row, double d) {
      BOOST_TEST(rows.insert(row).second);
      if (method == "k-medoids") BOOST_TEST(d <= std::stod(most) + kRounding);
    });
    BOOST_TEST(rows.size() == kPhotos);
    if (method == "k-medoids")
      for (const std::size_t row : outliers)
        for (const auto& medoid : groups.at("medoids"))
          BOOST_TEST(distance(row, medoid.get<std::size_t>()) > std::stod(most) - kRounding);
    BOOST_TEST(must_run({"verify", made.index(), "--json"}).json().at("sound") == true);

    std::size_t placed = 0;
    for (const auto& entry : fs::directory_iterator(out / "groups" / "outliers")) placed += entry.is_regular_file();
    BOOST_TEST(placed == outliers.size());
    // The medoid of k-means stays in its group however far from the centroid it lies.
    const auto member = groups.at("medoids").at(0).get<std::size_t>();
    for (const std::size_t row : {outliers.front(), outliers.back(), method == "k-medoids" ? member : outliers[0]}) {
      const std::string photo = made.photo(groups.at("paths").at(row));
      const auto predicted = must_run({"predict", "--index", made.index(), photo, "--json"}).json();
      BOOST_TEST(predicted.at("results").at(0).at("outlier") == std::ranges::binary_search(outliers, row));
    }
    BOOST_TEST(must_run({"predict", "--index", made.index(), made.photo("red/0.png")}).out.find("outlier") !=
               std::string::npos);

    const auto refused = run_imgsim(line);
    BOOST_TEST(refused.exit_code == 1);
    BOOST_TEST(refused.err.find("(outlier_distance " + groups.at("outlier_distance").dump() + ", now none)") !=
                   std::string::npos,
               refused.err);
  }
  // Without the option there is no such thing.
  const auto plain = must_run({"cluster", "--index", made.index(), "-k", "3", "--json"}).json();
  BOOST_TEST(!plain.contains("outliers"));
  const auto predicted = must_run({"predict", "--index", made.index(), made.photo("red/0.png"), "--json"}).json();
  BOOST_TEST(predicted.at("results").at(0).at("outlier") == false);
}

BOOST_AUTO_TEST_CASE(at_the_very_distance_of_a_member_predict_judges_as_cluster_did) {
  const trained_folder made;
  for (const std::string metric : {"cosine", "euclidean"}) {
    const std::vector<std::string> line{"cluster", "--index", made.index(), "-k", "12", "--metric", metric, "--json"};
    // The farthest member's distance, then that of the farthest one that it leaves, and so on.
    std::string most = "1000";
    for (std::size_t left_out = 0; left_out < 16; ++left_out) {
      auto limited = line;
      limited.insert(limited.end(), {"--outliers", most});
      const auto groups = must_run(limited).json();
      const auto outliers = groups.at("outliers").get<std::vector<std::size_t>>();
      BOOST_TEST_CONTEXT(metric << ", " << most) {
        std::vector<std::string> asked{"predict", "--index", made.index(), "--json"};
        for (const auto& path : groups.at("paths")) asked.push_back(made.photo(path));
        const auto predicted = must_run(asked).json().at("results");
        for (std::size_t row = 0; row < kPhotos; ++row)
          BOOST_TEST(predicted.at(row).at("outlier") == std::ranges::binary_search(outliers, row), "row " << row);
      }
      const auto farthest = groups.at("weakest_member").at("distance").get<float>();
      // Alternately the distance itself, at which the photo stays, and the float below, at which it goes.
      const float next = left_out % 2 == 0 ? farthest : std::nextafter(farthest, 0.0f);
      if (left_out % 2 == 1) BOOST_TEST(imgsim::number_text(static_cast<double>(farthest)) == most);
      most = imgsim::number_text(static_cast<double>(next));
    }
  }
}

BOOST_AUTO_TEST_CASE(the_cost_stands_beside_its_bound) {
  const trained_folder made;
  const photo_distances distance(made.index());
  for (const std::string k : {"1", "3", "9"}) {
    const auto groups = must_run({"cluster", "--index", made.index(), "-k", k, "--json"}).json();
    double cost = 0;
    for_each_member(groups, distance, [&](std::size_t, double d) { cost += d; });
    BOOST_TEST(std::abs(groups.at("cost").get<double>() - cost) <= 24 * kRounding);
    BOOST_TEST(groups.at("starts") == 5);
    BOOST_TEST(groups.at("lower_bound").get<double>() <= groups.at("cost").get<double>());
    BOOST_TEST(groups.at("lower_bound").get<double>() >= 0.9 * groups.at("cost").get<double>());
  }
  BOOST_TEST(must_run({"cluster", "--index", made.index(), "-k", "24"}).out.find("cost 0, the best possible, seed 0") !=
             std::string::npos);
  const std::string text = must_run({"cluster", "--index", made.index(), "-k", "9"}).out;
  BOOST_TEST((text.find(" % above the best possible, seed 0, the best of 5 starts\n") != std::string::npos ||
              text.find(", the best possible, seed 0, the best of 5 starts\n") != std::string::npos),
             text);
}

BOOST_AUTO_TEST_CASE(samples_are_compared_on_request) {
  const trained_folder made;
  const auto groups = must_run({"cluster", "--index", made.index(), "-k", "3", "--sample", "12", "--json"}).json();
  BOOST_TEST(groups.at("sample").at("photos") == 12);
  BOOST_TEST(!groups.contains("lower_bound"));
  BOOST_TEST(!groups.contains("starts"));
  const auto whole = must_run({"cluster", "--index", made.index(), "-k", "3", "--restarts", "5", "--json"}).json();
  BOOST_TEST(groups.at("cost").get<double>() >= whole.at("lower_bound").get<double>());
  BOOST_TEST(groups.at("cost").get<double>() <= 1.2 * whole.at("cost").get<double>());
  BOOST_TEST(must_run({"cluster", "--index", made.index(), "-k", "3", "--sample", "12"})
                 .out.find(" in a sample of 12 photos, no medoids of which have less than 0.") != std::string::npos);
  const auto& sample = groups.at("sample");
  BOOST_TEST(sample.at("lower_bound").get<double>() <= sample.at("mean_distance").get<double>());
  BOOST_TEST(sample.at("lower_bound").get<double>() >= 0.5 * sample.at("mean_distance").get<double>());
  // A sample of everything is no sample.
  BOOST_TEST(must_run({"cluster", "--index", made.index(), "-k", "3", "--sample", "99", "--json"})
                 .json()
                 .contains("lower_bound"));
  const auto refused = run_imgsim({"cluster", "--index", made.index(), "-k", "3", "--sample", "2"});
  BOOST_TEST(refused.exit_code == 2);
  BOOST_TEST(refused.err.starts_with("imgsim cluster: --sample 2 is less than the 3 groups\n"), refused.err);
}

BOOST_AUTO_TEST_CASE(each_start_gives_groups_and_the_swaps_can_be_limited) {
  const trained_folder made;
  const auto cost_of = [&](const std::vector<std::string>& options) {
    std::vector<std::string> line{"cluster", "--index", made.index(), "-k", "5", "--seed", "3", "--json"};
    line.insert(line.end(), options.begin(), options.end());
    return must_run(line).json().at("cost").get<double>();
  };
  const double best = cost_of({"--restarts", "20"});
  for (const std::string method : {"k-medoids", "k-means"}) {
    const std::string told = must_run({"cluster", "--index", made.index(), "-k", "5", "--method", method}).err;
    BOOST_TEST(("\n" + told).find("\ngroup: 5/5 ") != std::string::npos, told);
  }
  for (const std::string start : {"build", "lab", "k-means++", "random"}) {
    const double unimproved = cost_of({"--init", start, "--max-swaps", "0"});
    const double improved = cost_of({"--init", start});
    BOOST_TEST(improved <= unimproved, start);
    BOOST_TEST(improved <= 1.3 * best, start);
    if (start == "random") BOOST_TEST(improved < unimproved);
  }
}

BOOST_AUTO_TEST_CASE(what_says_nothing_of_the_groups_is_not_printed) {
  const trained_folder made;
  const auto out_of = [&](const std::string& k) {
    return must_run({"cluster", "--index", made.index(), "-k", k, "--quiet"}).out;
  };
  const std::string three = out_of("3"), all = out_of("24");
  BOOST_TEST(three.find("\nweakest member: ") != std::string::npos, three);
  BOOST_TEST(
      three.find(" (0: far apart, 1: as wide as they are apart, 2 or more: within one another)\n") != std::string::npos,
      three);
  BOOST_TEST(all.find("K = 24") != std::string::npos, all);
  for (const char* line : {"weakest member", "hardest to tell apart"})
    BOOST_TEST(all.find(line) == std::string::npos, all);
}

BOOST_AUTO_TEST_CASE(restarts_without_chance_are_one_start) {
  const trained_folder made;
  const auto run = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"cluster", "--index", made.index(), "-k", "3", "--restarts", "5"});
    return must_run(more).err;
  };
  const std::string built = run({"--init", "build"});
  BOOST_TEST(built.find("--restarts 5 changes nothing with --init build") != std::string::npos, built);
  BOOST_TEST(built.find("\ngroup: 1/1 ") != std::string::npos, built);
  BOOST_TEST(run({"--init", "build", "--sample", "12"}).find("changes nothing") == std::string::npos);
  BOOST_TEST(run({}).find("changes nothing") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(predict_prints_the_distance_as_cluster_does) {
  const trained_folder made;
  for (const std::string metric : {"cosine", "euclidean"}) {
    const auto groups =
        must_run({"cluster", "--index", made.index(), "-k", "3", "--metric", metric, "--json", "--quiet"}).json();
    const auto weakest = groups.at("weakest_member");
    const std::string photo = made.photo(groups.at("paths").at(weakest.at("row").get<std::size_t>()));
    const auto predicted = must_run({"predict", "--index", made.index(), photo, "--json"}).json().at("results").at(0);
    const double distance = predicted.at("distance"), similarity = predicted.at("similarity");
    BOOST_TEST(distance == weakest.at("distance").get<double>(), boost::test_tools::tolerance(1e-3));
    BOOST_TEST(distance == (metric == "cosine" ? 1 - similarity : -similarity), boost::test_tools::tolerance(1e-5));
    const auto lines = lines_of(must_run({"predict", "--index", made.index(), photo}).out);
    BOOST_TEST(lines.at(0).find(" distance ") != std::string::npos, lines.at(0));
    BOOST_TEST(lines.at(2).find(" " + imgsim::fixed_text(distance, 4) + " ") != std::string::npos, lines.at(2));
  }
}

BOOST_AUTO_TEST_CASE(a_range_above_half_of_the_photos_has_silhouettes_of_all) {
  const trained_folder made;
  const auto chosen =
      must_run({"choose-k", "--index", made.index(), "--k-min", "14", "--k-max", "20", "--json"}).json();
  double best = 0;
  for (const auto& one : chosen.at("curve")) best = std::max(best, one.at("medoid_silhouette").get<double>());
  BOOST_TEST(chosen.at("curve").at(chosen.at("best_silhouette_k").get<std::size_t>() - 14).at("medoid_silhouette") ==
             best);
  const std::string text = must_run({"choose-k", "--index", made.index(), "--k-min", "14", "--k-max", "20"}).out;
  BOOST_TEST(text.find("medoid silhouette up to") == std::string::npos, text);
  BOOST_TEST(text.find("(DynMSC) up to K = 14 ") != std::string::npos, text);
}

BOOST_AUTO_TEST_CASE(the_choice_of_k_keeps_to_its_range) {
  const std::string index = shared_folder().index();
  const auto chosen = must_run({"choose-k", "--index", index, "--k-min", "4", "--k-max", "6", "--json"}).json();
  const auto made =
      must_run({"cluster", "--index", index, "-k", "auto", "--k-min", "4", "--k-max", "6", "--json"}).json();
  BOOST_TEST(made.at("k") == chosen.at("recommended_k"));
  BOOST_TEST(made.at("verdict") == chosen.at("verdict"));
  BOOST_TEST(made.at("k") >= 4);
  const std::vector<std::string> line{"cluster", "--index", index, "-k", "auto", "--method", "silhouette", "--json"};
  for (const std::size_t k : {5u, 7u}) {
    std::vector<std::string> one = line;
    for (const char* option : {"--k-min", "--k-max"}) {
      one.emplace_back(option);
      one.push_back(std::to_string(k));
    }
    BOOST_TEST(must_run(one).json().at("k") == k);
  }
}

BOOST_AUTO_TEST_CASE(more_medoids_than_different_photos_are_told) {
  const temporary_folder folder;
  const std::string photos = (folder.path() / "photos").string(), index = (folder.path() / "i").string();
  for (const int copy : {0, 1, 2})
    for (const int label : {0, 1})
      write_photo(fs::path(photos) / (std::to_string(10 * copy + label) + ".png"), label, 0);
  static_cast<void>(must_run({"index", "--images", photos, "--model", shared_folder().model(), "--index", index}));
  const auto told = must_run({"cluster", "--index", index, "-k", "5"});
  BOOST_TEST(told.err.find("3 groups of 5 stand for a photo that another group stands for, too") != std::string::npos,
             told.err);
  BOOST_TEST(must_run({"cluster", "--index", index, "-k", "2"}).err.find("stand for") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_document_says_what_the_text_says) {
  const trained_folder made;
  const temporary_folder folder;
  const auto curve = must_run({"choose-k", "--index", made.index(), "--k-min", "1", "--json"}).json();
  BOOST_TEST(curve.at("curve").at(0).at("calinski_harabasz").is_null());  // of one group
  BOOST_TEST(curve.at("curve").at(0).at("davies_bouldin").is_null());
  BOOST_TEST(curve.at("curve").at(1).at("davies_bouldin").get<double>() > 0);
  const auto chosen = must_run({"cluster", "--index", made.index(), "-k", "auto", "--json", "--quiet"}).json();
  const auto choice = must_run({"choose-k", "--index", made.index(), "--json"}).json();
  BOOST_TEST(chosen.at("verdict") == choice.at("verdict"));
  const auto whole = must_run({"choose-k", "--index", made.index()}).out;
  const std::string last = "\nrecommended ";
  const std::size_t at = whole.find(last);
  BOOST_TEST_REQUIRE(at != std::string::npos, whole);
  const std::string told = choice.at("clear").get<bool>() ? "clear" : choice.at("verdict").get<std::string>();
  BOOST_TEST(whole.substr(at, whole.find('\n', at + 1) - at).find(told) != std::string::npos, whole);
  fs::remove(made.photo("red/0.png"));
  const auto result = run_imgsim({"cluster", "--index", made.index(), "-k", "2", "--json", "--out",
                                  (folder.path() / "out").string(), "--partition", "symlink"});
  BOOST_TEST(result.exit_code == 3);
  BOOST_TEST(result.json().at("skipped").size() == 1u);
  BOOST_TEST(result.json().at("skipped").at(0).at("path") == "red/0.png");
}

BOOST_AUTO_TEST_SUITE_END()
