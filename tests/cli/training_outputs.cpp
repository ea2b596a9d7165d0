// Where train writes: beside the models of others, and on from checkpoints.
#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "cli/trained_folder.hpp"

using namespace imgsim_test;
namespace fs = std::filesystem;

BOOST_AUTO_TEST_SUITE(training_outputs)

BOOST_AUTO_TEST_CASE(training_refuses_what_it_can_before_it_reads_a_photo) {
  const trained_folder& made = shared_folder();
  const temporary_folder folder;
  const auto with = [&](const std::vector<std::string>& more) {
    auto line = train_line(made, folder.path() / "n.safetensors");
    line.insert(line.end(), more.begin(), more.end());
    const auto result = run_imgsim(line);
    BOOST_TEST(result.exit_code == 1);
    BOOST_TEST(std::count(result.err.begin(), result.err.end(), '\n') == 1, result.err);
    return result.err;
  };
  BOOST_TEST(with({"--device", "cuda"}).find("--device cuda: ") != std::string::npos);
  BOOST_TEST(with({"--resume"}).find("n.last.safetensors: there is no checkpoint to resume from; leave out --resume") !=
             std::string::npos);
  fs::copy(fs::path(made.model()).parent_path() / "tiny.last.safetensors", folder.path() / "n.last.safetensors");
  fs::resize_file(folder.path() / "n.last.safetensors", 40);
  const std::string truncated = with({"--resume"});
  BOOST_TEST(truncated.find("truncated") != std::string::npos, truncated);
  BOOST_TEST(truncated.find("; leave out --resume to begin a new training") != std::string::npos, truncated);
  fs::copy(fs::path(made.model()).parent_path() / "tiny.last.safetensors", folder.path() / "n.last.safetensors",
           fs::copy_options::overwrite_existing);
  std::string other = kTinyArchitecture;
  other.replace(other.find("\"filters\": 8"), 12, "\"filters\": 4");
  write_text(folder.path() / "other.json", other);
  auto line = train_line(made, folder.path() / "n.safetensors");
  line[4] = (folder.path() / "other.json").string();
  line.emplace_back("--resume");
  const auto result = run_imgsim(line);
  BOOST_TEST(result.exit_code == 1);
  BOOST_TEST(result.err.find("is of another network") != std::string::npos, result.err);
  BOOST_TEST(result.err.find("decode") == std::string::npos, result.err);
}

BOOST_AUTO_TEST_CASE(models_of_one_folder_keep_their_histories) {
  const trained_folder& made = shared_folder();
  const temporary_folder folder;
  const auto lines_of = [&](const char* name) {
    const std::string text = read_text(folder.path() / name);
    return std::count(text.begin(), text.end(), '\n') - 1;
  };
  const auto run = [&](const char* name, const char* epochs) {
    auto line = train_line(made, folder.path() / name);
    line.insert(line.end(), {"--epochs", epochs, "--json"});
    return fs::path(must_run(line).json().at("history").get<std::string>()).filename().string();
  };
  BOOST_TEST(run("a.safetensors", "1") == "history.csv");
  BOOST_TEST(run("b.safetensors", "2") == "b.history.csv");
  BOOST_TEST(fs::exists(folder.path() / "b.loss.svg"));
  BOOST_TEST(lines_of("history.csv") == 1);
  BOOST_TEST(lines_of("b.history.csv") == 2);
  BOOST_TEST(run("b.safetensors", "3") == "b.history.csv");
  BOOST_TEST(run("a.safetensors", "4") == "history.csv");
  BOOST_TEST(lines_of("history.csv") == 4);
  BOOST_TEST(lines_of("b.history.csv") == 3);
}

BOOST_AUTO_TEST_CASE(a_page_tells_what_was_trained) {
  const trained_folder& made = shared_folder();
  const temporary_folder folder;
  auto line = train_line(made, folder.path() / "a.safetensors");
  line.insert(line.end(), {"--epochs", "2", "--report", (folder.path() / "to come" / "page.html").string()});
  const auto told = must_run(line);
  const std::string page = read_text(folder.path() / "to come" / "page.html");
  for (const char* text :
       {"<h1>Training of a.safetensors</h1>", "<dt>best epoch</dt>", "<svg", "<td class=\"right\">2</td>"})
    BOOST_TEST(page.find(text) != std::string::npos, text);
  BOOST_TEST(page.find("<td class=\"right\">3</td>") == std::string::npos);
  BOOST_TEST(told.err.find("page.html") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_history_whose_model_is_gone_is_nobody_s) {
  const trained_folder& made = shared_folder();
  const temporary_folder folder;
  write_text(folder.path() / "history.csv", "epoch,training_loss,validation_loss\n1,2,3\n");
  static_cast<void>(must_run(train_line(made, folder.path() / "a.safetensors")));
  BOOST_TEST(!read_text(folder.path() / "history.csv").ends_with("1,2,3\n"));
}

BOOST_AUTO_TEST_CASE(a_finished_training_goes_on_from_the_checkpoints_that_it_names) {
  const trained_folder& made = shared_folder();
  const temporary_folder folder;
  auto line = train_line(made, folder.path() / "a.safetensors");
  line.insert(line.end(), {"--epochs", "1", "--json"});
  const auto first = must_run(line).json();
  for (const auto& checkpoint : first.at("checkpoints")) BOOST_TEST(fs::exists(checkpoint.get<std::string>()));
  line[line.size() - 2] = "2";
  line.emplace_back("--resume");
  BOOST_TEST(must_run(line).json().at("epochs") == 2);
  BOOST_TEST((read_text(folder.path() / "a.safetensors") == read_text(made.model())));
}

BOOST_AUTO_TEST_SUITE_END()
