// What a layer on the CPU is. The executor (executor.hpp) splits a batch into shards of a fixed number of photos and
// runs each shard through as many layers as it can while it is in cache; layers that need the whole batch at once
// (batch norm in training, dense) part the chain into segments:
//
//   segment 0                      | barrier: finish_batch |  segment 1 ...
//   layer, layer, collect(barrier) |                       |  apply(barrier), layer, ...
//
// and backwards in the mirrored order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <imgsim/core/simd.hpp>
#include <imgsim/cpu/context.hpp>
#include <imgsim/cpu/network/element.hpp>
#include <imgsim/cpu/network/onednn.hpp>
#include <imgsim/cpu/network/policy.hpp>
#include <imgsim/model/network_plan.hpp>

namespace imgsim::cpu {

enum class pass_kind { inference, training };

/// Memory for a whole batch has room for a multiple of so many photos: a barrier may compute that many at a time, so
/// that what it makes of a photo does not depend on how many there are.
inline constexpr std::size_t kBatchStep = 8;

[[nodiscard]] constexpr std::size_t whole_steps(std::size_t photos) noexcept {
  return (photos + kBatchStep - 1) / kBatchStep * kBatchStep;
}

/// A shard of a pass at one layer. Pointers are to [photos, H, W, C]; `in` may equal `out` and `diff_in` may equal
/// `diff_out` for layers that work in place.
struct shard_data {
  std::size_t index = 0;  ///< of the shard in the batch
  std::size_t photos = 0;
  pass_kind pass = pass_kind::inference;
  const void* in = nullptr;
  void* out = nullptr;
  const void* diff_out = nullptr;
  void* diff_in = nullptr;     ///< null: not wanted
  float* gradients = nullptr;  ///< sums of this shard's group, to be added to
};

/// The whole batch at a barrier layer.
struct batch_data {
  std::size_t photos = 0;
  std::size_t shards = 0;
  pass_kind pass = pass_kind::inference;
  const void* in = nullptr;
  void* out = nullptr;
  const void* diff_out = nullptr;
  void* diff_in = nullptr;     ///< null: not wanted
  float* gradients = nullptr;  ///< to be written
};

/// A layer's parameter; its gradient is at shard_data::gradients or batch_data::gradients + offset (parameters.hpp).
struct parameter_view {
  float* values = nullptr;
  std::size_t offset = 0;
  std::size_t size = 0;
};

struct layer_setup {
  onednn_session& session;
  const cpu_context& context;
  feature_shape in;
  feature_shape out;
  element type = element::float32;      ///< of activations and their gradients
  element out_type = element::float32;  ///< of `out`: float32 for what enters the loss
  std::span<const parameter_view> parameters;
  bool differentiates_input = true;  ///< false for the first layer: backward is never asked for diff_in
  const network_policy& policy;
};

/// Where a layer's output goes: memory of its own, over its input, or its input as it is.
enum class placement { separate, in_place, alias };

class layer {
 public:
  explicit layer(const layer_setup& setup)
      : session_(setup.session),
        in_(setup.in),
        out_(setup.out),
        type_(setup.type),
        out_type_(setup.out_type),
        differentiates_input_(setup.differentiates_input) {}
  layer(const layer&) = delete;
  layer& operator=(const layer&) = delete;
  virtual ~layer() = default;

  [[nodiscard]] virtual placement output_placement(pass_kind) const noexcept { return placement::separate; }
  /// Backward reads `out`, so nothing may overwrite it.
  [[nodiscard]] virtual bool keeps_output() const noexcept { return false; }
  [[nodiscard]] virtual bool is_barrier(pass_kind) const noexcept { return false; }
  /// A barrier whose finish_batch does all its work, on `in` and `out` of the whole batch.
  [[nodiscard]] virtual bool computes_whole_batch() const noexcept { return false; }

  [[nodiscard]] std::size_t input_bytes() const noexcept { return in_.size() * size_of(type_); }
  /// What forward writes, which is less than the output where it does a later layer's work, too.
  [[nodiscard]] virtual std::size_t output_bytes(pass_kind) const noexcept { return out_.size() * size_of(out_type_); }
  [[nodiscard]] element output_type() const noexcept { return out_type_; }
  /// The type of the gradient is always that of the network.
  [[nodiscard]] std::size_t gradient_bytes() const noexcept { return out_.size() * size_of(type_); }

  /// Makes what a pass over shards of `photos` needs, if it is not there yet. `version` changes with the parameters.
  virtual void prepare(std::size_t /*photos*/, pass_kind, std::uint64_t /*version*/) {}
  /// Makes what a pass over a batch needs; for barriers.
  virtual void prepare_batch(std::size_t /*photos*/, std::size_t /*shards*/, pass_kind, std::uint64_t /*version*/) {}

  virtual void forward(worker&, const shard_data&) {}
  virtual void backward(worker&, const shard_data&) {}

  /// Barriers: collect, finish_batch, then forward on each shard; in backward, collect_backward, finish_batch_backward,
  /// then backward on each shard.
  virtual void collect(worker&, const shard_data&) {}
  virtual void finish_batch(const batch_data&) {}
  virtual void collect_backward(worker&, const shard_data&) {}
  virtual void finish_batch_backward(const batch_data&) {}

 protected:
  onednn_session& session_;
  feature_shape in_;
  feature_shape out_;
  element type_;
  element out_type_;
  bool differentiates_input_;
};

}  // namespace imgsim::cpu
