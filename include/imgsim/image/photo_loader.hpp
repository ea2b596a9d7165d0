// Photos from disk in batches, decoded and resized ahead of whoever uses them.
//
//   imgsim::photo_loader loader(folder.root, paths, {.height = 256, .width = 256});
//   while (std::optional<imgsim::photo_batch> batch = loader.next()) {
//     use(batch->rows, batch->pixels.view());
//     loader.recycle(std::move(*batch));  // optional: saves an allocation
//   }
#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <exception>
#include <filesystem>
#include <mutex>
#include <new>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <imgsim/core/error.hpp>
#include <imgsim/core/file.hpp>
#include <imgsim/core/tensor.hpp>
#include <imgsim/image/decode.hpp>
#include <imgsim/image/folder.hpp>
#include <imgsim/image/resize.hpp>

namespace imgsim {

struct loader_options {
  std::size_t height = 0, width = 0;  ///< every photo is resized to these, in pixels
  std::size_t batch = 32;             ///< photos a batch, those that fail included
  std::size_t threads = 0;            ///< 0 means one per hardware thread
  std::size_t ahead = 2;              ///< batches decoded or under way before they are asked for
  decode_limits limits = {};
};

struct photo_batch {
  std::vector<std::size_t> rows;      ///< positions in the list of paths that decoded, ascending
  tensor<std::uint8_t, 4> pixels;     ///< [rows.size(), H, W, 3]
  std::vector<skipped_file> skipped;  ///< the others, in the same order
};

/// Decodes on threads of its own and holds at most `ahead` batches. Batch b is made of paths [b B, (b + 1) B): what
/// next() returns depends on the files only, never on the number of threads. next() and recycle() are for one thread
/// at a time. Destroying it waits for at most one photo a thread.
class photo_loader {
 public:
  /// `paths` are relative to `root`, as scan_folder gives them. Throws invalid_argument for a zero in the options.
  photo_loader(std::filesystem::path root, std::vector<std::string> paths, loader_options options)
      : root_(std::move(root)), paths_(std::move(paths)), options_(options) {
    IMGSIM_EXPECTS(options_.height > 0 && options_.width > 0, "photos cannot be resized to ", options_.width, " x ",
                   options_.height, " pixels");
    IMGSIM_EXPECTS(options_.batch > 0 && options_.ahead > 0, "a loader needs batches of at least 1 photo and at least ",
                   "1 batch ahead, not ", options_.batch, " and ", options_.ahead);
    options_.batch = std::min(options_.batch, std::max<std::size_t>(paths_.size(), 1));
    std::size_t threads = options_.threads;
    if (threads == 0) threads = std::max(1u, std::thread::hardware_concurrency());
    threads = std::min(threads, paths_.size());
    workers_.reserve(threads);
    try {
      for (std::size_t i = 0; i < threads; ++i) workers_.emplace_back(&work_of, static_cast<void*>(this));
    } catch (...) {
      stop();
      throw;
    }
  }
  photo_loader(const photo_loader&) = delete;
  photo_loader& operator=(const photo_loader&) = delete;
  ~photo_loader() { stop(); }

  /// The next batch; nullopt after the last. A batch in which nothing decoded comes too, with its `skipped`. Throws
  /// what a worker could not turn into a reason (no memory for the batch itself, say), and then again on each call.
  [[nodiscard]] std::optional<photo_batch> next() {
    std::unique_lock lock(mutex_);
    if (delivered_ >= paths_.size()) return std::nullopt;
    changed_.wait(lock, [this] { return failure_ || (!slots_.empty() && slots_.front().missing == 0); });
    if (failure_) std::rethrow_exception(failure_);
    slot finished = std::move(slots_.front());
    slots_.pop_front();
    const std::size_t first = std::exchange(delivered_, delivered_ + finished.reasons.size());
    lock.unlock();
    changed_.notify_all();
    return packed(std::move(finished), first);
  }

  /// Takes a batch's memory back for the batches to come.
  void recycle(photo_batch&& batch) {
    if (batch.pixels.extents() != batch_shape(options_.batch)) return;
    const std::lock_guard lock(mutex_);
    if (spare_.size() < options_.ahead) spare_.push_back(std::move(batch.pixels));
  }

 private:
  /// A batch under way. Workers write disjoint photos of it; the rest is guarded by mutex_.
  struct slot {
    tensor<std::uint8_t, 4> pixels;                   // [B, H, W, 3]
    std::vector<std::optional<std::string>> reasons;  // [B], empty where the photo decoded
    std::size_t missing = 0;                          // photos not finished
  };

