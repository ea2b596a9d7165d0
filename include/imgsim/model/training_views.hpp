// The batches of an epoch: photos as they are, or views of them, made ahead of the step that learns from them.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <future>
#include <span>
#include <utility>
#include <vector>

#include <imgsim/core/random.hpp>
#include <imgsim/core/tensor.hpp>
#include <imgsim/core/thread_pool.hpp>
#include <imgsim/image/augment.hpp>
#include <imgsim/model/backend.hpp>
#include <imgsim/model/photo_source.hpp>
#include <imgsim/model/training_recipe.hpp>

namespace imgsim {

/// Views depend on the seed, the epoch and the photo's row alone, not on the batch or the number of threads. While one
/// batch is learnt from, the next is made on `pool` by a thread of this object; photos as they are, are loaded when
/// they are asked for. To be used from one thread; the source is its own until end() or the last batch.
template <photo_source Source>
class training_views {
 public:
  /// Batches of at most `batch` photos of [H, W, 3]; two views of each where the recipe asks for invariance.
  training_views(thread_pool& pool, Source& source, const training_recipe& recipe, std::size_t height,
                 std::size_t width, std::size_t batch, std::uint64_t seed)
      : pool_(pool),
        source_(source),
        recipe_(recipe),
        views_(recipe.invariance > 0.0 ? 2 : 1),
        augments_(recipe.augment.changes_photos()),
        height_(height),
        width_(width),
        batch_(batch),
        seed_(seed) {
    check_recipe(recipe);
  }
  training_views(const training_views&) = delete;
  training_views& operator=(const training_views&) = delete;
  ~training_views() { end(); }

  /// Batches of `rows` from here on, in their order.
  void begin(std::size_t epoch, std::span<const std::size_t> rows) {
    end();
    rows_.assign(rows.begin(), rows.end());
    epoch_seed_ = random_stream(seed_, kViewStream + epoch).next();
    next_row_ = 0;
    if (rows_.empty()) return;
    source_.plan(rows_, batch_);
    if (works_ahead()) prepare_next();
  }

  /// The next batch, in memory that holds until the call after the next; begin() gave more rows than were asked for.
  [[nodiscard]] training_batch next() {
    if (!works_ahead()) return plain_batch();
    ready_.get();
    const slot& made = slots_[filling_];
    filling_ = 1 - filling_;
    if (next_row_ < rows_.size()) prepare_next();
    const auto first = [&](const tensor<std::uint8_t, 4>& pixels) {
      return pixels.view().slice(0, made.count * views_);
    };
    const view<const std::uint8_t, 4> targets = augments_ ? first(made.views) : first(made.photos);
    return {.photos = recipe_.mask > 0.0 ? first(made.masked) : targets,
            .targets = targets,
            .invariance = recipe_.invariance};
  }

  /// Waits for what is being made; it is dropped.
  void end() noexcept {
    if (ready_.valid()) ready_.wait();
    ready_ = {};
  }

 private:
  /// Apart from the streams of other uses of the seed.
  static constexpr std::uint64_t kViewStream = 0x7669657773u << 16;

  struct slot {
    std::span<const std::size_t> rows;  // being made
    std::size_t count = 0;
    tensor<std::uint8_t, 4> photos;  // as they are
    tensor<std::uint8_t, 4> views;   // the first of each, then the second
    tensor<std::uint8_t, 4> masked;
  };

  [[nodiscard]] bool works_ahead() const { return augments_ || recipe_.mask > 0.0; }

  /// The rows of the next batch; counts them as done.
  [[nodiscard]] std::span<const std::size_t> take_rows() {
    const std::size_t count = std::min(batch_, rows_.size() - next_row_);
    next_row_ += count;
    return std::span(rows_).subspan(next_row_ - count, count);
  }

  void reserve(tensor<std::uint8_t, 4>& pixels, std::size_t views) const {
    if (pixels.empty()) pixels = tensor<std::uint8_t, 4>({views * batch_, height_, width_, 3});
  }

  [[nodiscard]] training_batch plain_batch() {
    const std::span<const std::size_t> rows = take_rows();
    reserve(slots_[0].photos, 1);
    const view<std::uint8_t, 4> photos = slots_[0].photos.view().slice(0, rows.size());
    source_.load(rows, photos);
    const view<const std::uint8_t, 4> loaded = photos;
    return {.photos = loaded, .targets = loaded};
  }

  void prepare_next() {
    slots_[filling_].rows = take_rows();
    ready_ = std::async(std::launch::async, &prepare_filling, static_cast<void*>(this));
  }
  /// By address, as in thread_pool: what std::async has of a type of ours, shared libraries would share.
  static void prepare_filling(void* views) {
    auto& self = *static_cast<training_views*>(views);
    self.prepare(self.slots_[self.filling_]);
  }

  void prepare(slot& to) {
    const std::span<const std::size_t> rows = to.rows;
    to.count = rows.size();
    reserve(to.photos, 1);
    source_.load(rows, to.photos.view().slice(0, rows.size()));
    if (augments_) reserve(to.views, views_);
    if (recipe_.mask > 0.0) reserve(to.masked, views_);
    pool_.for_each(rows.size() * views_, [&](std::size_t i) {
      const std::size_t b = i % rows.size();
      random_stream random(epoch_seed_, rows[b] * 2 + i / rows.size());
      std::span<const std::uint8_t> made = pixels_of(std::as_const(to.photos), b);
      if (augments_) {
        photo_augmenter augment(recipe_.augment);
        augment(made, height_, width_, pixels_of(to.views, i), random);
        made = pixels_of(std::as_const(to.views), i);
      }
      if (recipe_.mask == 0.0) return;
      const std::span<std::uint8_t> masked = pixels_of(to.masked, i);
      std::ranges::copy(made, masked.begin());
      mask_patches(masked, height_, width_, recipe_.mask, random);
    });
  }

  template <class Tensor>
  [[nodiscard]] auto pixels_of(Tensor& pixels, std::size_t i) const {
    const std::size_t size = height_ * width_ * 3;
    return std::span(pixels.data() + i * size, size);
  }

  thread_pool& pool_;
  Source& source_;
  training_recipe recipe_;
  std::size_t views_;
  bool augments_;
  std::size_t height_, width_, batch_;
  std::uint64_t seed_;
  std::uint64_t epoch_seed_ = 0;
  std::vector<std::size_t> rows_;
  std::size_t next_row_ = 0;
  std::array<slot, 2> slots_;
  std::size_t filling_ = 0;
  std::future<void> ready_;  // of slots_[filling_]
};

}  // namespace imgsim
