// Batch normalisation. In training it is a barrier: each shard adds up its sums (in double), finish_batch makes one
// scale and shift a channel of them, in the order of the shards, and forward applies those. Of several processes that
// share a batch (network_policy::add_up) all take the sums of all.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include <imgsim/core/simd.hpp>
#include <imgsim/cpu/network/layer.hpp>

namespace imgsim::cpu {

class batch_norm_layer final : public layer {
 public:
  batch_norm_layer(const layer_setup& setup, const batch_normalization& spec)
      : layer(setup),
        spec_(spec),
        gamma_(setup.parameters[0]),
        beta_(setup.parameters[1]),
        moving_mean_(setup.parameters[2]),
        moving_variance_(setup.parameters[3]),
        add_up_(setup.policy.add_up),
        totals_(2 * in_.channels + 1),
        mean_(in_.channels),
        inverse_deviation_(in_.channels),
        scale_(in_.channels),
        shift_(in_.channels),
        slope_(in_.channels) {}

  [[nodiscard]] bool is_barrier(pass_kind pass) const noexcept override { return pass == pass_kind::training; }

  void prepare_batch(std::size_t, std::size_t shards, pass_kind, std::uint64_t) override {
    if (sums_.size() < shards * 2 * in_.channels) sums_.resize(shards * 2 * in_.channels);
  }
  void prepare(std::size_t, pass_kind pass, std::uint64_t) override {
    for (std::size_t c = 0; c < in_.channels; ++c) {
      const auto mean = static_cast<double>(moving_mean_.values[c]);
      if (pass == pass_kind::training) {
        mean_[c] = mean;
      } else {
        set_scale(c, mean, 1.0 / std::sqrt(static_cast<double>(moving_variance_.values[c]) + spec_.epsilon));
      }
    }
  }

  /// Sums are about the moving mean (mean_, until finish_batch), so that a mean far from zero costs no digits.
  void collect(worker& w, const shard_data& shard) override { add_products(w, shard, shard.in, shard.in); }

  void finish_batch(const batch_data& batch) override {
    add_shards(batch);
    if (add_up_) add_up_(totals_);
    photos_ = totals_.back();
    const double count = photos_ * static_cast<double>(in_.pixels());
    for (std::size_t c = 0; c < in_.channels; ++c) {
      const double sum = totals_[c], squares = totals_[in_.channels + c];
      const double pivot = mean_[c];
      const double offset = sum / count;  // of the mean from the pivot
      const double variance = std::max(squares / count - offset * offset, 0.0);
      const double unbiased = count > 1.0 ? variance * count / (count - 1.0) : variance;
      set_scale(c, pivot + offset, 1.0 / std::sqrt(variance + spec_.epsilon));
      move(moving_mean_.values[c], pivot + offset);
      move(moving_variance_.values[c], unbiased);
    }
  }

  void forward(worker&, const shard_data& shard) override {
    apply(shard, shard.in, nullptr, shard.out, out_type_, scale_.data(), nullptr, shift_.data());
  }

  void collect_backward(worker& w, const shard_data& shard) override {
    add_products(w, shard, shard.diff_out, shard.in);
  }

  /// With x' = (x - mean) / deviation and g the gradient after the layer:
  ///   diff_in = gamma / deviation * (g - mean(g) - x' * mean(g * x'))  =  scale * g + slope * x + shift
  /// Where processes share a batch, g here is of the mean loss of the photos here, photos_ / photos times that of all,
  /// and so are diff_in, which the means of all enter by as much, and the gradients, of which all make the mean.
  void finish_batch_backward(const batch_data& batch) override {
    const double photos = static_cast<double>(batch.photos), count = photos * static_cast<double>(in_.pixels());
    add_shards(batch);
    if (add_up_) {
      for (double& sum : totals_) sum *= photos / photos_;
      add_up_(totals_);
    }
    for (std::size_t c = 0; c < in_.channels; ++c) {
      const double sum = totals_[c], about_pivot = totals_[in_.channels + c];
      const double products = about_pivot + (static_cast<double>(static_cast<float>(mean_[c])) - mean_[c]) * sum;
      batch.gradients[gamma_.offset + c] = static_cast<float>(products * inverse_deviation_[c]);
      batch.gradients[beta_.offset + c] = static_cast<float>(sum);
      const double factor = static_cast<double>(gamma_.values[c]) * inverse_deviation_[c];
      const double along = factor * products * inverse_deviation_[c] * inverse_deviation_[c] / count;
      scale_[c] = static_cast<float>(factor);
      slope_[c] = static_cast<float>(-along);
      shift_[c] = static_cast<float>(along * mean_[c] - factor * sum / count);
    }
  }

