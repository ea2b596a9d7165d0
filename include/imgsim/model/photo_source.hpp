// Where a training run takes its photos from: decoded once into memory where they fit, else decoded again each epoch,
// ahead of the network.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <imgsim/core/content_hash.hpp>
#include <imgsim/core/error.hpp>
#include <imgsim/core/file.hpp>
#include <imgsim/core/random.hpp>
#include <imgsim/core/tensor.hpp>
#include <imgsim/core/view.hpp>
#include <imgsim/image/photo_loader.hpp>

namespace imgsim {

/// Photos that a trainer asks for by row. plan() announces the rows, and how many at a time, that load() will be called
/// with next, so that a source may work ahead. load() fills out[rows.size(), H, W, 3]. fingerprint() is equal for equal
/// photos in equal order.
template <class Source>
concept photo_source = requires(Source& source, const Source& constant, std::span<const std::size_t> rows,
                                std::size_t batch, view<std::uint8_t, 4> out) {
  { constant.size() } -> std::same_as<std::size_t>;
  { constant.fingerprint() } -> std::convertible_to<std::string>;
  source.plan(rows, batch);
  source.load(rows, out);
};

namespace detail {

inline void check_load(std::span<const std::size_t> rows, std::size_t size, view<std::uint8_t, 4> out,
                       std::size_t height, std::size_t width) {
  IMGSIM_EXPECTS(out.extent(0) == rows.size() && out.extent(1) == height && out.extent(2) == width &&
                     out.extent(3) == 3 && (rows.empty() || out.slice(0, 1).is_contiguous()),
                 "photos are loaded into [", rows.size(), ", ", height, ", ", width, ", 3], not ", shape_text(out));
  for (const std::size_t row : rows) IMGSIM_EXPECTS(row < size, "there is no photo ", row, " among ", size);
}

}  // namespace detail

/// Photos [M, H, W, 3] in memory.
class photos_in_memory {
 public:
  explicit photos_in_memory(tensor<std::uint8_t, 4> pixels)
      : pixels_(std::move(pixels)), fingerprint_(content_hash(std::as_bytes(std::span(pixels_)))) {
    IMGSIM_EXPECTS(pixels_.extent(3) == 3, "photos have 3 channels, not ", pixels_.extent(3));
  }

  [[nodiscard]] std::size_t size() const noexcept { return pixels_.extent(0); }
  [[nodiscard]] const std::string& fingerprint() const noexcept { return fingerprint_; }
  [[nodiscard]] view<const std::uint8_t, 4> pixels() const noexcept { return pixels_.view(); }

  void plan(std::span<const std::size_t>, std::size_t) noexcept {}
  void load(std::span<const std::size_t> rows, view<std::uint8_t, 4> out) const {
    detail::check_load(rows, size(), out, pixels_.extent(1), pixels_.extent(2));
    const std::size_t photo = pixels_.view().stride(0);
    for (std::size_t i = 0; i < rows.size(); ++i)
      std::memcpy(out.data() + i * out.stride(0), pixels_.data() + rows[i] * photo, photo);
  }

 private:
  tensor<std::uint8_t, 4> pixels_;
  std::string fingerprint_;
};

/// Photos that are read from disk each time. Movable; one thread at a time.
class photos_on_disk {
 public:
  /// `paths` relative to `root`, all known to decode; `fingerprint` of their pixels.
  photos_on_disk(std::filesystem::path root, std::vector<std::string> paths, const loader_options& options,
                 std::string fingerprint)
      : root_(std::move(root)), paths_(std::move(paths)), options_(options), fingerprint_(std::move(fingerprint)) {}

  [[nodiscard]] std::size_t size() const noexcept { return paths_.size(); }
  [[nodiscard]] const std::string& fingerprint() const noexcept { return fingerprint_; }

  void plan(std::span<const std::size_t> rows, std::size_t batch) {
    planned_.assign(rows.begin(), rows.end());
    done_ = 0;
    loader_options options = options_;
    options.batch = std::max<std::size_t>(batch, 1);
    std::vector<std::string> order;
    order.reserve(rows.size());
    for (const std::size_t row : rows) order.push_back(paths_.at(row));
    loader_.reset();  // ends its threads before the next ones begin
    loader_ = std::make_unique<photo_loader>(root_, std::move(order), options);
    batch_ = options.batch;
  }

  /// Rows that were not announced are decoded too, but not ahead. Throws io_error where a photo can no longer be read.
  void load(std::span<const std::size_t> rows, view<std::uint8_t, 4> out) {
    detail::check_load(rows, size(), out, options_.height, options_.width);
    if (rows.empty()) return;
    if (!is_next(rows)) plan(rows, rows.size());
    std::optional<photo_batch> batch = loader_->next();
    done_ += rows.size();
    if (!batch->skipped.empty()) {
      const skipped_file& failed = batch->skipped.front();
      throw io_error(root_ / failed.path, failed.reason + " (it could be read when the run began)");
    }
    const std::size_t photo = out.extent(1) * out.extent(2) * out.extent(3);
    for (std::size_t i = 0; i < rows.size(); ++i)
      std::memcpy(out.data() + i * out.stride(0), batch->pixels.data() + i * photo, photo);
    loader_->recycle(std::move(*batch));
  }

