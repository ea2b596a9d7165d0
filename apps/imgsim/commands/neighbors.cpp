#include "commands/neighbors.hpp"

#include <algorithm>
#include <iostream>
#include <memory>

#include "cli/progress.hpp"
#include "device/compute.hpp"
#include "pipeline/match_list.hpp"
#include "pipeline/open_model.hpp"
#include "pipeline/output_path.hpp"

#include <imgsim/core/file.hpp>
#include <imgsim/core/path_text.hpp>
#include <imgsim/embedding/npy.hpp>
#include <imgsim/report/escape.hpp>
#include <imgsim/report/number.hpp>

namespace imgsim::app {

namespace {

constexpr const char* kNotKept = "the neighbours are not kept in it";

}  // namespace

command_help neighbors_command::help() const {
  return {.usage = "--index IDX [options]",
          .about =
              "Finds the N photos most like each photo of the index (itself left out), exactly, and keeps them in "
              "the index as neighbors_index.npy and neighbors_similarity.npy, which imgsim query --id then reads. " +
              std::string(kSimilarityMeaning),
          .examples = {"imgsim neighbors --index photos.idx -n 20",
                       "imgsim neighbors --index photos.idx --matrix similarity.npy --export sorted.json"},
          .exit_codes = {}};
}

void neighbors_command::describe(option_set& options) {
  options.path("index", "IDX", index_, "folder made by imgsim index").required();
  options.whole("number", "N", n_, {1}, "neighbours of each photo").short_name('n');
  options.custom(
             "metric", "NAME", [this](const std::string& text) { metric_ = parse_metric(text); }, metric_choices())
      .offers(known_metrics())
      .defaults_to(metric_);
  options.path("matrix", "FILE.npy", matrix_, "also write the similarity of all pairs, float32 [M, M]");
  options.path("export", "FILE.json", export_, "also write the sorted lists, with paths");
}

void neighbors_command::write_matrix(session& session, const photo_index& index) const {
  // Tiles of about 64 MiB: the whole matrix is never held.
  const std::size_t photos = index.size();
  const std::size_t tile = std::clamp<std::size_t>((std::size_t{16} << 20) / photos, 1, photos);
  tensor<float, 2> similarity({tile, photos});
  npy_writer<float> file(*matrix_, photos, photos);
  progress bar(session.options(), "matrix", "rows", photos);
  for (std::size_t first = 0; first < photos; first += tile) {
    session.check_stop(matrix_->string() + " was not written");
    const std::size_t count = std::min(tile, photos - first);
    const matrix_view<float> rows = similarity.view().slice(0, count);
    session.device().similarity_matrix(index.embeddings().slice(first, count), index.embeddings(), metric_, rows);
    file.append(rows);
    bar.update(first + count);
  }
  file.commit();
  bar.finish();
}

void neighbors_command::write_sorted(const photo_index& index, const top_n_result& found) const {
  atomic_file file(*export_);
  file.write("{\"metric\": \"" + metric_ + "\", \"n\": " + std::to_string(found.columns()) + ", \"neighbors\": [\n");
  for (std::size_t row = 0; row < index.size(); ++row) {
    json line = to_json(match_list{index.photos()[row].path, metric_, matches_of(found, row)}, index);
    file.write(json_text({{"row", row}, {"path", line["query"]}, {"matches", line["matches"]}}, -1));
    file.write(row + 1 < index.size() ? ",\n" : "\n");
  }
  file.write("]}\n");
  file.commit();
}

exit_code neighbors_command::run(session& session) {
  // With a file to write, an index that can only be read serves as well.
  const std::unique_ptr<index_writer> writer =
      session.is_dry_run() ? nullptr
      : matrix_ || export_ ? edit_index_if_writable(session, index_, kNotKept)
                           : std::unique_ptr<index_writer>(new index_writer(edit_index(index_)));
  const photo_index index = open_index(index_);
  if (matrix_) prepare_output_file(session, *matrix_, output_kind::matrix);
  if (export_) prepare_output_file(session, *export_, output_kind::neighbours);
  if (session.is_dry_run()) {
    static_cast<void>(index.embeddings());  // damage in them is found as in a real run
    plan_index_files(session, index, {index_file::kNeighbourRows, index_file::kNeighbourSimilarity},
                     matrix_ || export_ ? kNotKept : nullptr);
    return session.finish_dry_run(index.size());
  }
  progress bar(session.options(), "neighbors", "photos", index.size());
  const auto advance = [&](std::size_t done, std::size_t total) {
    bar.update(total > 0 ? index.size() * done / total : 0);
    session.check_stop("the index is unchanged");
  };
  const top_n_result found =
      session.device().top_n(index.embeddings(), index.embeddings(), metric_,
                             {.n = n_, .exclude_self = true, .first_row = 0, .on_progress = advance});
  bar.finish();
  if (matrix_) write_matrix(session, index);
  if (export_) write_sorted(index, found);
  if (writer) {
    writer->set_neighbours(metric_, found.rows.view(), found.similarity.view());
    writer->commit();
  }

  if (session.wants_json()) {
    json document{{"index", path_to_text(index_.string())},
                  {"photos", found.queries()},
                  {"n", found.columns()},
                  {"metric", metric_}};
    if (matrix_) document["matrix"] = path_to_text(matrix_->string());
    if (export_) document["export"] = path_to_text(export_->string());
    session.print(document);
  } else {
    std::cout << (writer ? "Kept" : "Found") << " the " << found.columns() << " nearest of each of "
              << count_text(found.queries(), "photo") << " (" << metric_ << ") " << (writer ? "in " : "of ")
              << printable_utf8(index_.string()) << '\n';
  }
  return session.finish();
}

}  // namespace imgsim::app
