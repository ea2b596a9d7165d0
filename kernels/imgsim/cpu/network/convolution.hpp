// Convolution and its transpose. Both are the three passes of one oneDNN convolution between a fine side and a coarse
// side, with different names:
//
//                      convolution            transposed convolution
//   fine -> coarse     forward                backward
//   coarse -> fine     backward               forward
//   (fine, coarse)     kernel gradient        kernel gradient
//
// Kernels are [kernel_h, kernel_w, fine channels, coarse channels] in both (layer_spec.hpp). Activations are channels
// last; kernels are packed into the layout that oneDNN asks for whenever they have changed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include <imgsim/cpu/network/elementwise.hpp>
#include <imgsim/cpu/network/layer.hpp>
#include <imgsim/model/layer_shapes.hpp>

namespace imgsim::detail {

/// What both kinds share in their specification.
struct convolution_window {
  extent_2d kernel;
  extent_2d stride;
  padding_kind padding;
};

/// oneDNN's descriptors for shards of `photos`.
class convolution_layouts {
 public:
  convolution_layouts(const convolution_window& window, const feature_shape& fine, const feature_shape& coarse,
                      element type, std::size_t photos)
      : fine_shape_(fine), coarse_shape_(coarse), photos_(photos), type_(type) {
    const window_extent rows = slide_window(fine.height, window.kernel.height, window.stride.height, window.padding);
    const window_extent columns = slide_window(fine.width, window.kernel.width, window.stride.width, window.padding);
    kernel_ = dims({coarse.channels, fine.channels, window.kernel.height, window.kernel.width});
    strides_ = dims({window.stride.height, window.stride.width});
    before_ = dims({rows.pad_before, columns.pad_before});
    after_ = dims({rows.pad_after, columns.pad_after});
  }

  [[nodiscard]] dnnl::memory::desc fine(element type) const { return image(fine_shape_, type); }
  [[nodiscard]] dnnl::memory::desc coarse(element type) const { return image(coarse_shape_, type); }
  [[nodiscard]] dnnl::memory::desc plain_kernel() const {
    return {kernel_, dnnl::memory::data_type::f32, dnnl::memory::format_tag::hwio};
  }
  [[nodiscard]] dnnl::memory::desc any_kernel(element type) const {
    return {kernel_, onednn_type(type), dnnl::memory::format_tag::any};
  }
  [[nodiscard]] dnnl::memory::desc bias() const {
    return {dims({coarse_shape_.channels}), dnnl::memory::data_type::f32, dnnl::memory::format_tag::a};
  }

  [[nodiscard]] dnnl::convolution_forward::primitive_desc forward(const dnnl::engine& engine, element coarse_type,
                                                                  bool with_bias,
                                                                  std::optional<double> activation) const {
    dnnl::primitive_attr attributes = worker_scratch();
    if (activation) {
      dnnl::post_ops after;
      after.append_eltwise(1.0f, dnnl::algorithm::eltwise_relu, static_cast<float>(*activation), 0.0f);
      attributes.set_post_ops(after);
    }
    return {{dnnl::prop_kind::forward_training, dnnl::algorithm::convolution_direct, fine(type_), any_kernel(type_),
             with_bias ? bias() : dnnl::memory::desc(), coarse(coarse_type), strides_, before_, after_},
            attributes,
            engine};
  }
  [[nodiscard]] dnnl::convolution_backward_data::primitive_desc backward_data(const dnnl::engine& engine,
                                                                              element fine_type) const {
    return {{dnnl::algorithm::convolution_direct, fine(fine_type), any_kernel(type_), coarse(type_), strides_, before_,
             after_},
            worker_scratch(),
            engine,
            forward(engine, type_, false, std::nullopt)};
  }
  [[nodiscard]] dnnl::convolution_backward_weights::primitive_desc backward_kernel(const dnnl::engine& engine,
                                                                                   bool with_bias) const {
    return {{dnnl::algorithm::convolution_direct, fine(type_), any_kernel(element::float32),
             with_bias ? bias() : dnnl::memory::desc(), coarse(type_), strides_, before_, after_},
            worker_scratch(),
            engine,
            forward(engine, type_, false, std::nullopt)};
  }

 private:
  [[nodiscard]] static dnnl::memory::dims dims(std::initializer_list<std::size_t> extents) {
    dnnl::memory::dims out;
    for (const std::size_t e : extents) out.push_back(static_cast<dnnl::memory::dim>(e));
    return out;
  }
  [[nodiscard]] dnnl::memory::desc image(const feature_shape& s, element type) const {
    return {dims({photos_, s.channels, s.height, s.width}), onednn_type(type), dnnl::memory::format_tag::nhwc};
  }

