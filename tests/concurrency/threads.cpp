// One index, and one context, used by 16 threads of a program: answers are those of one thread alone, bit for bit, and
// no update is lost.
#include <atomic>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include <imgsim/cpu/search.hpp>
#include <imgsim/embedding/verify.hpp>
#include <imgsim/metric/cosine.hpp>
#include <imgsim/metric/euclidean.hpp>
#include <imgsim/search/gallery.hpp>
#include <imgsim/search/top_n.hpp>

#include "concurrency/crowd.hpp"
#include "embedding/sample_index.hpp"

using namespace imgsim_test;

BOOST_AUTO_TEST_SUITE(concurrency_threads)

namespace {

namespace fs = std::filesystem;

/// What a file of this name always holds: an index of it is known from its paths.
std::string content_of(const std::string& path) {
  return "photo " + path;
}

class crowded_index {
 public:
  explicit crowded_index(std::size_t photos) : store_(folder_.path() / "photos") {
    for (std::size_t i = 0; i < photos; ++i) put(std::to_string(i) + ".jpg");
    static_cast<void>(update_index(index(), store_.root()));
    add_everything(index());
  }
  void put(const std::string& path) { store_.put(path, content_of(path)); }
  void remove(const std::string& path) { store_.remove(path); }
  [[nodiscard]] fs::path index() const { return folder_.path() / "idx"; }
  [[nodiscard]] fs::path photos() const { return store_.root(); }