  void backward(worker&, const shard_data& shard) override {
    if (shard.diff_in == nullptr) return;
    apply(shard, shard.diff_out, shard.in, shard.diff_in, type_, scale_.data(), slope_.data(), shift_.data());
  }

 private:
  void set_scale(std::size_t c, double mean, double inverse_deviation) {
    mean_[c] = mean;
    inverse_deviation_[c] = inverse_deviation;
    const double scale = static_cast<double>(gamma_.values[c]) * inverse_deviation;
    scale_[c] = static_cast<float>(scale);
    shift_[c] = static_cast<float>(static_cast<double>(beta_.values[c]) - mean * scale);
  }

  void move(float& moving, double batch) const {
    moving = static_cast<float>(spec_.momentum * static_cast<double>(moving) + (1.0 - spec_.momentum) * batch);
  }

  void add_shards(const batch_data& batch) {
    std::ranges::fill(totals_, 0.0);
    for (std::size_t s = 0; s < batch.shards; ++s)
      for (std::size_t i = 0; i < 2 * in_.channels; ++i) totals_[i] += sums_[2 * s * in_.channels + i];
    totals_.back() = static_cast<double>(batch.photos);
  }

  /// Forward (a is b, the input): sums of x - pivot and its square. Backward (a the gradient, b the input): sums of g
  /// and of g * (x - pivot). The pivot is mean_ as a float. A few neighbouring pixels are added in float, then double.
  void add_products(worker& w, const shard_data& shard, const void* a, const void* b) {
    constexpr std::size_t kTogether = 16;
    const std::size_t channels = in_.channels;
    double* const first = sums_.data() + 2 * shard.index * channels;
    double* const second = first + channels;
    std::fill_n(first, 2 * channels, 0.0);
    float* const pivot = w.scratch.at_least(3 * channels);
    float* const few_first = pivot + channels;
    float* const few_second = few_first + channels;
    for (std::size_t c = 0; c < channels; ++c) pivot[c] = static_cast<float>(mean_[c]);
    const bool is_forward = a == b;
    visit_element(type_, [&]<class T>(T*) {
      const T* const of_a = static_cast<const T*>(a);
      const T* const of_b = static_cast<const T*>(b);
      const std::size_t pixels = shard.photos * in_.pixels();
      vectorised([=]() IMGSIM_VECTORISED {
        for (std::size_t begin = 0; begin < pixels; begin += kTogether) {
          std::fill_n(few_first, 2 * channels, 0.0f);
          for (std::size_t p = begin; p < std::min(begin + kTogether, pixels); ++p) {
            const T* const x = of_a + p * channels;
            const T* const y = of_b + p * channels;
            IMGSIM_SAME_OR_APART
            for (std::size_t c = 0; c < channels; ++c) {
              const float centred = load_float(y + c) - pivot[c];
              const float other = is_forward ? centred : load_float(x + c);
              few_first[c] += other;
              few_second[c] += other * centred;
            }
          }
          for (std::size_t c = 0; c < channels; ++c) {
            first[c] += static_cast<double>(few_first[c]);
            second[c] += static_cast<double>(few_second[c]);
          }
        }
      });
    });
  }

  /// out = scale * a + slope * b + shift by channel; b may be null.
  void apply(const shard_data& shard, const void* a, const void* b, void* out, element out_type, const float* scale,
             const float* slope, const float* shift) const {
    visit_element(out_type, [&]<class Out>(Out*) {
      visit_element(type_, [&]<class T>(T*) {
        const T* const of_a = static_cast<const T*>(a);
        const T* const of_b = static_cast<const T*>(b);
        Out* const of_out = static_cast<Out*>(out);
        const std::size_t channels = in_.channels;
        const std::size_t pixels = shard.photos * in_.pixels();
        vectorised([=]() IMGSIM_VECTORISED {
          for (std::size_t p = 0; p < pixels; ++p) {
            const T* const x = of_a + p * channels;
            Out* const to = of_out + p * channels;
            for (std::size_t c = 0; c < channels; ++c) {
              float value = scale[c] * load_float(x + c) + shift[c];
              if (of_b != nullptr) value += slope[c] * load_float(of_b + p * channels + c);
              store_float(to + c, value);
            }
          }
        });
      });
    });
  }

  batch_normalization spec_;
  parameter_view gamma_, beta_, moving_mean_, moving_variance_;
  const std::function<void(std::span<double>)>& add_up_;
  std::vector<double> totals_;  // [2, channels] sums of the batch, and its photos
  double photos_ = 0;           // of all processes
  std::vector<double> mean_, inverse_deviation_;
  std::vector<float> scale_, shift_, slope_;
  std::vector<double> sums_;  // [shards, 2, channels]
};

}  // namespace imgsim::cpu
