// Dense layers over the whole batch. The longer side of the kernel is cut into blocks of a fixed size, one task each: a
// block of a sum over the longer side gives a partial result, and partial results are added in the order of blocks; a
// block of the kernel's gradient is one task's own. So no kernel gradient is ever held twice, however large.
//
// How oneDNN orders the sums of a product depends on its number of rows. In inference a product is therefore always of
// kBatchStep photos, the last of which may be none of the batch's: a photo's features are the same in every batch.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include <imgsim/core/simd.hpp>
#include <imgsim/cpu/network/layer.hpp>

namespace imgsim::cpu {

/// A rectangle in memory for oneDNN: extents and strides in elements, either may be transposed.
struct matrix_layout {
  std::size_t rows, columns, row_stride, column_stride;

  [[nodiscard]] dnnl::memory::desc describe(element type) const {
    const auto dim = [](std::size_t n) { return static_cast<dnnl::memory::dim>(n); };
    return {{dim(rows), dim(columns)}, onednn_type(type), {dim(row_stride), dim(column_stride)}};
  }
  [[nodiscard]] matrix_layout transposed() const { return {columns, rows, column_stride, row_stride}; }
};

/// to = a * b
[[nodiscard]] inline onednn_operation make_product(onednn_session& session, const matrix_layout& a,
                                                   const matrix_layout& b, const matrix_layout& to, element type,
                                                   element to_type) {
  const dnnl::matmul::primitive_desc product({a.describe(type), b.describe(type), to.describe(to_type)},
                                             worker_scratch(), session.engine);
  return {session,
          dnnl::matmul(product),
          {{DNNL_ARG_SRC, product.src_desc()},
           {DNNL_ARG_WEIGHTS, product.weights_desc()},
           {DNNL_ARG_DST, product.dst_desc()}},
          product.scratchpad_desc()};
}

class dense_layer final : public layer {
 public:
  dense_layer(const layer_setup& setup, const dense& spec)
      : layer(setup),
        context_(setup.context),
        kernel_(setup.parameters[0]),
        contracts_long_(in_.channels >= out_.channels) {
    if (spec.bias) bias_ = setup.parameters[1];
    const std::size_t longer = std::max(in_.channels, out_.channels);
    const std::size_t shorter = std::min(in_.channels, out_.channels);
    block_ = std::max<std::size_t>(kBlockWeights / shorter / kBlockStep, 1) * kBlockStep;
    blocks_ = (longer + block_ - 1) / block_;
    last_block_ = longer - (blocks_ - 1) * block_;
  }

  [[nodiscard]] bool is_barrier(pass_kind) const noexcept override { return true; }
  [[nodiscard]] bool computes_whole_batch() const noexcept override { return true; }

  void prepare_batch(std::size_t photos, std::size_t, pass_kind pass, std::uint64_t version) override {
    const std::size_t rows = rows_of(photos, pass);
    passes& p = passes_[rows];
    for (const bool is_last : {false, true}) {
      const std::size_t size = is_last ? last_block_ : block_;
      if (!is_last && blocks_ == 1) continue;
      block_passes& b = p.of(is_last);
      if (!b.forward) make_forward(b, rows, size);
      if (pass == pass_kind::training && !b.backward_kernel) make_backward(b, rows, size);
    }
    (void)partial_.at_least(blocks_ * whole_steps(photos) * std::min(in_.channels, out_.channels));
    if (type_ == element::bfloat16 && version != rounded_version_) round_kernel(version);
  }

  void finish_batch(const batch_data& batch) override {
    const std::size_t rows = rows_of(batch.photos, batch.pass);
    passes& p = passes_.find(rows)->second;
    for_each_task(context_, session_, blocks_, [&](worker& w, std::size_t block) {
      for (std::size_t row = 0; row < batch.photos; row += rows) {
        const auto* in = static_cast<const std::byte*>(batch.in) + row * in_.channels * size_of(type_);
        auto* out = static_cast<std::byte*>(batch.out) + row * out_.channels * size_of(out_type_);
        if (contracts_long_) {
          float* const sums = partial(block, batch.photos, out_.channels) + row * out_.channels;
          p.of(is_last(block)).forward.run(w, {in + first(block) * size_of(type_), kernel_block(block), sums});
        } else {
          p.of(is_last(block)).forward.run(w, {in, kernel_block(block), out + first(block) * size_of(out_type_)});
        }
      }
    });
    if (contracts_long_) add_partials(batch.photos, out_.channels, batch.out, out_type_);
    if (bias_) add_bias(batch);
  }

  void finish_batch_backward(const batch_data& batch) override {
    passes& p = passes_.find(batch.photos)->second;
    for_each_task(context_, session_, blocks_, [&](worker& w, std::size_t block) {
      const auto* in = static_cast<const std::byte*>(batch.in);
      const auto* diff_out = static_cast<const std::byte*>(batch.diff_out);
      auto* diff_in = static_cast<std::byte*>(batch.diff_in);
      block_passes& b = p.of(is_last(block));
      const std::size_t offset = first(block) * size_of(type_);
      float* const gradient = batch.gradients + kernel_.offset + kernel_offset(block);
      if (contracts_long_) {
        b.backward_kernel.run(w, {in + offset, diff_out, gradient});
        if (diff_in != nullptr) b.backward_data.run(w, {diff_out, kernel_block(block), diff_in + offset});
      } else {
        b.backward_kernel.run(w, {in, diff_out + offset, gradient});
        if (diff_in != nullptr) {
          b.backward_data.run(w, {diff_out + offset, kernel_block(block), partial(block, batch.photos, in_.channels)});
        }
      }
    });
    if (!contracts_long_ && batch.diff_in != nullptr) add_partials(batch.photos, in_.channels, batch.diff_in, type_);
    if (bias_) sum_bias_gradient(batch);
  }

