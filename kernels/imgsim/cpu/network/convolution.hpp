// Convolution and its transpose. Both are the three passes of one oneDNN convolution between a fine side and a coarse
// side, with different names:
//
//                      convolution            transposed convolution
//   fine -> coarse     forward                backward
//   coarse -> fine     backward               forward
//   (fine, coarse)     kernel gradient        kernel gradient
//
// Kernels are [kernel_h, kernel_w, fine channels, coarse channels] in both (layer_spec.hpp). Activations are channels
// last; kernels are packed into the layout that oneDNN asks for whenever they have changed. Passes that oneDNN is slow
// at are hand-written (narrow/passes.hpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include <imgsim/cpu/network/elementwise.hpp>
#include <imgsim/cpu/network/layer.hpp>
#include <imgsim/cpu/network/narrow/passes.hpp>
#include <imgsim/model/layer_shapes.hpp>

namespace imgsim::cpu {

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

/// A pass between the two sides, and the kernel in the layout that its primitive wants.
class kernel_pass {
 public:
  kernel_pass() = default;
  kernel_pass(onednn_session& session, onednn_operation operation, const dnnl::memory::desc& plain,
              const dnnl::memory::desc& wanted)
      : operation_(std::move(operation)),
        pack_(make_reorder(session, plain, wanted, false)),
        packed_({wanted.get_size()}) {}

  [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(operation_); }

  /// Packs the kernel again where the parameters have changed.
  void refresh(onednn_session& session, const float* plain, std::uint64_t version) {
    if (version_ == version) return;
    pack_.run(session.workers.front(), {plain, packed_.data()});
    version_ = version;
  }

  void run(worker& w, const void* from, void* to) { operation_.run(w, {from, packed_.data(), to}); }
  void run(worker& w, const void* from, void* to, const float* bias) {
    operation_.run(w, {from, packed_.data(), to, bias});
  }

 private:
  onednn_operation operation_;
  onednn_operation pack_;
  tensor<std::byte, 1> packed_;
  std::uint64_t version_ = 0;
};

/// With a bias, run() takes one, and what it makes has the activation applied where there is one.
[[nodiscard]] inline kernel_pass make_to_coarse(onednn_session& session, const convolution_layouts& layouts,
                                                element coarse_type, bool with_bias, std::optional<double> activation) {
  const auto pass = layouts.forward(session.engine, coarse_type, with_bias, activation);
  std::vector<onednn_operation::argument> arguments{
      {DNNL_ARG_SRC, pass.src_desc()}, {DNNL_ARG_WEIGHTS, pass.weights_desc()}, {DNNL_ARG_DST, pass.dst_desc()}};
  if (with_bias) arguments.push_back({DNNL_ARG_BIAS, pass.bias_desc()});
  return {session,
          {session, dnnl::convolution_forward(pass), std::move(arguments), pass.scratchpad_desc()},
          layouts.plain_kernel(),
          pass.weights_desc()};
}

[[nodiscard]] inline kernel_pass make_to_fine(onednn_session& session, const convolution_layouts& layouts,
                                              element fine_type) {
  const auto pass = layouts.backward_data(session.engine, fine_type);
  return {session,
          {session,
           dnnl::convolution_backward_data(pass),
           {{DNNL_ARG_DIFF_DST, pass.diff_dst_desc()},
            {DNNL_ARG_WEIGHTS, pass.weights_desc()},
            {DNNL_ARG_DIFF_SRC, pass.diff_src_desc()}},
           pass.scratchpad_desc()},
          layouts.plain_kernel(),
          pass.weights_desc()};
}

/// The gradient of the kernel, and of the coarse side's bias where there is one.
class gradient_pass {
 public:
  gradient_pass() = default;
  gradient_pass(onednn_session& session, const convolution_layouts& layouts, bool with_bias) : with_bias_(with_bias) {
    const auto pass = layouts.backward_kernel(session.engine, with_bias);
    std::vector<onednn_operation::argument> arguments{{DNNL_ARG_SRC, pass.src_desc()},
                                                      {DNNL_ARG_DIFF_DST, pass.diff_dst_desc()},
                                                      {DNNL_ARG_DIFF_WEIGHTS, pass.diff_weights_desc()}};
    if (with_bias) arguments.push_back({DNNL_ARG_DIFF_BIAS, pass.diff_bias_desc()});
    differentiate_ = {session, dnnl::convolution_backward_weights(pass), std::move(arguments), pass.scratchpad_desc()};
    add_ = make_reorder(session, pass.diff_weights_desc(), layouts.plain_kernel(), true);
    size_ = pass.diff_weights_desc().get_size() / sizeof(float);
  }

  [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(differentiate_); }

