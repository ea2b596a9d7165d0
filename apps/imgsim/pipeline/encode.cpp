#include "pipeline/encode.hpp"

#include <algorithm>

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

/// Calls use(batch) with the photos that decode, and calls.skip for the others.
template <class Use>
void for_each_batch(session& session, const encoder& encoder, const std::filesystem::path& root,
                    std::span<const std::string> paths, const char* task, const encode_files_calls& calls, Use&& use) {
  photo_loader loader(root, {paths.begin(), paths.end()},
                      {.height = encoder.height(),
                       .width = encoder.width(),
                       .batch = kEncodeBatch,
                       .threads = session.threads(),
                       .limits = session.limits()});
  progress bar(session.options(), task, "photos", paths.size());
  std::size_t done = 0;
  while (std::optional<photo_batch> batch = loader.next()) {
    session.check_stop(calls.consequence);
    use(*batch);
    for (const skipped_file& file : batch->skipped) calls.skip(file);
    done += batch->rows.size() + batch->skipped.size();
    bar.update(done);
    loader.recycle(std::move(*batch));
  }
  bar.finish();
}

}  // namespace

void encode_files(session& session, encoder& encoder, const std::filesystem::path& root,
                  std::span<const std::string> paths, const encode_files_calls& calls) {
  tensor<float, 2> embeddings({kEncodeBatch, encoder.dimension()});
  for_each_batch(session, encoder, root, paths, "encode", calls, [&](const photo_batch& batch) {
    const matrix_view<float> rows = embeddings.view().slice(0, batch.rows.size());
    encoder.encode(batch.pixels.view(), rows);
    for (std::size_t i = 0; i < batch.rows.size(); ++i) calls.store(batch.rows[i], {rows.row(i), encoder.dimension()});
  });
}

void check_files(session& session, const encoder& encoder, const std::filesystem::path& root,
                 std::span<const std::string> paths, const encode_files_calls& calls) {
  for_each_batch(session, encoder, root, paths, "read", calls, [](const photo_batch&) {});
}

}  // namespace imgsim::app
