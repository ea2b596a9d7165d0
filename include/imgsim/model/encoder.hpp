// A trained model as a function from photos to embeddings.
#pragma once

#include <cstddef>
#include <cstdint>

#include <imgsim/core/context.hpp>
#include <imgsim/core/error.hpp>
#include <imgsim/core/tensor.hpp>
#include <imgsim/core/view.hpp>
#include <imgsim/embedding/transform.hpp>
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

  /// out[B, D] of photos [B, H, W, 3]. A photo's embedding does not depend on the batch that it comes in.
  void encode(view<const std::uint8_t, 4> photos, matrix_view<float> out) {
    if (photos.extent(0) == 0) return;  // a batch of which nothing could be decoded
    if (features_.extent(0) < photos.extent(0)) features_ = tensor<float, 2>({photos.extent(0), transform_.raw()});
    const matrix_view<float> features = features_.view().slice(0, photos.extent(0));
    extract_features(context_, network_, photos, features);
    apply_embedding(context_, transform_, features, out);
  }

 private:
  Context context_;
  autoencoder<Context> network_;
  embedding_transform transform_;
  tensor<float, 2> features_;
};

}  // namespace imgsim