  /// Adds the kernel's gradient to `sum`; returns that of the bias, in `w`'s scratch of `channels` floats and more.
  const float* run(worker& w, const void* fine, const void* coarse, std::size_t channels, float* sum) {
    float* const of_kernel = w.scratch.at_least(size_ + channels);
    float* const of_bias = of_kernel + size_;
    if (with_bias_) {
      differentiate_.run(w, {fine, coarse, of_kernel, of_bias});
    } else {
      differentiate_.run(w, {fine, coarse, of_kernel});
    }
    add_.run(w, {of_kernel, sum});
    return of_bias;
  }

 private:
  onednn_operation differentiate_;
  onednn_operation add_;  // from the primitive's layout onto the plain sum
  std::size_t size_ = 0;  // floats of the primitive's layout
  bool with_bias_ = false;
};

/// What both kinds do, whichever of the two directions is theirs.
class convolution_base : public layer {
 public:
  void prepare(std::size_t photos, pass_kind pass, std::uint64_t version) final {
    refresh(narrow_, version);
    passes& p = passes_[photos];
    const convolution_layouts layouts = describe(photos);
    if (!p.ahead && !has_narrow_ahead()) p.ahead = make_ahead(layouts);
    if (p.ahead) p.ahead.refresh(session_, kernel_.values, version);
    if (pass == pass_kind::inference) return;
    if (!p.kernel && !narrow_.has_gradient()) p.kernel = {session_, layouts, coarse_has_bias()};
    if (!p.back && differentiates_input_ && !has_narrow_back()) p.back = make_back(layouts);
    if (p.back) p.back.refresh(session_, kernel_.values, version);
  }

  void backward(worker& w, const shard_data& shard) final {
    passes& p = passes_of(shard);
    const auto [fine, coarse] = sides_of(shard);
    float* const sum = shard.gradients + kernel_.offset;
    const float* of_bias = nullptr;
    if (narrow_.has_gradient()) {
      narrow_.add_gradient(w, fine, coarse, shard.photos, sum);
    } else {
      of_bias = p.kernel.run(w, fine, coarse, out_.channels, sum);
    }
    if (bias_) add_bias_gradient(w, shard, of_bias);
    if (shard.diff_in == nullptr) return;
    if (has_narrow_back()) {
      run_narrow_back(w, shard);
    } else {
      p.back.run(w, shard.diff_out, shard.diff_in);
    }
  }

 protected:
  /// `activation`: the slope at negative values of the ReLU to apply at once; the activation's own layer then has
  /// nothing left to do forward.
  template <class Specification>
  convolution_base(const layer_setup& setup, const Specification& spec, const feature_shape& fine,
                   const feature_shape& coarse, std::optional<double> activation, bool pools = false)
      : layer(setup),
        window_{spec.kernel, spec.stride, spec.padding},
        activation_(activation),
        kernel_(setup.parameters[0]),
        narrow_(window_, fine, coarse, type_, setup.policy.level, pools) {
    if (spec.bias) bias_ = setup.parameters[1];
  }

  [[nodiscard]] virtual convolution_layouts describe(std::size_t photos) const = 0;
  [[nodiscard]] virtual kernel_pass make_ahead(const convolution_layouts& layouts) = 0;
  [[nodiscard]] virtual kernel_pass make_back(const convolution_layouts& layouts) = 0;
  /// Whether the bias is the coarse side's, so that oneDNN differentiates by it.
  [[nodiscard]] virtual bool coarse_has_bias() const = 0;
  struct fine_and_coarse {
    const void* fine;
    const void* coarse;
  };
  /// The input and the gradient of the output.
  [[nodiscard]] virtual fine_and_coarse sides_of(const shard_data& shard) const = 0;
  [[nodiscard]] virtual bool has_narrow_ahead() const = 0;
  [[nodiscard]] virtual bool has_narrow_back() const = 0;
  virtual void run_narrow_back(worker& w, const shard_data& shard) const = 0;
  virtual void refresh(narrow_passes& narrow, std::uint64_t version) const = 0;
  /// `found`: [out_.channels] where oneDNN differentiated by a bias of the coarse side, null elsewhere.
  virtual void add_bias_gradient(worker& w, const shard_data& shard, const float* found) = 0;

  [[nodiscard]] kernel_pass& ahead_of(const shard_data& shard) { return passes_of(shard).ahead; }

  convolution_window window_;
  std::optional<double> activation_;
  parameter_view kernel_;
  std::optional<parameter_view> bias_;
  narrow_passes narrow_;

  [[nodiscard]] const float* bias_values() const noexcept { return bias_ ? bias_->values : nullptr; }
  void add_sums_of_diff_out(worker& w, const shard_data& shard) const {
    add_channel_sums(shard.diff_out, type_, shard.photos * out_.height, out_.width, out_.channels,
                     shard.gradients + bias_->offset, w);
  }

 private:
  struct passes {
    kernel_pass ahead, back;
    gradient_pass kernel;
  };
  [[nodiscard]] passes& passes_of(const shard_data& shard) { return passes_.find(shard.photos)->second; }