 private:
  /// Whether `rows` is the batch that the loader delivers next.
  [[nodiscard]] bool is_next(std::span<const std::size_t> rows) const {
    const std::size_t expected = std::min(batch_, planned_.size() - done_);
    return loader_ != nullptr && rows.size() == expected &&
           std::equal(rows.begin(), rows.end(), planned_.begin() + static_cast<std::ptrdiff_t>(done_));
  }

  std::filesystem::path root_;
  std::vector<std::string> paths_;
  loader_options options_;
  std::string fingerprint_;
  std::unique_ptr<photo_loader> loader_;
  std::vector<std::size_t> planned_;
  std::size_t done_ = 0;
  std::size_t batch_ = 0;
};

/// Either of them, chosen when the photos are opened.
class photo_set {
 public:
  explicit photo_set(photos_in_memory photos) : source_(std::move(photos)) {}
  explicit photo_set(photos_on_disk photos) : source_(std::move(photos)) {}

  [[nodiscard]] bool in_memory() const noexcept { return std::holds_alternative<photos_in_memory>(source_); }
  [[nodiscard]] std::size_t size() const {
    return std::visit([](const auto& s) { return s.size(); }, source_);
  }
  [[nodiscard]] const std::string& fingerprint() const {
    return std::visit([](const auto& s) -> const std::string& { return s.fingerprint(); }, source_);
  }
  void plan(std::span<const std::size_t> rows, std::size_t batch) {
    std::visit([&](auto& s) { s.plan(rows, batch); }, source_);
  }
  void load(std::span<const std::size_t> rows, view<std::uint8_t, 4> out) {
    std::visit([&](auto& s) { s.load(rows, out); }, source_);
  }

 private:
  std::variant<photos_in_memory, photos_on_disk> source_;
};

static_assert(photo_source<photos_in_memory> && photo_source<photos_on_disk> && photo_source<photo_set>);

struct open_photos_options {
  loader_options loader;                                           ///< height and width are the network's
  std::uint64_t memory_budget = std::uint64_t{2} << 30;            ///< bytes of decoded photos to keep
  std::function<void(std::size_t, std::size_t)> on_progress = {};  ///< (photos done, photos in all)
};

struct opened_photos {
  photo_set photos;
  std::vector<std::string> paths;     ///< of the rows of `photos`
  std::vector<skipped_file> skipped;  ///< what could not be decoded, and why
};

/// Decodes every photo once, to know which ones can be, and keeps them in memory where `paths` fit the budget. The
/// order of the rows is that of `paths`.
[[nodiscard]] inline opened_photos open_photos(const std::filesystem::path& root, const std::vector<std::string>& paths,
                                               const open_photos_options& options) {
  const loader_options& shape = options.loader;
  const std::size_t photo = checked_size(std::array{shape.height, shape.width, std::size_t{3}}, 1);
  const bool keep = photo == 0 || paths.size() <= options.memory_budget / photo;
  tensor<std::uint8_t, 4> pixels;
  if (keep) pixels = tensor<std::uint8_t, 4>({paths.size(), shape.height, shape.width, 3});
  content_hasher hasher;
  std::vector<std::string> kept;
  std::vector<skipped_file> skipped;
  photo_loader loader(root, paths, shape);
  while (std::optional<photo_batch> batch = loader.next()) {
    if (keep) std::ranges::copy(batch->pixels, pixels.data() + kept.size() * photo);
    hasher.update(std::as_bytes(std::span(batch->pixels)));
    for (const std::size_t row : batch->rows) kept.push_back(paths[row]);
    std::ranges::move(batch->skipped, std::back_inserter(skipped));
    if (options.on_progress) options.on_progress(kept.size() + skipped.size(), paths.size());
    loader.recycle(std::move(*batch));
  }
  if (!keep) return {photo_set(photos_on_disk(root, kept, shape, hasher.hex())), kept, std::move(skipped)};
  if (kept.size() < paths.size()) {
    tensor<std::uint8_t, 4> shorter({kept.size(), shape.height, shape.width, 3});
    std::copy_n(pixels.data(), shorter.size(), shorter.data());
    pixels = std::move(shorter);
  }
  return {photo_set(photos_in_memory(std::move(pixels))), std::move(kept), std::move(skipped)};
}

struct photo_split {
  std::vector<std::size_t> training, validation;  ///< rows, ascending
};

/// Puts `fraction` of `count` photos aside, chosen by `seed`: at least one where both halves can have one. Throws
/// invalid_argument for a fraction outside [0, 1).
[[nodiscard]] inline photo_split split_photos(std::size_t count, double fraction, std::uint64_t seed) {
  IMGSIM_EXPECTS(fraction >= 0.0 && fraction < 1.0, "the validation fraction must be in [0, 1), not ", fraction);
  constexpr std::uint64_t kSplitStream = 0x73706c6974;  // apart from the streams of the epochs
  std::vector<std::size_t> order = random_stream(seed, kSplitStream).permutation(count);
  std::size_t aside = 0;
  if (fraction > 0.0 && count > 1)
    aside = std::clamp<std::size_t>(static_cast<std::size_t>(std::llround(fraction * static_cast<double>(count))), 1,
                                    count - 1);
  const auto cut = order.begin() + static_cast<std::ptrdiff_t>(aside);
  std::ranges::sort(order.begin(), cut);
  std::ranges::sort(cut, order.end());
  return {.training = {cut, order.end()}, .validation = {order.begin(), cut}};
}

}  // namespace imgsim
