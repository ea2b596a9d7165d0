#include "device/mpi/shared_encoding.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include "device/mpi/row_messages.hpp"

#include <imgsim/core/tensor.hpp>

namespace imgsim::app {

namespace {

/// Names as one text: each ends in a zero, which no name holds.
[[nodiscard]] std::vector<std::string> split(const std::vector<char>& names) {
  std::vector<std::string> all;
  for (auto begin = names.begin(); begin != names.end();) {
    const auto end = std::find(begin, names.end(), '\0');
    all.emplace_back(begin, end);
    begin = end + 1;
  }
  return all;
}

/// A batch of some rank.
struct batch_of_rank {
  std::vector<std::uint8_t> is_decoded;  // [photos]
  tensor<float, 2> embeddings;           // [photos, D], by place; of those that decoded
  std::vector<skipped_file> skipped;     // of rank 0's own
};

/// The batches of a rank, the next one decoding while one is encoded.
class own_batches {
 public:
  own_batches(encoder& encoder, const photo_files& files)
      : encoder_(encoder),
        left_(files.paths.size()),
        loader_(files.root, {files.paths.begin(), files.paths.end()}, loader_options_for(encoder, files)) {}

  [[nodiscard]] std::optional<batch_of_rank> next() {
    std::optional<photo_batch> batch = loader_.next();
    if (!batch) return std::nullopt;
    const std::size_t photos = std::min(left_, kEncodeBatch), dimension = encoder_.dimension();
    tensor<float, 2> packed({batch->rows.size(), dimension});
    encoder_.encode(batch->pixels.view(), packed.view());
    batch_of_rank found{.is_decoded = std::vector<std::uint8_t>(photos),
                        .embeddings = tensor<float, 2>({photos, dimension}),
                        .skipped = std::move(batch->skipped)};
    for (std::size_t i = 0; i < batch->rows.size(); ++i) {
      const std::size_t place = batch->rows[i] - done_;
      found.is_decoded[place] = 1;
      std::copy_n(packed.view().row(i), dimension, found.embeddings.view().row(place));
    }
    done_ += photos;
    left_ -= photos;
    loader_.recycle(std::move(*batch));
    return found;
  }