  feature_shape fine_shape_;
  feature_shape coarse_shape_;
  std::size_t photos_;
  element type_;
  dnnl::memory::dims kernel_, strides_, before_, after_;
};

/// A kernel in the layout that one primitive wants, repacked when the parameters have changed.
class packed_kernel {
 public:
  packed_kernel() = default;
  packed_kernel(onednn_session& session, const dnnl::memory::desc& plain, const dnnl::memory::desc& wanted)
      : pack_(make_reorder(session, plain, wanted, false)), packed_({wanted.get_size()}) {}

  void refresh(onednn_session& session, const float* plain, std::uint64_t version) {
    if (version_ == version) return;
    pack_.run(session.workers.front(), {plain, packed_.data()});
    version_ = version;
  }
  [[nodiscard]] const void* data() const noexcept { return packed_.data(); }

 private:
  onednn_operation pack_;
  tensor<std::byte, 1> packed_;
  std::uint64_t version_ = 0;
};

/// The three passes for shards of one size.
struct convolution_passes {
  onednn_operation to_coarse, to_fine, to_kernel;
  packed_kernel kernel_to_coarse, kernel_to_fine;
  onednn_operation add_kernel_gradient;  // from the primitive's layout, onto the plain sum
  std::size_t gradient_size = 0;         // floats of the primitive's layout

  void make_to_coarse(onednn_session& session, const convolution_layouts& layouts, element coarse_type, bool with_bias,
                      std::optional<double> activation) {
    const auto pass = layouts.forward(session.engine, coarse_type, with_bias, activation);
    std::vector<onednn_operation::argument> arguments{
        {DNNL_ARG_SRC, pass.src_desc()}, {DNNL_ARG_WEIGHTS, pass.weights_desc()}, {DNNL_ARG_DST, pass.dst_desc()}};
    if (with_bias) arguments.push_back({DNNL_ARG_BIAS, pass.bias_desc()});
    to_coarse = {session, dnnl::convolution_forward(pass), std::move(arguments), pass.scratchpad_desc()};
    kernel_to_coarse = {session, layouts.plain_kernel(), pass.weights_desc()};
  }
  void make_to_fine(onednn_session& session, const convolution_layouts& layouts, element fine_type) {
    const auto pass = layouts.backward_data(session.engine, fine_type);
    to_fine = {session,
               dnnl::convolution_backward_data(pass),
               {{DNNL_ARG_DIFF_DST, pass.diff_dst_desc()},
                {DNNL_ARG_WEIGHTS, pass.weights_desc()},
                {DNNL_ARG_DIFF_SRC, pass.diff_src_desc()}},
               pass.scratchpad_desc()};
    kernel_to_fine = {session, layouts.plain_kernel(), pass.weights_desc()};
  }
  void make_to_kernel(onednn_session& session, const convolution_layouts& layouts, bool with_bias) {
    const auto pass = layouts.backward_kernel(session.engine, with_bias);
    std::vector<onednn_operation::argument> arguments{{DNNL_ARG_SRC, pass.src_desc()},
                                                      {DNNL_ARG_DIFF_DST, pass.diff_dst_desc()},
                                                      {DNNL_ARG_DIFF_WEIGHTS, pass.diff_weights_desc()}};
    if (with_bias) arguments.push_back({DNNL_ARG_DIFF_BIAS, pass.diff_bias_desc()});
    to_kernel = {session, dnnl::convolution_backward_weights(pass), std::move(arguments), pass.scratchpad_desc()};
    add_kernel_gradient = make_reorder(session, pass.diff_weights_desc(), layouts.plain_kernel(), true);
    gradient_size = pass.diff_weights_desc().get_size() / sizeof(float);
  }
};

class convolution_layer final : public layer {
 public:
  /// `activation`: the slope at negative values of the ReLU to apply at once; the activation's own layer then has
  /// nothing left to do forward.
  convolution_layer(const layer_setup& setup, const convolution& spec, std::optional<double> activation)
      : layer(setup),
        window_{spec.kernel, spec.stride, spec.padding},
        activation_(activation),
        kernel_(setup.parameters[0]) {
    if (spec.bias) bias_ = setup.parameters[1];
  }

