// A trained model as a function from photos to embeddings.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <imgsim/core/context.hpp>
#include <imgsim/core/error.hpp>
#include <imgsim/core/tensor.hpp>
#include <imgsim/core/view.hpp>
#include <imgsim/embedding/transform.hpp>
#include <imgsim/image/photo_batch.hpp>
#include <imgsim/model/autoencoder.hpp>
#include <imgsim/model/features.hpp>
#include <imgsim/model/model_file.hpp>

namespace imgsim {

/// The network and the embedding made from its features. Movable; to be used from one thread at a time.
///
///   imgsim::photo_encoder encoder(cpu, imgsim::read_model("cats.safetensors"));
///   imgsim::tensor<float, 2> embeddings({photos.extent(0), encoder.dimension()});
///   encoder.encode(photos, embeddings.view());
template <execution_context Context>
class photo_encoder {
 public:
  /// Copies weights and embedding. Throws invalid_argument where the machine lacks what `arithmetic` needs, or the
  /// parts of the model do not fit together.
  photo_encoder(const Context& context, const model_file& model, precision arithmetic = precision::float32)
      : context_(context), network_(context, model.description, arithmetic, 0), transform_(model.embedding.clone()) {
    network_.load_state(model.state);
    IMGSIM_EXPECTS(transform_.raw() == feature_width(network_), "the embedding is for ", transform_.raw(),
                   " features, the network and photo statistics have ", feature_width(network_));
  }

  [[nodiscard]] const architecture& description() const noexcept { return network_.description(); }
  [[nodiscard]] std::size_t height() const noexcept { return network_.height(); }
  [[nodiscard]] std::size_t width() const noexcept { return network_.width(); }
  /// D
  [[nodiscard]] std::size_t dimension() const noexcept { return transform_.dimension(); }

  /// out[B, D] of photos [B, H, W, 3]. A photo's embedding does not depend on the batch that it comes in; with
  /// embedding_spec::mirror it is, bit for bit, its mirror image's.
  void encode(view<const std::uint8_t, 4> photos, matrix_view<float> out) {
    const std::size_t count = photos.extent(0);
    if (count == 0) return;  // a batch of which nothing could be decoded
    embed(photos, out);
    if (!description().embedding.mirror) return;
    if (mirrored_.extent(0) < count) {
      mirrored_ = tensor<std::uint8_t, 4>({count, photos.extent(1), photos.extent(2), 3});
      of_mirrored_ = tensor<float, 2>({count, dimension()});
    }
    const view<std::uint8_t, 4> mirrored = mirrored_.view().slice(0, count);
    const matrix_view<float> of_mirrored = of_mirrored_.view().slice(0, count);
    context_.host_pool().for_each(count, [&](std::size_t i) {
      const auto photo = photo_at(photos, i);
      const auto turned = photo_at(mirrored, i);
      for (std::size_t y = 0; y < photo.extent(0); ++y)
        std::copy_n(&photo(y, 0, 0), 3 * photo.extent(1), &turned(y, 0, 0));
      mirror(turned);
    });
    embed(mirrored, of_mirrored);
    for (std::size_t i = 0; i < count; ++i) {
      float* const y = out.row(i);
      for (std::size_t d = 0; d < dimension(); ++d) y[d] = 0.5F * (y[d] + of_mirrored(i, d));
      if (transform_.normalise) detail::scale_to_length(y, dimension(), 1.0);
    }
  }

 private:
  void embed(view<const std::uint8_t, 4> photos, matrix_view<float> out) {
    if (features_.extent(0) < photos.extent(0)) features_ = tensor<float, 2>({photos.extent(0), transform_.raw()});
    const matrix_view<float> features = features_.view().slice(0, photos.extent(0));
    extract_features(context_, network_, photos, features);
    apply_embedding(context_, transform_, features, out);
  }

  Context context_;
  autoencoder<Context> network_;
  embedding_transform transform_;
  tensor<float, 2> features_, of_mirrored_;
  tensor<std::uint8_t, 4> mirrored_;
};

}  // namespace imgsim
