// A run of layers from the network's input on, for passes of one kind: its segments, its memory, and the work of one
// shard or of one barrier, forward and backward. The order of the work is the executor's.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include <imgsim/cpu/network/activations.hpp>
#include <imgsim/cpu/network/layer.hpp>

namespace imgsim::cpu {

class chain {
 public:
  /// The first `count` of `layers`, which must outlive the chain. In training, backward reads the outputs of those that
  /// are `tapped`, too.
  chain(const std::vector<std::unique_ptr<layer>>& layers, std::size_t count, pass_kind pass, onednn_session& session,
        const std::vector<bool>& tapped = {})
      : layers_(layers),
        pass_(pass),
        session_(session),
        segments_(split_segments(layers, count, pass)),
        memory_(layers, segments_, pass, session.workers.size(), tapped),
        worker_gradients_(session.workers.size()) {
    for (std::size_t i = 0; i < count; ++i)
      largest_gradient_ = std::max(largest_gradient_, layers[i]->gradient_bytes());
    largest_gradient_ = std::max(largest_gradient_, layers[0]->input_bytes());
  }

  [[nodiscard]] std::size_t segments() const noexcept { return segments_.size(); }
  [[nodiscard]] std::size_t first_layer(std::size_t k) const noexcept { return segments_[k].first; }

  /// Primitives and memory for a batch; nothing is allocated when its like has been seen before.
  void prepare(const sharding& shards, std::uint64_t version) {
    shards_ = shards;
    const std::size_t last = shards.photos_of(shards.count() - 1);
    for (std::size_t i = 0; i < segments_.back().end; ++i) {
      layers_[i]->prepare_batch(shards.photos, shards.count(), pass_, version);
      if (shards.count() > 1) layers_[i]->prepare(shards.size, pass_, version);
      if (shards.count() == 1 || last != shards.size) layers_[i]->prepare(last, pass_, version);
    }
    memory_.reserve(shards);
    if (pass_ == pass_kind::inference) return;
    for (auto& buffers : worker_gradients_) {
      for (auto& b : buffers) (void)b.at_least(largest_gradient_ * shards.size);
    }
    if (segments_.size() > 1) {
      for (auto& b : batch_gradients_) (void)b.at_least(largest_gradient_ * shards.photos);
    }
  }

  /// Where a shard's input is to be written before forward(0).
  [[nodiscard]] void* input(const worker& w, std::size_t shard) { return at(0, w, shard); }
  [[nodiscard]] const void* output(const worker& w, std::size_t shard) { return at(segments_.back().end, w, shard); }

  /// The layers of segment k; after_layer(i, output of layer i) after each.
  template <class AfterLayer>
  void forward(worker& w, std::size_t k, std::size_t shard, AfterLayer&& after_layer) {
    for (std::size_t i = segments_[k].first; i < segments_[k].end; ++i) {
      const shard_data data = data_of(i, w, shard);
      layers_[i]->forward(w, data);
      after_layer(i, static_cast<const void*>(data.out));
    }
    if (k + 1 < segments_.size())
      layers_[segments_[k + 1].first]->collect(w, data_of(segments_[k + 1].first, w, shard));
  }

  /// The barrier between segments k - 1 and k.
  void finish(std::size_t k) {
    const std::size_t i = segments_[k].first;
    layers_[i]->finish_batch(batch_of(i));
  }

  /// Where the gradient of the chain's output is to be written, in the network's type, before backward(last segment).
  [[nodiscard]] void* output_gradient(const worker& w) { return worker_gradients_[w.index][0].data(); }