  std::map<std::size_t, passes> passes_;  // by photos in the shard
};

class convolution_layer final : public convolution_base {
 public:
  /// `pools`: in inference, the output is what a rectifier and 2x2 max pooling after this layer would make of it.
  convolution_layer(const layer_setup& setup, const convolution& spec, std::optional<double> activation, bool pools)
      : convolution_base(setup, spec, setup.in, setup.out, activation, pools), pools_(pools) {}

  [[nodiscard]] std::size_t output_bytes(pass_kind pass) const noexcept override {
    return layer::output_bytes(pass) / (pools_ && pass == pass_kind::inference ? 4 : 1);
  }

  void forward(worker& w, const shard_data& shard) override {
    if (pools_ && shard.pass == pass_kind::inference) {
      narrow_.run_pooled_to_coarse(w, shard.in, shard.out, shard.photos, activation_.value_or(1.0));
      return;
    }
    if (narrow_.has_to_coarse()) {
      narrow_.run_to_coarse(w, shard.in, shard.out, shard.photos, activation_.value_or(1.0));
    } else if (bias_) {
      ahead_of(shard).run(w, shard.in, shard.out, bias_->values);
    } else {
      ahead_of(shard).run(w, shard.in, shard.out);
    }
  }

 private:
  [[nodiscard]] convolution_layouts describe(std::size_t photos) const override {
    return {window_, in_, out_, type_, photos};
  }
  [[nodiscard]] kernel_pass make_ahead(const convolution_layouts& layouts) override {
    return make_to_coarse(session_, layouts, out_type_, bias_.has_value(), activation_);
  }
  [[nodiscard]] kernel_pass make_back(const convolution_layouts& layouts) override {
    return make_to_fine(session_, layouts, type_);
  }
  [[nodiscard]] bool coarse_has_bias() const override { return bias_.has_value(); }
  [[nodiscard]] fine_and_coarse sides_of(const shard_data& shard) const override { return {shard.in, shard.diff_out}; }
  [[nodiscard]] bool has_narrow_ahead() const override { return narrow_.has_to_coarse(); }
  [[nodiscard]] bool has_narrow_back() const override { return narrow_.has_to_fine(); }
  void run_narrow_back(worker& w, const shard_data& shard) const override {
    narrow_.run_to_fine(w, shard.diff_out, shard.diff_in, shard.photos, 1.0);
  }
  void refresh(narrow_passes& narrow, std::uint64_t version) const override {
    narrow.refresh(kernel_.values, bias_values(), nullptr, version);
  }
  void add_bias_gradient(worker& w, const shard_data& shard, const float* found) override {
    if (found == nullptr) return add_sums_of_diff_out(w, shard);
    float* const sum = shard.gradients + bias_->offset;
    for (std::size_t c = 0; c < out_.channels; ++c) sum[c] += found[c];
  }

  bool pools_;
};

class transposed_convolution_layer final : public convolution_base {
 public:
  transposed_convolution_layer(const layer_setup& setup, const transposed_convolution& spec,
                               std::optional<double> activation)
      : convolution_base(setup, spec, setup.out, setup.in, activation) {}

  void forward(worker& w, const shard_data& shard) override {
    if (narrow_.has_to_fine()) {
      return narrow_.run_to_fine(w, shard.in, shard.out, shard.photos, activation_.value_or(1.0));
    }
    ahead_of(shard).run(w, shard.in, shard.out);
    if (bias_ || activation_) {
      add_bias_and_activate(shard.out, out_type_, shard.photos * out_.pixels(), out_.channels, bias_values(),
                            activation_.value_or(1.0));
    }
  }

 private:
  [[nodiscard]] convolution_layouts describe(std::size_t photos) const override {
    return {window_, out_, in_, type_, photos};
  }
  [[nodiscard]] kernel_pass make_ahead(const convolution_layouts& layouts) override {
    return make_to_fine(session_, layouts, out_type_);
  }
  [[nodiscard]] kernel_pass make_back(const convolution_layouts& layouts) override {
    return make_to_coarse(session_, layouts, type_, false, std::nullopt);
  }
  [[nodiscard]] bool coarse_has_bias() const override { return false; }
  [[nodiscard]] fine_and_coarse sides_of(const shard_data& shard) const override { return {shard.diff_out, shard.in}; }
  [[nodiscard]] bool has_narrow_ahead() const override { return narrow_.has_to_fine(); }
  [[nodiscard]] bool has_narrow_back() const override { return narrow_.has_to_coarse(); }
  void run_narrow_back(worker& w, const shard_data& shard) const override {
    narrow_.run_to_coarse(w, shard.diff_out, shard.diff_in, shard.photos, 1.0);
  }
  void refresh(narrow_passes& narrow, std::uint64_t version) const override {
    narrow.refresh(kernel_.values, nullptr, bias_values(), version);
  }
  void add_bias_gradient(worker& w, const shard_data& shard, const float*) override { add_sums_of_diff_out(w, shard); }
};

}  // namespace imgsim::cpu