  void prepare(std::size_t photos, pass_kind pass, std::uint64_t version) override {
    convolution_passes& passes = passes_[photos];
    const convolution_layouts layouts(window_, in_, out_, type_, photos);
    if (!passes.to_coarse) passes.make_to_coarse(session_, layouts, out_type_, bias_.has_value(), activation_);
    passes.kernel_to_coarse.refresh(session_, kernel_.values, version);
    if (pass == pass_kind::inference) return;
    if (!passes.to_kernel) {
      passes.make_to_fine(session_, layouts, type_);
      passes.make_to_kernel(session_, layouts, bias_.has_value());
    }
    passes.kernel_to_fine.refresh(session_, kernel_.values, version);
  }

  void forward(worker& w, const shard_data& shard) override {
    convolution_passes& passes = passes_.find(shard.photos)->second;
    if (bias_) {
      passes.to_coarse.run(w, {shard.in, passes.kernel_to_coarse.data(), shard.out, bias_->values});
    } else {
      passes.to_coarse.run(w, {shard.in, passes.kernel_to_coarse.data(), shard.out});
    }
  }

  void backward(worker& w, const shard_data& shard) override {
    convolution_passes& passes = passes_.find(shard.photos)->second;
    float* kernel_gradient = w.scratch.at_least(passes.gradient_size + out_.channels);
    float* bias_gradient = kernel_gradient + passes.gradient_size;
    if (bias_) {
      passes.to_kernel.run(w, {shard.in, shard.diff_out, kernel_gradient, bias_gradient});
      float* sum = shard.gradients + bias_->offset;
      for (std::size_t c = 0; c < out_.channels; ++c) sum[c] += bias_gradient[c];
    } else {
      passes.to_kernel.run(w, {shard.in, shard.diff_out, kernel_gradient});
    }
    passes.add_kernel_gradient.run(w, {kernel_gradient, shard.gradients + kernel_.offset});
    if (shard.diff_in != nullptr) {
      passes.to_fine.run(w, {shard.diff_out, passes.kernel_to_fine.data(), shard.diff_in});
    }
  }

 private:
  convolution_window window_;
  std::optional<double> activation_;
  parameter_view kernel_;
  std::optional<parameter_view> bias_;
  std::map<std::size_t, convolution_passes> passes_;
};

class transposed_convolution_layer final : public layer {
 public:
  transposed_convolution_layer(const layer_setup& setup, const transposed_convolution& spec,
                               std::optional<double> activation)
      : layer(setup),
        window_{spec.kernel, spec.stride, spec.padding},
        activation_(activation),
        kernel_(setup.parameters[0]) {
    if (spec.bias) bias_ = setup.parameters[1];
  }

  void prepare(std::size_t photos, pass_kind pass, std::uint64_t version) override {
    convolution_passes& passes = passes_[photos];
    const convolution_layouts layouts(window_, out_, in_, type_, photos);
    if (!passes.to_fine) passes.make_to_fine(session_, layouts, out_type_);
    passes.kernel_to_fine.refresh(session_, kernel_.values, version);
    if (pass == pass_kind::inference) return;
    if (!passes.to_kernel) {
      passes.make_to_coarse(session_, layouts, type_, false, std::nullopt);
      passes.make_to_kernel(session_, layouts, false);
    }
    passes.kernel_to_coarse.refresh(session_, kernel_.values, version);
  }

  void forward(worker& w, const shard_data& shard) override {
    convolution_passes& passes = passes_.find(shard.photos)->second;
    passes.to_fine.run(w, {shard.in, passes.kernel_to_fine.data(), shard.out});
    if (bias_ || activation_) {
      add_bias_and_activate(shard.out, out_type_, shard.photos * out_.pixels(), out_.channels,
                            bias_ ? bias_->values : nullptr, activation_.value_or(1.0));
    }
  }

  void backward(worker& w, const shard_data& shard) override {
    convolution_passes& passes = passes_.find(shard.photos)->second;
    float* kernel_gradient = w.scratch.at_least(passes.gradient_size);
    passes.to_kernel.run(w, {shard.diff_out, shard.in, kernel_gradient});
    passes.add_kernel_gradient.run(w, {kernel_gradient, shard.gradients + kernel_.offset});
    if (bias_) {
      add_channel_sums(shard.diff_out, type_, shard.photos * out_.height, out_.width, out_.channels,
                       shard.gradients + bias_->offset, w);
    }
    if (shard.diff_in != nullptr) {
      passes.to_coarse.run(w, {shard.diff_out, passes.kernel_to_coarse.data(), shard.diff_in});
    }
  }

 private:
  convolution_window window_;
  std::optional<double> activation_;
  parameter_view kernel_;
  std::optional<parameter_view> bias_;
  std::map<std::size_t, convolution_passes> passes_;
};

}  // namespace imgsim::detail