  /// What a worker keeps from photo to photo.
  struct workspace {
    std::vector<std::byte> file;
    rgb_image photo;
    bilinear_resizer resize;
  };
  static constexpr std::size_t kKeptBytes = 64u << 20;  // more than this is given back after each photo

  [[nodiscard]] tensor<std::uint8_t, 4>::extents_type batch_shape(std::size_t photos) const noexcept {
    return {photos, options_.height, options_.width, 3};
  }

  void stop() noexcept {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    for (std::thread& worker : workers_) worker.join();
  }

  /// By address, as in thread_pool: what std::thread has of a type of ours, shared libraries would share.
  static void work_of(void* loader) { static_cast<photo_loader*>(loader)->work(); }

  void work() noexcept {
    workspace scratch;
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [this] { return stopping_ || claimed_ == paths_.size() || may_claim(); });
      if (stopping_ || claimed_ == paths_.size()) return;
      try {
        const std::size_t position = claimed_;
        if (position % options_.batch == 0) open_slot(position);
        slot& mine = slots_.back();  // deque: stays in place while others come and go
        ++claimed_;
        lock.unlock();
        std::optional<std::string> reason = load(position, mine.pixels.view(), scratch);
        lock.lock();
        mine.reasons[position % options_.batch] = std::move(reason);
        if (--mine.missing == 0) changed_.notify_all();
      } catch (...) {
        if (!lock.owns_lock()) lock.lock();
        failure_ = std::current_exception();
        stopping_ = true;
        changed_.notify_all();
        return;
      }
    }
  }

  /// Whether the next photo is of a batch that is open, or another batch may be opened.
  [[nodiscard]] bool may_claim() const noexcept {
    return claimed_ % options_.batch != 0 || slots_.size() < options_.ahead;
  }

  void open_slot(std::size_t first) {
    const std::size_t photos = std::min(options_.batch, paths_.size() - first);
    slot opened;
    opened.reasons.resize(photos);
    opened.missing = photos;
    if (photos == options_.batch && !spare_.empty()) {
      opened.pixels = std::move(spare_.back());
      spare_.pop_back();
    } else {
      opened.pixels = tensor<std::uint8_t, 4>(batch_shape(photos));
    }
    slots_.push_back(std::move(opened));
  }

  /// Decodes one photo into its place in the batch; the reason where that fails.
  [[nodiscard]] std::optional<std::string> load(std::size_t position, view<std::uint8_t, 4> batch,
                                                workspace& scratch) const {
    std::optional<std::string> reason;
    try {
      read_file(root_ / paths_[position], options_.limits.max_file_bytes, scratch.file);
      decode_image(scratch.file, options_.limits, scratch.photo);
      const std::size_t place = position % options_.batch;
      const view<std::uint8_t, 3> target(batch.data() + place * batch.stride(0), {options_.height, options_.width, 3});
      scratch.resize(scratch.photo.view(), target);
    } catch (const io_error& failure) {
      reason = failure.reason();
    } catch (const error& failure) {
      reason = failure.what();
    } catch (const std::bad_alloc&) {
      reason = "there is not enough memory to decode it";
    }
    if (scratch.file.capacity() + scratch.photo.pixels.capacity() > kKeptBytes) scratch = {};
    return reason;
  }

  /// The batch without the photos that failed.
  [[nodiscard]] photo_batch packed(slot finished, std::size_t first) const {
    photo_batch batch;
    for (std::size_t i = 0; i < finished.reasons.size(); ++i) {
      if (finished.reasons[i]) {
        batch.skipped.push_back({paths_[first + i], std::move(*finished.reasons[i])});
      } else {
        batch.rows.push_back(first + i);
      }
    }
    if (batch.skipped.empty()) {
      batch.pixels = std::move(finished.pixels);
      return batch;
    }
    batch.pixels = tensor<std::uint8_t, 4>(batch_shape(batch.rows.size()));
    const std::size_t photo = options_.height * options_.width * 3;
    for (std::size_t i = 0; i < batch.rows.size(); ++i)
      std::memcpy(batch.pixels.data() + i * photo, finished.pixels.data() + (batch.rows[i] - first) * photo, photo);
    return batch;
  }

  const std::filesystem::path root_;
  const std::vector<std::string> paths_;
  loader_options options_;

  std::mutex mutex_;
  std::condition_variable changed_;  // a batch is finished or taken, or the end has come
  std::deque<slot> slots_;           // the batches under way, the next one to deliver first
  std::vector<tensor<std::uint8_t, 4>> spare_;
  std::size_t claimed_ = 0;    // photos that a worker has taken
  std::size_t delivered_ = 0;  // photos in the batches that next() has returned
  bool stopping_ = false;
  std::exception_ptr failure_;
  std::vector<std::thread> workers_;
};

}  // namespace imgsim
