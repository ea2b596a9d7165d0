// A dense layer: three products by cuBLASLt, which adds the bias and applies a ReLU as it writes.
#pragma once

#include <cstddef>
#include <map>
#include <optional>

#include <imgsim/cuda/network/cublaslt.hpp>
#include <imgsim/cuda/network/launches.cuh>
#include <imgsim/cuda/network/layer.hpp>
#include <imgsim/model/layer_spec.hpp>

namespace imgsim::cuda {

/// y [B, out] = x [B, in] W [in, out] + b.
class dense_layer final : public layer {
 public:
  dense_layer(const layer_setup& setup, const dense& spec) : layer(setup), kernel_(setup.parameters[0]) {
    if (spec.bias) bias_ = setup.parameters[1];
  }

  void prepare(std::size_t photos, pass_kind pass, std::uint64_t) override {
    products& p = products_[photos];
    if (!p.forward) {
      product_epilogue epilogue;
      if (fuses_bias()) epilogue = {bias_->values, rectifies()};
      p.forward.emplace(make(photos, out_.channels, in_.channels, transposed::no, transposed::no, epilogue));
    }
    if (pass == pass_kind::inference || p.diff_in) return;
    p.diff_kernel.emplace(make(in_.channels, out_.channels, photos, transposed::yes, transposed::no, {}));
    p.diff_in.emplace(make(photos, in_.channels, out_.channels, transposed::no, transposed::yes, {}));
  }

  void forward(const layer_batch& batch) override {
    queue(*products_[batch.photos].forward, batch.in, kernel_.values, batch.out);
    if (fuses_bias() || (!bias_ && !rectifies())) return;
    queue_values(session_, batch.photos * out_.channels,
                 bias_and_rectifier{batch.out, bias_ ? bias_->values : nullptr, static_cast<unsigned>(out_.channels),
                                    rectifier_slope_});
  }

  void backward(const layer_batch& batch, const layer_gradients& gradients) override {
    const products& p = products_[batch.photos];
    if (bias_) {
      queue_channel_sums(
          session_, batch.photos, out_.channels,
          bias_gradient_term{gradients.diff_out, batch.out, static_cast<unsigned>(out_.channels), rectifier_slope_},
          store_first_sum{gradients.of(*bias_)});
    } else if (rectifies()) {
      queue_values(session_, batch.photos * out_.channels,
                   rectifier_gradient{gradients.diff_out, batch.out, gradients.diff_out, rectifier_slope_});
    }
    queue(*p.diff_kernel, batch.in, gradients.diff_out, gradients.of(kernel_));
    if (gradients.diff_in != nullptr) queue(*p.diff_in, gradients.diff_out, kernel_.values, gradients.diff_in);
  }

 private:
  struct products {
    std::optional<matrix_product> forward;
    std::optional<matrix_product> diff_kernel;
    std::optional<matrix_product> diff_in;
  };

  /// A leaky ReLU is no epilogue of cuBLASLt.
  [[nodiscard]] bool fuses_bias() const { return bias_ && (rectifier_slope_ == 0.0f || rectifier_slope_ == 1.0f); }

  [[nodiscard]] matrix_product make(std::size_t rows, std::size_t columns, std::size_t depth, transposed left,
                                    transposed right, const product_epilogue& epilogue) const {
    return {session_.products.get(),   rows, columns, depth, left, right, epilogue, session_.policy.workspace_bytes,
            session_.policy.allow_tf32};
  }

  void queue(const matrix_product& product, const float* left, const float* right, float* result) const {
    void* const workspace = session_.workspace.at_least(context(), product.workspace());
    product.queue(session_.products.get(), context().stream(), left, right, result, workspace);
  }

  parameter_view kernel_;
  std::optional<parameter_view> bias_;
  std::map<std::size_t, products> products_;  // by photos
};

}  // namespace imgsim::cuda
