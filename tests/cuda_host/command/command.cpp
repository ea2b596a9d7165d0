// The whole command with --device cuda, its module over the fakes of CUDA, cuDNN and cuBLASLt: what it trains and
// encodes is near to what the CPU does, what it finds and groups is the same.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <imgsim/embedding/npy.hpp>

#include "cli/trained_folder.hpp"
#include "support/test_data.hpp"

using namespace imgsim_test;
namespace fs = std::filesystem;

namespace {

using arguments = std::vector<std::string>;

/// For the time that it lives, imgsim finds its CUDA backend there.
class module_at {
 public:
  explicit module_at(const std::string& path) { setenv("IMGSIM_CUDA_MODULE", path.c_str(), 1); }
  module_at(const module_at&) = delete;
  module_at& operator=(const module_at&) = delete;
  ~module_at() { setenv("IMGSIM_CUDA_MODULE", "/nonexistent", 1); }
};

command_result on_cuda(arguments line) {
  const module_at fakes(IMGSIM_MODULE_OVER_FAKES);
  line.insert(line.end(), {"--device", "cuda"});
  return must_run(line);
}

command_result on_cpu(arguments line) {
  line.insert(line.end(), {"--device", "cpu"});
  return must_run(line);
}

/// The same answer on both, but for the time that it took.
void check_same(const arguments& line) {
  BOOST_TEST_CONTEXT(line.front()) {
    BOOST_TEST(on_cuda(line).out == on_cpu(line).out);
  }
}

imgsim::mapped_npy<float> embeddings_of(const fs::path& index) {
  return imgsim::mapped_npy<float>(index / "embeddings.npy");
}

double loss_of(const fs::path& model) {
  return must_run({"info", model.string(), "--json"}).json().at("made").at("training_loss").get<double>();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(cuda_command)

BOOST_AUTO_TEST_CASE(devices_are_listed_and_chosen_by_number) {
  const module_at fakes(IMGSIM_MODULE_OVER_FAKES);
  const auto devices = must_run({"info", "--json"}).json().at("devices");
  BOOST_REQUIRE(devices.size() == 2u);
  BOOST_TEST(devices[1].at("name") == "cuda:0");
  BOOST_TEST(devices[1].at("available") == true);
  BOOST_TEST(devices[1].at("detail").get<std::string>().find("host runner") == 0u);

  const trained_folder& made = shared_folder();
  const auto beyond = run_imgsim({"query", "--index", made.index(), "--id", "0", "--device", "cuda:7"});
  BOOST_TEST(beyond.exit_code == 1);
  BOOST_TEST(beyond.err ==
             "imgsim query: --device cuda: there is no CUDA device 7: of 1, the last is 0; use --device "
             "cpu or --device auto\n");
}

BOOST_AUTO_TEST_CASE(a_backend_that_cannot_be_used_is_told_in_one_line) {
  const trained_folder& made = shared_folder();
  const temporary_folder folder;
  const arguments line{"query", "--index", made.index(), made.photo("red/0.png"), "-n", "2"};
  const auto with = [&](const char* device) {
    arguments all = line;
    all.insert(all.end(), {"--device", device});
    return run_imgsim(all);
  };
  const std::string expected = on_cpu(line).out;
  {
    const module_at none((folder.path() / "none.so").string());
    BOOST_TEST(with("auto").out == expected);
    BOOST_TEST(with("auto").err == "");
    BOOST_TEST(with("cuda").err.find("--device cuda: this build of imgsim has no CUDA backend") != std::string::npos);
  }
  const fs::path broken = folder.path() / "broken.so";
  write_text(broken, "no library");
  const module_at it(broken.string());
  const auto cpu = with("auto");
  BOOST_TEST(cpu.exit_code == 0);
  BOOST_TEST(cpu.out == expected);
  BOOST_TEST(cpu.err.find("imgsim query: runs on the CPU: the CUDA backend cannot be loaded: ") == 0u, cpu.err);
  BOOST_TEST(std::count(cpu.err.begin(), cpu.err.end(), '\n') == 1);
  const auto cuda = with("cuda");
  BOOST_TEST(cuda.exit_code == 1);
  BOOST_TEST(cuda.out.empty());
  BOOST_TEST(cuda.err.find("imgsim query: --device cuda: the CUDA backend cannot be loaded: ") == 0u, cuda.err);
}

/// Training adds in another order, and Adam divides by the root of small numbers: equal to a thousandth of the loss
/// after two epochs of three steps. The same bytes in each run, and after a resume.
BOOST_AUTO_TEST_CASE(training_follows_the_cpu_and_repeats_itself) {
  const trained_folder& made = shared_folder();
  const temporary_folder folder;
  const auto model = [&](const std::string& name) { return (folder.path() / name / "m.safetensors").string(); };
  const auto train = [&](const std::string& name, const arguments& more) {
    fs::create_directories(folder.path() / name);
    arguments line{"train",     "--images", made.photos(),       "--model",
                   model(name), "--preset", made.architecture(), "--quiet"};
    line.insert(line.end(), more.begin(), more.end());
    return line;
  };
  static_cast<void>(on_cuda(train("a", {})));
  static_cast<void>(on_cuda(train("b", {})));
  BOOST_TEST((read_text(model("a")) == read_text(model("b"))));
  static_cast<void>(on_cuda(train("c", {"--epochs", "1"})));
  static_cast<void>(on_cuda(train("c", {"--resume"})));
  BOOST_TEST((read_text(model("c")) == read_text(model("a"))));

  BOOST_TEST(std::abs(loss_of(model("a")) - loss_of(made.model())) <= 1e-3 * loss_of(made.model()));
}

/// Each preset at a small size, on real photos: the loss of a training is that of the CPU, so is what a model makes of
/// the photos, and answers over an index are the same.
BOOST_AUTO_TEST_CASE(every_preset_works_on_real_photos, *needs_data("animals256")) {
  const temporary_folder folder;
  const std::string photos = (folder.path() / "photos").string();
  fs::create_directory(photos);
  std::vector<fs::path> all(fs::directory_iterator(data_folder() / "animals256"), {});
  std::ranges::sort(all);
  for (std::size_t i = 0; i < 12; ++i) fs::copy(all.at(i), photos);
  const struct {
    const char* preset;
    const char* size;
  } cases[] = {{"maxpool-16-8-4", "32"}, {"strided-dense-16", "16"}, {"conv-transpose", "32"}, {"default", "64"}};
  for (const auto& each : cases) {
    BOOST_TEST_CONTEXT(each.preset) {
      const fs::path own = folder.path() / each.preset;
      fs::create_directories(own / "other");
      const auto train = [&](const fs::path& model) {
        return arguments{"train",  "--images", photos,     "--model", model.string(), "--preset", each.preset,
                         "--size", each.size,  "--epochs", "1",       "--batch",      "6",        "--quiet"};
      };
      static_cast<void>(on_cpu(train(own / "m.safetensors")));
      static_cast<void>(on_cuda(train(own / "other" / "m.safetensors")));
      const double expected = loss_of(own / "m.safetensors");
      BOOST_TEST(std::abs(loss_of(own / "other" / "m.safetensors") - expected) <= 1e-3 * expected);

      const auto index = [&](const char* name) {
        return arguments{
            "index",  "--images", photos, "--model", (own / "m.safetensors").string(), "--index", (own / name).string(),
            "--quiet"};
      };
      static_cast<void>(on_cpu(index("cpu.idx")));
      static_cast<void>(on_cuda(index("cuda.idx")));
      const auto cpu = embeddings_of(own / "cpu.idx");
      const auto cuda = embeddings_of(own / "cuda.idx");
      for (std::size_t row = 0; row < 12; ++row) {
        double product = 0, squares[2] = {};
        for (std::size_t i = 0; i < cpu.view().extent(1); ++i) {
          const double a = cpu.view()(row, i), b = cuda.view()(row, i);
          product += a * b;
          squares[0] += a * a;
          squares[1] += b * b;
        }
        // An angle of a hundredth of a degree at the most.
        BOOST_TEST(product >= std::sqrt(squares[0] * squares[1]) * (1 - 1.6e-8));
      }
      check_same({"query", "--index", (own / "cuda.idx").string(), "--id", "0", "-n", "5", "--json"});
      check_same({"choose-k", "--index", (own / "cuda.idx").string(), "--k-max", "5", "--json"});
    }
  }
}

/// A feature is a sum of at most 72 products twice over, so it is wrong by 150 * 2^-24 of the sum of their magnitudes;
/// whitening divides by the deviation along an axis, at worst some hundred times smaller (shrinkage 0.1).
BOOST_AUTO_TEST_CASE(embeddings_are_those_of_the_cpu) {
  const trained_folder& made = shared_folder();
  const temporary_folder folder;
  const std::string index = (folder.path() / "cuda.idx").string();
  static_cast<void>(on_cuda({"index", "--images", made.photos(), "--model", made.model(), "--index", index}));
  const auto expected = embeddings_of(made.index());
  const auto found = embeddings_of(index);
  BOOST_REQUIRE(found.view().extents() == expected.view().extents());
  for (std::size_t i = 0; i < expected.view().extent(0); ++i)
    for (std::size_t j = 0; j < expected.view().extent(1); ++j)
      BOOST_TEST_REQUIRE(std::abs(found.view()(i, j) - expected.view()(i, j)) <= 150 * 0x1p-24 * 100);
}

BOOST_AUTO_TEST_CASE(answers_over_one_index_are_the_same) {
  const trained_folder& made = shared_folder();
  const temporary_folder folder;
  for (const char* metric : {"cosine", "euclidean"})
    check_same({"query", "--index", made.index(), "--id", "red/0.png", "-n", "5", "--metric", metric, "--json"});
  const std::string copy = (folder.path() / "copy.idx").string();
  fs::copy(made.index(), copy, fs::copy_options::recursive);
  check_same({"neighbors", "--index", copy, "-n", "4", "--json"});
  check_same({"choose-k", "--index", copy, "--k-min", "2", "--k-max", "6", "--json"});
  check_same({"evaluate", "--index", copy, "--labels", "folder", "-n", "3", "--json"});
  for (const char* method : {"k-medoids", "k-means"}) {
    const arguments line{
        "cluster", "--index", copy, "-k", "3", "--method", method, "--out", (folder.path() / method).string(),
        "--json"};
    check_same(line);
  }
}

BOOST_AUTO_TEST_SUITE_END()