  /// The layers of segment k, last to first; sums of parameters' gradients are added to `gradients`.
  /// before_layer(i, output of layer i, its gradient) may add to that gradient, once for each layer.
  template <class BeforeLayer>
  void backward(worker& w, std::size_t k, std::size_t shard, float* gradients, BeforeLayer&& before_layer) {
    const segment& s = segments_[k];
    const std::size_t low = s.has_barrier ? s.first + 1 : s.first;
    std::size_t high = s.end;
    const void* gradient = output_gradient(w);
    if (k + 1 < segments_.size()) {
      gradient = batch_gradient(incoming_, high, shard);
      // The barrier after this segment has its own share to do, unless finish_backward did it all.
      if (!layers_[high]->computes_whole_batch()) {
        ++high;
        gradient = batch_gradient(incoming_, high, shard);
      }
    }
    void* const target = s.has_barrier ? batch_gradient(outgoing_, low, shard) : nullptr;
    std::size_t next_buffer = 1;
    for (std::size_t i = high; i-- > low;) {
      shard_data data = data_of(i, w, shard);
      if (i < s.end) before_layer(i, static_cast<const void*>(data.out), const_cast<void*>(gradient));
      data.diff_out = gradient;
      data.gradients = gradients;
      if (i == low) {
        data.diff_in = target;
      } else if (layers_[i]->output_placement(pass_) != placement::separate) {
        data.diff_in = const_cast<void*>(gradient);
      } else {
        data.diff_in = worker_gradients_[w.index][next_buffer].data();
        next_buffer = 1 - next_buffer;
      }
      layers_[i]->backward(w, data);
      gradient = data.diff_in;
    }
    if (!s.has_barrier) return;
    if (gradient != target)
      std::memcpy(target, gradient, layers_[s.first]->gradient_bytes() * shards_.photos_of(shard));
    shard_data data = data_of(s.first, w, shard);
    before_layer(s.first, static_cast<const void*>(data.out), target);
    data.diff_out = target;
    layers_[s.first]->collect_backward(w, data);
  }

  /// The barrier between segments k - 1 and k, backward; its parameters' gradients are written to `gradients`.
  void finish_backward(std::size_t k, float* gradients) {
    const std::size_t i = segments_[k].first;
    batch_data data = batch_of(i);
    data.diff_out = batch_gradients_[outgoing_].data();
    data.gradients = gradients;
    incoming_ = outgoing_;
    if (layers_[i]->computes_whole_batch()) {
      incoming_ = 1 - outgoing_;
      if (i > 0) data.diff_in = batch_gradients_[incoming_].data();
    }
    layers_[i]->finish_batch_backward(data);
    outgoing_ = 1 - incoming_;
  }

 private:
  [[nodiscard]] std::byte* at(std::size_t position, const worker& w, std::size_t shard) {
    return memory_.shard(position, w, shards_.first(shard));
  }

  [[nodiscard]] shard_data data_of(std::size_t i, const worker& w, std::size_t shard) {
    return {.index = shard,
            .photos = shards_.photos_of(shard),
            .pass = pass_,
            .in = at(i, w, shard),
            .out = at(i + 1, w, shard)};
  }
  [[nodiscard]] batch_data batch_of(std::size_t i) {
    return {.photos = shards_.photos,
            .shards = shards_.count(),
            .pass = pass_,
            .in = memory_.whole(i),
            .out = memory_.whole(i + 1)};
  }

  /// A shard's part of a batch gradient at position `position`, that of the output of layer position - 1.
  [[nodiscard]] void* batch_gradient(std::size_t buffer, std::size_t position, std::size_t shard) {
    const std::size_t bytes = position == 0 ? layers_[0]->input_bytes() : layers_[position - 1]->gradient_bytes();
    return batch_gradients_[buffer].data() + shards_.first(shard) * bytes;
  }

  const std::vector<std::unique_ptr<layer>>& layers_;
  pass_kind pass_;
  onednn_session& session_;
  std::vector<segment> segments_;
  activation_memory memory_;
  sharding shards_;
  std::size_t largest_gradient_ = 0;                                        // bytes a photo
  std::vector<std::array<growing_buffer<std::byte>, 2>> worker_gradients_;  // used in turn
  std::array<growing_buffer<std::byte>, 2> batch_gradients_;                // used in turn, at barriers
  std::size_t incoming_ = 0;                                                // what finish_backward left
  std::size_t outgoing_ = 0;                                                // what the segment's backward writes
};

}  // namespace imgsim::cpu
