// Where activations live during a pass. What only one shard needs lives in memory of the worker that runs it and is
// used again for the next shard; what outlasts a segment is held for the whole batch.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <vector>

#include <imgsim/cpu/network/layer.hpp>

namespace imgsim::cpu {

/// A run of layers that a shard goes through at once. It begins with its barrier (if it has one, `first` is the barrier
/// itself) and ends before the next one.
struct segment {
  std::size_t first = 0;
  std::size_t end = 0;
  bool has_barrier = false;
};

/// Segment 0 has no barrier (and no layers where the first layer is one).
[[nodiscard]] inline std::vector<segment> split_segments(const std::vector<std::unique_ptr<layer>>& layers,
                                                         std::size_t count, pass_kind pass) {
  std::vector<segment> segments{{0, count, false}};
  for (std::size_t i = 0; i < count; ++i) {
    if (!layers[i]->is_barrier(pass)) continue;
    segments.back().end = i;
    segments.push_back({i, count, true});
  }
  return segments;
}

/// Shards of a batch: `size` photos each, the last with what is left.
struct sharding {
  std::size_t photos = 0;
  std::size_t size = 1;

  [[nodiscard]] std::size_t count() const noexcept { return (photos + size - 1) / size; }
  [[nodiscard]] std::size_t first(std::size_t shard) const noexcept { return shard * size; }
  [[nodiscard]] std::size_t photos_of(std::size_t shard) const noexcept {
    return std::min(size, photos - first(shard));
  }
};

/// Memory for the input and each layer's output in passes of one kind. Position 0 is the network's input, position i +
/// 1 the output of layer i. In inference a worker needs only two pieces of memory, used in turn.
class activation_memory {
 public:
  activation_memory(const std::vector<std::unique_ptr<layer>>& layers, const std::vector<segment>& segments,
                    pass_kind pass, std::size_t workers, const std::vector<bool>& tapped)
      : arenas_(workers) {
    const bool is_training = pass == pass_kind::training;
    // In training, all but the last segment is needed again in backward, after other shards have passed.
    const auto outlasts = [&](std::size_t position) {
      if (position > 0 && layers[position - 1]->computes_whole_batch()) return true;
      return is_training ? position <= segments.back().first : begins_segment(segments, position);
    };
    storages_.push_back({layers.front()->input_bytes(), outlasts(0)});
    slots_.push_back(0);
    bool is_kept = false;  // backward reads what the newest storage holds
    for (std::size_t i = 0; i < segments.back().end; ++i) {
      const placement where = layers[i]->output_placement(pass);
      if (where == placement::separate || (where == placement::in_place && is_kept)) {
        storages_.push_back({layers[i]->output_bytes(pass), false});
        is_kept = false;
      }
      storages_.back().whole |= outlasts(i + 1);
      is_kept |= is_training && (layers[i]->keeps_output() || (i < tapped.size() && tapped[i]));
      slots_.push_back(storages_.size() - 1);
    }
    place(is_training);
  }

  /// Grows to batches of `shards`.
  void reserve(const sharding& shards) {
    for (storage& s : storages_) {
      if (s.whole) (void)s.memory.at_least(s.bytes * whole_steps(shards.photos));
    }
    for (auto& arena : arenas_) (void)arena.at_least(arena_bytes_ * shards.size);
    shard_size_ = shards.size;
  }

  /// The whole batch at a position next to a barrier that computes it at once, or at any that outlasts its segment.
  [[nodiscard]] std::byte* whole(std::size_t position) noexcept { return storages_[slots_[position]].memory.data(); }
  [[nodiscard]] std::byte* shard(std::size_t position, const worker& w, std::size_t first_photo) noexcept {
    storage& s = storages_[slots_[position]];
    if (s.whole) return s.memory.data() + first_photo * s.bytes;
    return arenas_[w.index].data() + s.offset * shard_size_;
  }

 private:
  struct storage {
    std::size_t bytes = 0;  // a photo
    bool whole = false;
    std::size_t offset = 0;  // in the worker's arena, for each photo of a shard
    growing_buffer<std::byte> memory = {};
  };

  [[nodiscard]] static bool begins_segment(const std::vector<segment>& segments, std::size_t position) {
    return std::ranges::any_of(segments, [&](const segment& s) { return s.has_barrier && s.first == position; });
  }

  void place(bool is_training) {
    std::size_t largest = 0;
    for (const storage& s : storages_) largest = std::max(largest, s.whole ? 0 : aligned(s.bytes));
    bool second = false;
    for (storage& s : storages_) {
      if (s.whole) continue;
      s.offset = is_training ? arena_bytes_ : (second ? largest : 0);
      arena_bytes_ += is_training ? aligned(s.bytes) : 0;
      second = !second;
    }
    if (!is_training) arena_bytes_ = 2 * largest;
  }
  [[nodiscard]] static std::size_t aligned(std::size_t bytes) {
    return (bytes + kAlignment - 1) / kAlignment * kAlignment;
  }

  std::vector<storage> storages_;
  std::vector<std::size_t> slots_;  // of each position
  std::size_t arena_bytes_ = 0;     // for each photo of a shard
  std::size_t shard_size_ = 1;
  std::vector<growing_buffer<std::byte>> arenas_;  // of each worker
};

}  // namespace imgsim::cpu
