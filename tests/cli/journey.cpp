// From photos to answers: train, index, query, neighbors, compare, info, verify.
#include <signal.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <thread>

#include <boost/test/unit_test.hpp>

#include "cli/trained_folder.hpp"
#include "embedding/sample_index.hpp"

using namespace imgsim_test;
namespace fs = std::filesystem;

namespace {

/// Paths of the matches of result `i`.
std::vector<std::string> paths_of(const nlohmann::json& document, std::size_t i = 0) {
  std::vector<std::string> paths;
  for (const auto& match : document.at("results").at(i).at("matches")) paths.push_back(match.at("path"));
  return paths;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(journey)

BOOST_AUTO_TEST_CASE(training_writes_model_history_plot_and_checkpoint) {
  const trained_folder& made = shared_folder();
  const fs::path folder = fs::path(made.model()).parent_path();
  for (const char* name : {"tiny.safetensors", "history.csv", "loss.svg", "tiny.last.safetensors"})
    BOOST_TEST(fs::exists(folder / name), name);
  const std::string history = read_text(folder / "history.csv");
  BOOST_TEST(std::count(history.begin(), history.end(), '\n') == 3);
  BOOST_TEST(read_text(folder / "loss.svg").find("<svg") != std::string::npos);
  const auto info = must_run({"info", made.model(), "--json"}).json();
  BOOST_TEST(info.at("architecture") == "tiny");
  BOOST_TEST(info.at("dimension") == 8);
  BOOST_TEST(info.at("made").at("seed") == 0);
  BOOST_TEST(info.at("made").at("training_loss").is_number_float());
  BOOST_TEST(info.at("made").at("preset") == "tiny");
}

BOOST_AUTO_TEST_CASE(training_again_with_the_same_seed_gives_the_same_bytes_and_another_seed_does_not) {
  const trained_folder& made = shared_folder();
  const temporary_folder folder;
  const auto train = [&](const std::string& name, const std::string& seed) {
    const std::string model = (folder.path() / name).string();
    static_cast<void>(must_run({"--quiet", "train", "--images", made.photos(), "--model", model, "--preset",
                                made.architecture(), "--seed", seed, "--threads", "1"}));
    return read_text(model);
  };
  BOOST_TEST((train("a.safetensors", "0") == read_text(made.model())));
  BOOST_TEST((train("b.safetensors", "1") != read_text(made.model())));
}

BOOST_AUTO_TEST_CASE(what_a_model_was_trained_for_is_in_it_and_does_not_depend_on_threads) {
  const trained_folder& made = shared_folder();
  const temporary_folder folder;
  const auto train = [&](const std::string& name, const std::vector<std::string>& more) {
    const std::string model = (folder.path() / name).string();
    std::vector<std::string> line{"train", "--quiet", "--images", made.photos(), "--model", model, "--size", "32"};
    line.insert(line.end(), more.begin(), more.end());
    static_cast<void>(must_run(line));
    return model;
  };
  const std::vector<std::string> recipe{
      "--epochs", "2", "--augment", "crop=0.5,flip=0.5", "--mask", "0.25", "--invariance", "0.1", "--ema", "0.5"};
  const auto with_threads = [&](const std::string& threads) {
    std::vector<std::string> line = recipe;
    line.insert(line.end(), {"--threads", threads, "--deterministic"});
    return train("threads" + threads + ".safetensors", line);
  };
  const std::string one = with_threads("1");
  BOOST_TEST((read_text(one) == read_text(with_threads("3"))));
  const auto info = must_run({"info", one, "--json"}).json().at("made");
  BOOST_TEST(info.at("augment") == "crop=0.5,flip=0.5,rotation=0,colour=0,blur=0");
  BOOST_TEST(info.at("mask") == 0.25);
  BOOST_TEST(info.at("invariance") == 0.1);
  BOOST_TEST(info.at("ema") == 0.5);
  const auto timed = must_run({"info", train("timed.safetensors", {"--minutes", "0.02"}), "--json"}).json().at("made");
  BOOST_TEST(timed.at("minutes") == 0.02);
  BOOST_TEST(!timed.contains("augment"));
}

BOOST_AUTO_TEST_CASE(a_host_that_cannot_be_listened_at_is_named_without_a_port_that_nobody_typed) {
  const auto refused =
      run_imgsim({"serve", "--index", shared_folder().index(), "--host", "203.0.113.7", "--port", "0"});
  BOOST_TEST(refused.exit_code == 1);
  BOOST_TEST(refused.err.find("cannot") != std::string::npos, refused.err);
  BOOST_TEST(refused.err.find(":-1") == std::string::npos, refused.err);
}

BOOST_AUTO_TEST_CASE(a_stop_while_the_library_is_at_work_is_told_as_such) {
  const temporary_folder folder;
  photo_store photos(folder.path() / "photos");
  for (int i = 0; i < 1500; ++i) photos.put(std::to_string(i) + ".jpg", "photo " + std::to_string(i));
  const fs::path index = folder.path() / "many.idx";
  static_cast<void>(update_index(index, photos.root()));
  const pid_t child = start_imgsim({"choose-k", "--index", index.string(), "--k-max", "1499", "--quiet"}, "/dev/null",
                                   folder.path() / "out", folder.path() / "err");
  // It asks for signals where the work begins.
  const auto catches = [child](int number) {
    const std::string status = read_text("/proc/" + std::to_string(child) + "/status");
    const std::size_t at = status.find("SigCgt:");
    return at != std::string::npos && (std::stoull(status.substr(at + 7), nullptr, 16) >> (number - 1) & 1) != 0;
  };
  for (int i = 0; i < 3000 && !catches(SIGINT); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  kill(child, SIGINT);
  BOOST_TEST(wait_for(child) == 1);
  BOOST_TEST(read_text(folder.path() / "err") == "imgsim choose-k: stopped; nothing was written\n");
}

BOOST_AUTO_TEST_CASE(a_run_that_is_stopped_saves_says_how_to_resume_and_resumes_to_the_same_model) {
  const trained_folder& made = shared_folder();
  const temporary_folder folder;
  const fs::path model = folder.path() / "m.safetensors";
  const std::vector<std::string> line{"train",    "--images",          made.photos(), "--model", model.string(),
                                      "--preset", made.architecture(), "--epochs",    "400",     "--seed",
                                      "7"};
  const pid_t child = start_imgsim(line, "/dev/null", folder.path() / "out", folder.path() / "err");
  // The first checkpoint shows that training is under way.
  for (int i = 0; i < 3000 && !fs::exists(folder.path() / "m.last.safetensors"); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  kill(child, SIGINT);
  BOOST_TEST(wait_for(child) == 1);
  BOOST_TEST(!fs::exists(model));
  const std::string err = read_text(folder.path() / "err");
  const auto advice = err.find("continue with:\n  imgsim train --images ");
  BOOST_TEST_REQUIRE(advice != std::string::npos, err);
  BOOST_TEST(err.find("--seed 7 --resume\n", advice) != std::string::npos);

  std::vector<std::string> again = line;
  again.push_back("--resume");
  static_cast<void>(must_run(again));
  std::vector<std::string> whole = line;
  whole[4] = (folder.path() / "whole.safetensors").string();
  static_cast<void>(must_run(whole));
  BOOST_TEST((read_text(model) == read_text(whole[4])));
}

BOOST_AUTO_TEST_CASE(folders_called_train_val_and_test_are_used_as_they_are) {
  const trained_folder& made = shared_folder();
  const temporary_folder folder;
  for (std::size_t i = 0; i < 6; ++i) write_photo(folder.path() / "set/train" / (std::to_string(i) + ".png"), i % 3, i);
  for (std::size_t i = 0; i < 2; ++i) write_photo(folder.path() / "set/val" / (std::to_string(i) + ".png"), i, i);
  write_photo(folder.path() / "set/test/0.png", 0, 0);
  const auto result = must_run({"train", "--images", (folder.path() / "set").string(), "--model",
                                (folder.path() / "m.safetensors").string(), "--preset", made.architecture(), "--json"});
  BOOST_TEST(result.json().at("training_photos") == 6);
  BOOST_TEST(result.json().at("validation_photos") == 2);
  BOOST_TEST(result.json().at("few_photos") == true);
  BOOST_TEST(result.err.find("trained on 6 photos: with fewer than 300") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_photo_of_the_index_is_its_own_best_match_and_the_cached_mode_gives_the_rest) {
  const trained_folder& made = shared_folder();
  const auto asked = must_run({"query", "--index", made.index(), made.photo("red/3.png"), "-n", "6", "--json"}).json();
  const auto& first = asked.at("results").at(0).at("matches").at(0);
  BOOST_TEST(asked.at("results").at(0).at("query") == made.photo("red/3.png"));
  BOOST_TEST(first.at("rank") == 1);
  BOOST_TEST(first.at("path") == "red/3.png");
  BOOST_TEST(first.at("similarity").get<double>() == 1.0);

  const auto by_path = must_run({"query", "--index", made.index(), "--id", "red/3.png", "-n", "5", "--json"}).json();
  auto expected = paths_of(asked);
  expected.erase(expected.begin());
  BOOST_TEST(paths_of(by_path) == expected, boost::test_tools::per_element());
  const std::string row = first.at("row").dump();
  const auto by_row = must_run({"query", "--index", made.index(), "--id", row, "-n", "5", "--json"}).json();
  BOOST_TEST(by_row.at("results") == by_path.at("results"));
}

BOOST_AUTO_TEST_CASE(standard_input_and_a_file_give_the_same_answer) {
  const trained_folder& made = shared_folder();
  auto from_file = must_run({"query", "--index", made.index(), made.photo("blue/1.png"), "--json"}).json();
  auto from_stdin = must_run({"query", "--index", made.index(), "-", "--json"}, made.photo("blue/1.png")).json();
  BOOST_TEST(from_stdin.at("results").at(0).at("matches") == from_file.at("results").at(0).at("matches"));
}

BOOST_AUTO_TEST_CASE(several_metrics_give_a_list_each_and_n_is_cut_at_the_number_of_photos) {
  const trained_folder& made = shared_folder();
  const auto result = must_run({"query", "--index", made.index(), made.photo("blue/1.png"), made.photo("red/0.png"),
                                "--metric", "euclidean,cosine", "-n", "1000", "--json"})
                          .json();
  BOOST_TEST_REQUIRE(result.at("results").size() == 4u);
  BOOST_TEST(result.at("results").at(0).at("metric") == "euclidean");
  BOOST_TEST(result.at("results").at(1).at("metric") == "cosine");
  for (const auto& list : result.at("results")) {
    BOOST_TEST(list.at("matches").size() == kLabels * kPhotosOfLabel);
    double last = INFINITY;
    for (const auto& match : list.at("matches")) {
      BOOST_TEST(match.at("similarity").get<double>() <= last);
      last = match.at("similarity");
    }
  }
  BOOST_TEST(result.at("results").at(0).at("matches").at(0).at("similarity") == 0.0);
}

BOOST_AUTO_TEST_CASE(a_grid_is_written_for_each_answer) {
  const trained_folder& made = shared_folder();
  const temporary_folder folder;
  const std::string one = (folder.path() / "one.png").string();
  static_cast<void>(must_run({"query", "--index", made.index(), "--id", "0", "--grid", one}));
  BOOST_TEST(read_text(one).starts_with("\x89PNG"));
  static_cast<void>(must_run({"query", "--index", made.index(), "--id", "0", "--id", "1", "--grid", one}));
  BOOST_TEST(fs::exists(folder.path() / "one-1.png"));
  BOOST_TEST(fs::exists(folder.path() / "one-2.png"));
}

BOOST_AUTO_TEST_CASE(stored_neighbours_matrix_and_sorted_lists_agree_with_queries) {
  const trained_folder made;
  const temporary_folder folder;
  const auto ask = [&] {
    return must_run({"query", "--index", made.index(), "--id", "green/2.png", "-n", "4", "--json"}).json();
  };
  const auto searched = ask();
  const auto result =
      must_run({"neighbors", "--index", made.index(), "-n", "5", "--matrix", (folder.path() / "s.npy").string(),
                "--export", (folder.path() / "sorted.json").string(), "--json"})
          .json();
  BOOST_TEST(result.at("n") == 5);
  BOOST_TEST(ask() == searched);
  const auto sorted = nlohmann::json::parse(read_text(folder.path() / "sorted.json"));
  BOOST_TEST_REQUIRE(sorted.at("neighbors").size() == kLabels * kPhotosOfLabel);
  const std::size_t row = searched.at("results").at(0).at("matches").at(0).at("row");
  for (const auto& list : sorted.at("neighbors")) {
    BOOST_TEST(list.at("matches").size() == 5u);
    if (list.at("path") == "green/2.png") BOOST_TEST(list.at("matches").at(0).at("row") == row);
  }
  const std::size_t photos = kLabels * kPhotosOfLabel;
  BOOST_TEST(fs::file_size(folder.path() / "s.npy") % 64 == 0u);
  BOOST_TEST(fs::file_size(folder.path() / "s.npy") > photos * photos * sizeof(float));
  BOOST_TEST(must_run({"verify", made.index(), "--json"}).json().at("sound") == true);
}

BOOST_AUTO_TEST_CASE(indexing_again_adds_changes_renames_and_drops_only_what_changed) {
  const trained_folder made;
  const auto update = [&] { return must_run({"index", "--index", made.index(), "--json"}).json(); };
  BOOST_TEST(update().at("encoded") == 0);
  fs::remove(made.photo("red/0.png"));
  fs::rename(made.photo("red/1.png"), made.photo("red/renamed.png"));
  write_photo(made.photo("red/2.png"), 1, 100);
  write_photo(made.photo("red/new.png"), 0, 200);
  const auto result = update();
  BOOST_TEST(result.at("photos") == kLabels * kPhotosOfLabel);
  BOOST_TEST(result.at("added") == 1);
  BOOST_TEST(result.at("changed") == 1);
  BOOST_TEST(result.at("renamed") == 1);
  BOOST_TEST(result.at("removed") == 1);
  BOOST_TEST(result.at("encoded") == 2);

  const temporary_folder folder;
  const std::string fresh = (folder.path() / "fresh.idx").string();
  static_cast<void>(must_run({"index", "--images", made.photos(), "--model", made.model(), "--index", fresh}));
  for (const char* name : {"embeddings.npy", "images.jsonl"})
    BOOST_TEST((read_text(fs::path(fresh) / name) == read_text(fs::path(made.index()) / name)), name);
}

BOOST_AUTO_TEST_CASE(compare_prints_a_similarity_and_answers_a_threshold_by_exit_code) {
  const trained_folder& made = shared_folder();
  const std::vector<std::string> same{"compare", made.photo("red/0.png"), made.photo("red/0.png"), "--model",
                                      made.model()};
  BOOST_TEST(must_run(same).out == "1.000000\n");
  std::vector<std::string> other{"compare", made.photo("red/0.png"), made.photo("blue/0.png"), "--model", made.model(),
                                 "--json"};
  const double similarity = must_run(other).json().at("similarity");
  BOOST_TEST(similarity < 1.0);
  const auto code = [&](const std::string& threshold) {
    auto line = other;
    line.insert(line.end(), {"--threshold", threshold});
    return run_imgsim(line).exit_code;
  };
  BOOST_TEST(code("-1") == 0);
  BOOST_TEST(code("1") == 1);
  other[1] = "missing.png";
  BOOST_TEST(run_imgsim(other).exit_code == 1);
  BOOST_TEST(code("0") == 2);
}

BOOST_AUTO_TEST_CASE(verify_finds_a_changed_byte) {
  const trained_folder made;
  BOOST_TEST(must_run({"verify", made.index()}).out.find("is sound") != std::string::npos);
  BOOST_TEST(must_run({"verify", made.model()}).out.find("is sound") != std::string::npos);
  std::string bytes = read_text(made.index() + "/embeddings.npy");
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  write_text(made.index() + "/embeddings.npy", bytes);
  const auto result = run_imgsim({"verify", made.index(), "--json"});
  BOOST_TEST(result.exit_code == 1);
  BOOST_TEST(result.json().at("sound") == false);
  BOOST_TEST(result.out.find("embeddings.npy") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_device_that_is_not_there_is_an_error_and_never_another_device) {
  const trained_folder& made = shared_folder();
  const auto result = run_imgsim({"query", "--index", made.index(), made.photo("red/0.png"), "--device", "cuda"});
  BOOST_TEST(result.exit_code == 1);
  BOOST_TEST(result.err.find("imgsim query: --device cuda: ") == 0u, result.err);
  BOOST_TEST(result.out.empty());
}

BOOST_AUTO_TEST_CASE(info_describes_an_index) {
  const auto info = must_run({"info", shared_folder().index(), "--json"}).json();
  BOOST_TEST(info.at("kind") == "index");
  BOOST_TEST(info.at("photos") == kLabels * kPhotosOfLabel);
  BOOST_TEST(must_run({"info", shared_folder().index()}).out.find("photos") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
