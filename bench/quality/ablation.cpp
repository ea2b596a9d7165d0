// What each step of the default preset's embedding gains, on a folder whose subfolders are labels:
//
//   ablation FOLDER MODEL [THREADS]
//
// MODEL is trained on FOLDER. Its network encodes the photos once; each line fits an embedding to those features, with
// one step more or less, and asks for every photo's nearest by cosine. Labels are used for nothing but the figures.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <iostream>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <imgsim/cpu/context.hpp>
#include <imgsim/cpu/network.hpp>
#include <imgsim/cpu/search.hpp>
#include <imgsim/embedding/fit_embedding.hpp>
#include <imgsim/evaluate/retrieval.hpp>
#include <imgsim/image/folder.hpp>
#include <imgsim/image/image.hpp>
#include <imgsim/image/photo_batch.hpp>
#include <imgsim/image/photo_variants.hpp>
#include <imgsim/metric/cosine.hpp>
#include <imgsim/model/model_file.hpp>
#include <imgsim/model/photo_source.hpp>
#include <imgsim/model/presets.hpp>
#include <imgsim/model/sample_features.hpp>
#include <imgsim/report/number.hpp>
#include <imgsim/report/table.hpp>

namespace {

using namespace imgsim;

struct labelled_features {
  tensor<float, 2> rows;      // [M, raw]: the network's, then every statistic's
  tensor<float, 2> mirrored;  // of the photos' mirror images
  photo_labels labels;
  std::size_t network = 0;  // width of the network's
};

const embedding_spec kDefault = preset("default").embedding;

/// A photo_source of the mirror images of another's photos.
struct mirror_images {
  photo_set& photos;

  [[nodiscard]] std::size_t size() const { return photos.size(); }
  [[nodiscard]] std::string fingerprint() const { return photos.fingerprint() + " mirrored"; }
  void plan(std::span<const std::size_t> rows, std::size_t batch) { photos.plan(rows, batch); }
  void load(std::span<const std::size_t> rows, view<std::uint8_t, 4> out) {
    photos.load(rows, out);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const rgb_image turned = mirrored(photo_at(out, i));
      std::ranges::copy(turned.pixels, out.data() + i * out.stride(0));
    }
  }
};

labelled_features read_features(const cpu_context& cpu, const std::filesystem::path& folder,
                                const std::filesystem::path& model_path) {
  model_file model = read_model(model_path);
  model.description.embedding.statistics = kDefault.statistics;
  autoencoder network(cpu, model.description, precision::float32, 0);
  network.load_state(model.state);
  std::vector<std::string> paths;
  for (const photo_file& photo : scan_folder(folder).photos) paths.push_back(photo.path);
  opened_photos opened = open_photos(folder, paths, {.loader = {.height = network.height(), .width = network.width()}});
  std::vector<std::string> labels;
  for (const std::string& path : opened.paths) labels.push_back(label_of(path));
  if (labels.size() > kMaxFittedPhotos) throw invalid_argument("at most 8192 photos: the sample would leave some out");
  mirror_images turned{opened.photos};
  return {.rows = sample_features(cpu, network, opened.photos),
          .mirrored = sample_features(cpu, network, turned),
          .labels = number_labels(labels),
          .network = network.feature_size()};
}

/// Columns [first, first + width) of every row.
tensor<float, 2> columns(const tensor<float, 2>& all, std::size_t first, std::size_t width) {
  tensor<float, 2> out({all.extent(0), width});
  for (std::size_t i = 0; i < all.extent(0); ++i) std::copy_n(all.view().row(i) + first, width, out.view().row(i));
  return out;
}
labelled_features every_other(const labelled_features& all, std::size_t begin) {
  labelled_features half{.rows = tensor<float, 2>({(all.rows.extent(0) - begin + 1) / 2, all.rows.extent(1)}),
                         .mirrored = {},
                         .labels = {.names = all.labels.names, .of = {}},
                         .network = all.network};
  for (std::size_t i = 0; i < half.rows.extent(0); ++i) {
    std::copy_n(all.rows.view().row(begin + 2 * i), all.rows.extent(1), half.rows.view().row(i));
    half.labels.of.push_back(all.labels.of[begin + 2 * i]);
  }
  return half;
}

constexpr std::size_t kMatches = 10;

struct ablation {
  const cpu_context& cpu;
  text_table table;