 private:
  static constexpr std::size_t kBlockWeights = std::size_t{1} << 16;
  static constexpr std::size_t kBlockStep = 64;

  struct block_passes {
    onednn_operation forward, backward_data, backward_kernel;
  };
  struct passes {
    block_passes full, last;  // of a full block, of the last one
    [[nodiscard]] block_passes& of(bool is_last) noexcept { return is_last ? last : full; }
  };

  [[nodiscard]] bool is_last(std::size_t block) const noexcept { return block + 1 == blocks_; }
  [[nodiscard]] std::size_t first(std::size_t block) const noexcept { return block * block_; }
  [[nodiscard]] std::size_t kernel_offset(std::size_t block) const noexcept {
    return contracts_long_ ? first(block) * out_.channels : first(block);
  }
  [[nodiscard]] const void* kernel_block(std::size_t block) const noexcept {
    if (type_ == element::float32) return kernel_.values + kernel_offset(block);
    return rounded_kernel_.data() + kernel_offset(block);
  }
  [[nodiscard]] float* partial(std::size_t block, std::size_t photos, std::size_t width) noexcept {
    return partial_.data() + block * whole_steps(photos) * width;
  }

  /// Photos in one product.
  [[nodiscard]] static std::size_t rows_of(std::size_t photos, pass_kind pass) noexcept {
    return pass == pass_kind::inference ? kBatchStep : photos;
  }

  [[nodiscard]] matrix_layout in_block(std::size_t rows, std::size_t size) const {
    return {rows, contracts_long_ ? size : in_.channels, in_.channels, 1};
  }
  [[nodiscard]] matrix_layout out_block(std::size_t rows, std::size_t size) const {
    return {rows, contracts_long_ ? out_.channels : size, out_.channels, 1};
  }
  [[nodiscard]] matrix_layout kernel_layout(std::size_t size) const {
    return {contracts_long_ ? size : in_.channels, contracts_long_ ? out_.channels : size, out_.channels, 1};
  }

  void make_forward(block_passes& b, std::size_t rows, std::size_t size) {
    b.forward = make_product(session_, in_block(rows, size), kernel_layout(size), out_block(rows, size), type_,
                             contracts_long_ ? element::float32 : out_type_);
  }
  void make_backward(block_passes& b, std::size_t rows, std::size_t size) {
    if (differentiates_input_) {
      b.backward_data = make_product(session_, out_block(rows, size), kernel_layout(size).transposed(),
                                     in_block(rows, size), type_, contracts_long_ ? type_ : element::float32);
    }
    b.backward_kernel = make_product(session_, in_block(rows, size).transposed(), out_block(rows, size),
                                     kernel_layout(size), type_, element::float32);
  }

  void round_kernel(std::uint64_t version) {
    bfloat16* const rounded = rounded_kernel_.at_least(kernel_.size);
    for_each_task(context_, session_, (kernel_.size + kBlockWeights - 1) / kBlockWeights, [&](worker&, std::size_t i) {
      const std::size_t begin = i * kBlockWeights;
      const std::size_t end = std::min(begin + kBlockWeights, kernel_.size);
      vectorised([=, this]() IMGSIM_VECTORISED {
        for (std::size_t k = begin; k < end; ++k) store_float(rounded + k, kernel_.values[k]);
      });
    });
    rounded_version_ = version;
  }

  void add_partials(std::size_t photos, std::size_t width, void* to, element to_type) {
    visit_element(to_type, [&]<class T>(T*) {
      for (std::size_t i = 0; i < photos * width; ++i) {
        float sum = 0.0f;
        for (std::size_t block = 0; block < blocks_; ++block) sum += partial(block, photos, width)[i];
        store_float(static_cast<T*>(to) + i, sum);
      }
    });
  }

  void add_bias(const batch_data& batch) {
    visit_element(out_type_, [&]<class T>(T*) {
      for_each_task(context_, session_, batch.photos, [&](worker&, std::size_t b) {
        T* const row = static_cast<T*>(batch.out) + b * out_.channels;
        vectorised([row, bias = bias_->values, n = out_.channels]() IMGSIM_VECTORISED {
          for (std::size_t c = 0; c < n; ++c) store_float(row + c, load_float(row + c) + bias[c]);
        });
      });
    });
  }

  void sum_bias_gradient(const batch_data& batch) {
    visit_element(type_, [&]<class T>(T*) {
      const T* const diff_out = static_cast<const T*>(batch.diff_out);
      vectorised([=, sum = batch.gradients + bias_->offset, n = out_.channels]() IMGSIM_VECTORISED {
        std::fill_n(sum, n, 0.0f);
        for (std::size_t b = 0; b < batch.photos; ++b) {
          for (std::size_t c = 0; c < n; ++c) sum[c] += load_float(diff_out + b * n + c);
        }
      });
    });
  }

  const cpu_context& context_;
  parameter_view kernel_;
  std::optional<parameter_view> bias_;
  bool contracts_long_;  // the input is the longer side
  std::size_t block_ = 0, blocks_ = 0, last_block_ = 0;
  std::map<std::size_t, passes> passes_;  // by photos in a product
  growing_buffer<float> partial_;         // [blocks, photos, shorter side]
  growing_buffer<bfloat16> rounded_kernel_;
  std::uint64_t rounded_version_ = 0;
};

}  // namespace imgsim::cpu
