#include "pipeline/encode.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "cli/progress.hpp"

#include <imgsim/image/photo_loader.hpp>
#include <imgsim/image/resize.hpp>

namespace imgsim::app {

tensor<float, 2> encode_images(encoder& encoder, std::span<const rgb_image* const> images) {
  tensor<float, 2> embeddings({images.size(), encoder.dimension()});
  const std::size_t height = encoder.height();
  const std::size_t width = encoder.width();
  for (std::size_t begin = 0; begin < images.size(); begin += kEncodeBatch) {
    const std::size_t count = std::min(kEncodeBatch, images.size() - begin);
    tensor<std::uint8_t, 4> pixels({count, height, width, 3});
    for (std::size_t i = 0; i < count; ++i)
      resize_bilinear(images[begin + i]->view(), {pixels.data() + i * height * width * 3, {height, width, 3}});
    encoder.encode(pixels.view(), embeddings.view().slice(begin, count));
  }
  return embeddings;
}

tensor<float, 2> encode_images(encoder& encoder, std::span<const rgb_image> images) {
  std::vector<const rgb_image*> all;
  for (const rgb_image& image : images) all.push_back(&image);
  return encode_images(encoder, all);
}

namespace {

photo_files files_of(session& session, const std::filesystem::path& root, std::span<const std::string> paths) {
  return {.root = root, .paths = paths, .threads = session.threads(), .limits = session.limits()};
}

/// What becomes of the batches, one after the other.
class batch_book {
 public:
  batch_book(session& session, const char* task, std::size_t photos, const encode_files_calls& calls)
      : session_(session), calls_(calls), bar_(session.options(), task, "photos", photos) {}

  void check_stop() { session_.check_stop(calls_.consequence); }
  void count(std::size_t photos, std::span<const skipped_file> skipped) {
    for (const skipped_file& file : skipped) calls_.skip(file);
    bar_.update(done_ += photos + skipped.size());
  }
  void finish() { bar_.finish(); }

 private:
  session& session_;
  const encode_files_calls& calls_;
  progress bar_;
  std::size_t done_ = 0;
};

}  // namespace

void encode_files(session& session, encoder& encoder, const std::filesystem::path& root,
                  std::span<const std::string> paths, const encode_files_calls& calls) {
  batch_book book(session, "encode", paths.size(), calls);
  encoder.encode_files(files_of(session, root, paths), [&](const encoded_batch& batch) {
    book.check_stop();
    for (std::size_t i = 0; i < batch.rows.size(); ++i)
      calls.store(batch.rows[i], {batch.embeddings.row(i), encoder.dimension()});
    book.count(batch.rows.size(), batch.skipped);
  });
  book.finish();
}

void check_files(session& session, const encoder& encoder, const std::filesystem::path& root,
                 std::span<const std::string> paths, const encode_files_calls& calls) {
  batch_book book(session, "read", paths.size(), calls);
  const photo_files files = files_of(session, root, paths);
  photo_loader loader(root, {paths.begin(), paths.end()}, loader_options_for(encoder, files));
  while (std::optional<photo_batch> batch = loader.next()) {
    book.check_stop();
    book.count(batch->rows.size(), batch->skipped);
    loader.recycle(std::move(*batch));
  }
  book.finish();
}

}  // namespace imgsim::app