  void add(const std::string& name, const embedding_transform& transform, const tensor<float, 2>& features,
           const photo_labels& labels) {
    tensor<float, 2> embeddings({features.extent(0), transform.dimension()});
    apply_embedding(cpu, transform, features.view(), embeddings.view());
    add(name, transform.dimension(),
        evaluate_retrieval(cpu, std::as_const(embeddings).view(), cosine{}, labels, kMatches));
  }

  /// The photos' embeddings against, and as, the mean of theirs and their mirror images'.
  void add_flips(const embedding_transform& transform, const labelled_features& data) {
    const std::size_t photos = data.rows.extent(0), dimension = transform.dimension();
    tensor<float, 2> upright({photos, dimension}), mean({photos, dimension});
    apply_embedding(cpu, transform, data.rows.view(), upright.view());
    apply_embedding(cpu, transform, data.mirrored.view(), mean.view());
    std::ranges::transform(upright, mean, mean.begin(), [](float a, float b) { return a + b; });  // for the cosine
    add("default, mean with the mirror image", dimension,
        evaluate_retrieval(cpu, std::as_const(mean).view(), cosine{}, data.labels, kMatches));
    retrieval_accumulator asked_by_mean(data.labels, kMatches);
    const top_n_result found = top_n(cpu, std::as_const(upright).view(), std::as_const(mean).view(), cosine{},
                                     {.n = photos, .exclude_self = true, .first_row = 0});
    asked_by_mean.add(found.rows.view(), 0);
    add("default, the query alone so", dimension, asked_by_mean.report());
  }

  void add(const std::string& name, std::size_t dimension, const retrieval_report& found) {
    table.add_row({name, std::to_string(dimension), fixed_text(found.all.precision, 3),
                   fixed_text(found.all.average_precision, 3)});
  }
};

void run(const cpu_context& cpu, const labelled_features& data) {
  ablation lines{.cpu = cpu,
                 .table = {.columns = {{"embedding"},
                                       {"D", alignment::right},
                                       {"precision@10", alignment::right},
                                       {"mAP", alignment::right}},
                           .rows = {}}};
  embedding_spec alone = kDefault;
  alone.statistics.clear();
  std::size_t first = 0;
  for (std::size_t p = 0; p <= kDefault.statistics.size(); ++p) {
    const std::string name = p == 0 ? "network" : std::string(entry_of(kDefault.statistics[p - 1]).name);
    const tensor<float, 2> part =
        columns(data.rows, first, p == 0 ? data.network : entry_of(kDefault.statistics[p - 1]).width);
    first += part.extent(1);
    lines.add(name + " alone, whitened", fit_embedding(cpu, part.view(), alone), part, data.labels);
  }
  const auto step = [&](const std::string& name, const agreement_steps& steps) {
    lines.add(name, fit_embedding(cpu, data.rows.view(), kDefault, steps), data.rows, data.labels);
  };
  step("all four, alike", {.directions = false, .weights = false, .kinds = false});
  step("+ directions", {.weights = false, .kinds = false});
  step("+ weights", {.kinds = false});
  step("+ kinds: the default", {});
  step("default without directions", {.directions = false});

  lines.add_flips(fit_embedding(cpu, data.rows.view(), kDefault), data);

  labelled_features blind{.rows = data.rows.clone(), .mirrored = {}, .labels = data.labels, .network = data.network};
  for (std::size_t i = 0; i < blind.rows.extent(0); ++i) std::fill_n(blind.rows.view().row(i), data.network, 0.0F);
  lines.add("default without the network", fit_embedding(cpu, blind.rows.view(), kDefault), blind.rows, data.labels);

  const labelled_features seen = every_other(data, 0);
  const labelled_features unseen = every_other(data, 1);
  lines.add("half the photos, fitted to them", fit_embedding(cpu, unseen.rows.view(), kDefault), unseen.rows,
            unseen.labels);
  lines.add("half the photos, fitted to the others", fit_embedding(cpu, seen.rows.view(), kDefault), unseen.rows,
            unseen.labels);
  std::cout << to_text(lines.table);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3 || argc > 4) {
    std::cerr << "usage: ablation FOLDER MODEL [THREADS]\n";
    return 2;
  }
  try {
    const cpu_context cpu(argc > 3 ? std::strtoul(argv[3], nullptr, 10) : 0);
    run(cpu, read_features(cpu, argv[1], argv[2]));
  } catch (const std::exception& e) {
    std::cerr << "ablation: " << e.what() << '\n';
    return 1;
  }
  return 0;
}