 private:
  encoder& encoder_;
  std::size_t done_ = 0, left_;
  photo_loader loader_;
};

void send(const mpi::communicator& ranks, const batch_of_rank& batch) {
  send_rows(ranks, matrix_view<const std::uint8_t>(batch.is_decoded.data(), {1, batch.is_decoded.size()}), 0);
  send_rows(ranks, batch.embeddings.view(), 0);
}

void receive(const mpi::communicator& ranks, batch_of_rank& batch, std::size_t from) {
  receive_rows(ranks, matrix_view<std::uint8_t>(batch.is_decoded.data(), {1, batch.is_decoded.size()}), from);
  receive_rows(ranks, batch.embeddings.view(), from);
}

/// What the rank of a batch could not decode, of `files`.
void try_again(encoder& encoder, const photo_files& files, batch_of_rank& batch) {
  std::vector<std::string> failed;
  std::vector<std::size_t> places;
  for (std::size_t place = 0; place < files.paths.size(); ++place) {
    if (batch.is_decoded[place] != 0) continue;
    failed.push_back(files.paths[place]);
    places.push_back(place);
  }
  if (failed.empty()) return;
  photo_files again = files;
  again.paths = failed;
  encode_files_here(encoder, again, [&](const encoded_batch& found) {
    for (std::size_t i = 0; i < found.rows.size(); ++i) {
      const std::size_t place = places[found.rows[i]];
      batch.is_decoded[place] = 1;
      std::copy_n(found.embeddings.row(i), encoder.dimension(), batch.embeddings.view().row(place));
    }
    batch.skipped.insert(batch.skipped.end(), found.skipped.begin(), found.skipped.end());
  });
}

/// `batch` of the photos from position `first` on.
void hand_on(batch_of_rank& batch, std::size_t first, const std::function<void(const encoded_batch&)>& use) {
  std::vector<std::size_t> rows;
  const matrix_view<float> embeddings = batch.embeddings.view();
  for (std::size_t place = 0; place < batch.is_decoded.size(); ++place) {
    if (batch.is_decoded[place] == 0) continue;
    if (place > rows.size()) std::copy_n(embeddings.row(place), embeddings.extent(1), embeddings.row(rows.size()));
    rows.push_back(first + place);
  }
  use({.rows = rows, .embeddings = embeddings.slice(0, rows.size()), .skipped = batch.skipped});
}

/// The paths that are this rank's, of `paths` on rank 0.
[[nodiscard]] std::vector<std::string> hand_out(mpi::lockstep& together, const mpi::communicator& ranks,
                                                std::span<const std::string> paths) {
  const std::size_t size = ranks.size(), rank = ranks.rank();
  std::vector<std::vector<char>> names(size);
  for (std::size_t i = 0; i < paths.size(); ++i) {
    std::vector<char>& of = names[i / kEncodeBatch % size];
    of.insert(of.end(), paths[i].c_str(), paths[i].c_str() + paths[i].size() + 1);
  }
  std::vector<std::uint64_t> lengths;
  for (const std::vector<char>& each : names) lengths.push_back(each.size());
  together.step();
  ranks.broadcast(std::span(lengths), 0);
  names[rank].resize(lengths[rank]);
  together.step();
  if (rank > 0) {
    receive_rows(ranks, matrix_view<char>(names[rank].data(), {names[rank].size(), 1}), 0);
  } else {
    for (std::size_t to = 1; to < size; ++to)
      send_rows(ranks, matrix_view<const char>(names[to].data(), {names[to].size(), 1}), to);
  }
  return split(names[rank]);
}

}  // namespace

void encode_together(mpi::lockstep& together, const mpi_context& context, encoder& encoder,
                     const std::filesystem::path& root, const decode_limits& limits, std::span<const std::string> paths,
                     const std::function<void(const encoded_batch&)>& use) {
  const mpi::communicator& ranks = context.ranks();
  std::uint64_t photos = paths.size();
  const std::vector<std::string> mine = hand_out(together, ranks, paths);
  photo_files files{.root = root, .paths = mine, .threads = context.local().threads(), .limits = limits};
  own_batches batches(encoder, files);
  together.step();
  ranks.broadcast(std::span(&photos, 1), 0);
  const std::size_t together_at_once = ranks.size() * kEncodeBatch;
  for (std::size_t first = 0; first < photos; first += together_at_once) {
    std::optional<batch_of_rank> own = batches.next();
    std::vector<batch_of_rank> all;  // on rank 0
    for (std::size_t begin = first; begin < std::min(paths.size(), first + together_at_once); begin += kEncodeBatch) {
      if (begin == first) {
        all.push_back(std::move(*own));
        continue;
      }
      const std::size_t count = std::min(kEncodeBatch, paths.size() - begin);
      all.push_back({.is_decoded = std::vector<std::uint8_t>(count),
                     .embeddings = tensor<float, 2>({count, encoder.dimension()}),
                     .skipped = {}});
    }
    together.step();
    if (ranks.rank() > 0) {
      if (own) send(ranks, *own);
      continue;
    }
    // All of them before any is used: the other ranks wait until theirs has come.
    for (std::size_t rank = 1; rank < all.size(); ++rank) receive(ranks, all[rank], rank);
    for (std::size_t rank = 0; rank < all.size(); ++rank) {
      const std::size_t begin = first + rank * kEncodeBatch;
      files.paths = paths.subspan(begin, all[rank].is_decoded.size());
      if (rank > 0) try_again(encoder, files, all[rank]);
      hand_on(all[rank], begin, use);
    }
  }
}

}  // namespace imgsim::app