 private:
  temporary_folder folder_;
  photo_store store_;
};

void append_bytes(std::string& text, const auto& matrix) {
  const auto bytes = std::as_bytes(std::span(matrix.begin(), matrix.end()));
  text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

/// Everything that an index is asked, as bytes.
std::string answers_of(const imgsim::cpu_context& context, const imgsim::photo_index& index) {
  std::string all;
  const auto rows = index.embeddings();
  const auto add = [&](const imgsim::top_n_result& found) {
    append_bytes(all, found.rows);
    append_bytes(all, found.similarity);
  };
  add(imgsim::top_n(context, rows, rows.slice(3, 20), imgsim::cosine{}, {.n = 10}));
  add(imgsim::top_n(context, rows, rows, imgsim::euclidean{}, {.n = 4, .exclude_self = true}));
  const auto kept = index.neighbours();
  for (std::size_t row = 0; row < index.size(); ++row) {
    for (const std::int64_t other : kept->rows_of(row)) all += std::to_string(other) + ' ';
    all += std::to_string(index.find(index.photos()[row].path)) + '\n';
  }
  return all + *index.groups();
}

}  // namespace

BOOST_AUTO_TEST_CASE(one_index_and_one_context_serve_16_threads) {
  const crowded_index made(300);
  const std::string alone = answers_of(imgsim::cpu_context(1), imgsim::photo_index::open(made.index()));
  const imgsim::photo_index index = imgsim::photo_index::open(made.index());
  const imgsim::cpu_context context(3);
  run_crowd([&](std::size_t) {
    for (int round = 0; round < 4; ++round) must_hold(answers_of(context, index) == alone, "the answers are the same");
  });
}

BOOST_AUTO_TEST_CASE(a_prepared_gallery_serves_16_threads) {
  const crowded_index made(300);
  const imgsim::photo_index index = imgsim::photo_index::open(made.index());
  const imgsim::cpu_context context(2);
  const imgsim::prepared_gallery gallery(context, index.embeddings());
  const auto ask = [&](std::size_t first) {
    std::string answer;
    const auto found = imgsim::top_n(context, gallery, index.embeddings().slice(first, 9), imgsim::cosine{}, {.n = 7});
    append_bytes(answer, found.rows);
    append_bytes(answer, found.similarity);
    return answer;
  };
  std::vector<std::string> alone;
  for (std::size_t t = 0; t < kCrowd; ++t) alone.push_back(ask(10 * t));
  run_crowd([&](std::size_t t) {
    for (int round = 0; round < 10; ++round) must_hold(ask(10 * t) == alone[t], "the answer is the same");
  });
}

BOOST_AUTO_TEST_CASE(contexts_and_indexes_of_their_own_do_not_meet) {
  const crowded_index made(120);
  const std::string alone = answers_of(imgsim::cpu_context(1), imgsim::photo_index::open(made.index()));
  run_crowd([&](std::size_t t) {
    const imgsim::cpu_context context(1 + t % 3);
    const imgsim::photo_index index = imgsim::photo_index::open(made.index());
    must_hold(answers_of(context, index) == alone, "the answers are the same");
  });
}

BOOST_AUTO_TEST_CASE(readers_see_whole_versions_while_a_writer_replaces_them) {
  constexpr std::size_t kPhotos = 40, kChanges = 12;
  crowded_index made(kPhotos);
  std::map<std::string, std::vector<float>> known;
  for (std::size_t i = 0; i < kPhotos + kChanges; ++i) made.put(std::to_string(i) + ".jpg");
  for (const auto& photo : imgsim::scan_folder(made.photos()).photos)
    known[photo.path] = toy_embedding(made.photos() / photo.path, "m");
  for (std::size_t i = kPhotos; i < kPhotos + kChanges; ++i) made.remove(std::to_string(i) + ".jpg");
  std::atomic<bool> is_done = false;
  std::atomic<std::size_t> seen = 0;
  run_crowd([&](std::size_t t) {
    if (t == 0) {
      const set_at_end ends{is_done};
      for (std::size_t change = 0; change < kChanges; ++change) {
        made.put(std::to_string(kPhotos + change) + ".jpg");
        must_hold(update_index(made.index(), made.photos()).committed, "the change is made");
        if (change % 3 == 0) add_everything(made.index());
      }
      return;
    }
    do {
      const imgsim::photo_index index = imgsim::photo_index::open(made.index());
      const auto rows = index.embeddings();
      must_hold(rows.extent(0) == index.size(), "there is a row for each photo");
      for (std::size_t row = 0; row < index.size(); ++row)
        must_hold(std::equal(rows.row(row), rows.row(row) + kToyDimension, known.at(index.photos()[row].path).begin()),
                  "a row is that of its photo");
      if (const auto kept = index.neighbours())
        must_hold(kept->rows.extent(0) == index.size(), "neighbours are of these rows");
      ++seen;
    } while (!is_done);
  });
  BOOST_TEST(seen >= kCrowd - 1);
  BOOST_TEST(imgsim::photo_index::open(made.index()).size() == kPhotos + kChanges);
  BOOST_TEST(imgsim::verify_index(made.index()).empty());
}

BOOST_AUTO_TEST_CASE(sixteen_writers_lose_no_update) {
  constexpr std::size_t kUpdates = 5;  // of each
  const crowded_index made(20);
  std::atomic<std::size_t> refused = 0;
  run_crowd([&](std::size_t t) {
    for (std::size_t update = 0; update < kUpdates;) {
      try {
        imgsim::index_writer writer(made.index());
        nlohmann::json groups = nlohmann::json::parse(*writer.previous()->groups());
        groups["log"].push_back(t * kUpdates + update);
        writer.set_groups(groups.dump());
        must_hold(writer.commit(), "the change is made");
        ++update;
      } catch (const imgsim::io_error& reason) {
        must_hold(reason.reason().find("another imgsim") != std::string::npos, reason.what());
        ++refused;
        std::this_thread::yield();
      }
    }
  });
  const imgsim::photo_index index = imgsim::photo_index::open(made.index());
  auto log = nlohmann::json::parse(*index.groups()).at("log").get<std::vector<std::size_t>>();
  std::ranges::sort(log);
  BOOST_REQUIRE(log.size() == kCrowd * kUpdates);
  for (std::size_t i = 0; i < log.size(); ++i) BOOST_TEST(log[i] == i);
  BOOST_TEST_MESSAGE("turned away " << refused << " times");
}

BOOST_AUTO_TEST_SUITE_END()
