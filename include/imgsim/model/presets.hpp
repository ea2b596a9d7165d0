// Architectures known by name.
#pragma once

#include <array>
#include <cstddef>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <imgsim/core/error.hpp>
#include <imgsim/model/architecture.hpp>

namespace imgsim {

struct preset_options {
  std::optional<std::size_t> size = {};    ///< side of the square input, in pixels
  std::optional<std::size_t> latent = {};  ///< width of the dense code; for presets that have one
};

namespace detail {

using layer_list = std::vector<layer_spec>;
using filter_counts = std::initializer_list<std::size_t>;

inline void append(layer_list& layers, std::initializer_list<layer_spec> more) {
  layers.insert(layers.end(), more);
}

/// A bias right before batch norm has no effect.
enum class bias_use { with, without };

inline convolution same_convolution(std::size_t filters, std::size_t stride = 1, bias_use bias = bias_use::with) {
  return {.filters = filters, .stride = {stride, stride}, .bias = bias == bias_use::with};
}

inline transposed_convolution doubling(std::size_t filters) {
  return {.filters = filters, .stride = {2, 2}};
}

/// 3x3 convolutions 16, 8, 4 and 2x2 max pooling; the layers, and their order, of the published Keras weights.
inline architecture make_maxpool_16_8_4(std::size_t size, std::size_t) {
  architecture a{.name = "maxpool-16-8-4", .height = size, .width = size};
  for (const std::size_t filters : filter_counts{16, 8, 4}) {
    append(a.encoder, {{same_convolution(filters)}, {relu{}}, {max_pooling{}}});
  }
  for (const std::size_t filters : filter_counts{4, 8, 16}) {
    append(a.decoder, {{same_convolution(filters)}, {relu{}}, {upsampling{{2, 2}, interpolation_kind::bilinear}}});
  }
  append(a.decoder, {{same_convolution(a.channels)}, {sigmoid{}}});
  a.loss = loss_kind::binary_cross_entropy;
  a.kernel_l2 = 0.01;
  return a;
}

/// Stride-2 convolutions 32, 64, each ReLU then batch norm, and a dense code.
inline architecture make_strided_dense(std::size_t size, std::size_t latent) {
  architecture a{.name = "strided-dense-16", .height = size, .width = size};
  for (const std::size_t filters : filter_counts{32, 64}) {
    append(a.encoder, {{same_convolution(filters, 2)}, {relu{}}, {batch_normalization{}}});
  }
  append(a.encoder, {{flatten{}}, {dense{latent}}});
  const std::size_t side = size / 4;
  append(a.decoder, {{dense{side * side * 64}}, {reshape{side, side, 64}}});
  for (const std::size_t filters : filter_counts{64, 32}) {
    append(a.decoder, {{doubling(filters)}, {relu{}}, {batch_normalization{}}});
  }
  append(a.decoder, {{transposed_convolution{.filters = a.channels}}, {sigmoid{}}});
  return a;
}

/// Strided convolutions down to a dense code of `latent`, and transposed ones back.
inline architecture make_conv_transpose(std::size_t size, std::size_t latent) {
  constexpr std::array<std::size_t, 4> kFilters{16, 32, 64, 64};
  architecture a{.name = "conv-transpose", .height = size, .width = size};
  for (const std::size_t filters : kFilters) append(a.encoder, {{same_convolution(filters, 2)}, {relu{}}});
  append(a.encoder, {{flatten{}}, {dense{latent}}});
  const std::size_t side = size / 16;
  append(a.decoder, {{dense{side * side * kFilters.back()}}, {relu{}}, {reshape{side, side, kFilters.back()}}});
  for (const std::size_t filters : filter_counts{64, 32, 16}) append(a.decoder, {{doubling(filters)}, {relu{}}});
  append(a.decoder, {{doubling(a.channels)}, {sigmoid{}}});
  a.embedding.centre = true;
  a.embedding.normalise = true;
  return a;
}

/// Four stride-2 levels; features pooled from the last three, and a coarse map of where they are. Beside them
/// statistics of the photo, weighted by how far they agree.
inline architecture make_default(std::size_t size, std::size_t) {
  architecture a{.name = "default", .height = size, .width = size};
  for (const std::size_t filters : filter_counts{32, 64, 96, 128}) {
    append(a.encoder, {{same_convolution(filters, 2, bias_use::without)},
                       {batch_normalization{}},
                       {leaky_relu{0.1}, "level_" + std::to_string(a.encoder.size() / 3 + 1)}});
  }
  for (const std::size_t filters : filter_counts{64, 32, 16}) {
    append(a.decoder, {{upsampling{}},
                       {same_convolution(filters, 1, bias_use::without)},
                       {batch_normalization{}},
                       {leaky_relu{0.1}}});
  }
  append(a.decoder, {{upsampling{}}, {same_convolution(a.channels)}, {sigmoid{}}});
  a.embedding = {.taps = {{.layer = "level_2", .pool = pool_kind::generalised_mean},
                          {.layer = "level_3", .pool = pool_kind::generalised_mean},
                          {.layer = "level_4", .pool = pool_kind::generalised_mean},
                          {.layer = "level_3", .pool = pool_kind::mean, .grid = 4}},
                 .statistics = {photo_statistic::edges, photo_statistic::texture, photo_statistic::colour},
                 .centre = true,
                 .whiten = 128,
                 .shrinkage = 0.02,
                 .sampling_noise = 1.0,
                 .normalise = true,
                 .mirror = true};
  a.training.epochs = 0;
  return a;
}

struct preset_entry {
  std::string_view name;
  std::size_t size;     ///< default side
  std::size_t divisor;  ///< the side must be a multiple of this
  std::size_t least;    ///< and at least this
  std::size_t latent;   ///< default width of the dense code; 0: the preset has none
  architecture (*make)(std::size_t size, std::size_t latent);
};

inline constexpr std::array kPresets{preset_entry{"default", 128, 16, 32, 0, make_default},
                                     preset_entry{"maxpool-16-8-4", 256, 8, 8, 0, make_maxpool_16_8_4},
                                     preset_entry{"strided-dense-16", 256, 4, 4, 16, make_strided_dense},
                                     preset_entry{"conv-transpose", 128, 16, 16, 64, make_conv_transpose}};

inline constexpr auto kPresetNames = [] {
  std::array<std::string_view, kPresets.size()> names;
  for (std::size_t i = 0; i < names.size(); ++i) names[i] = kPresets[i].name;
  return names;
}();

}  // namespace detail

[[nodiscard]] inline std::span<const std::string_view> preset_names() noexcept {
  return detail::kPresetNames;
}

/// Throws invalid_argument for an unknown name (the message lists the known ones), a size that the preset cannot halve
/// often enough, or a latent size for a preset that has none.
[[nodiscard]] inline architecture preset(std::string_view name, const preset_options& options = {}) {
  std::string known;
  for (const detail::preset_entry& entry : detail::kPresets) {
    if (entry.name == name) {
      const std::size_t size = options.size.value_or(entry.size);
      IMGSIM_EXPECTS(size >= entry.least && size % entry.divisor == 0, "preset ", name, " needs a size from ",
                     entry.least, " on that is a multiple of ", entry.divisor, ", not ", size);
      IMGSIM_EXPECTS(!options.latent || (entry.latent > 0 && *options.latent > 0), "preset ", name,
                     entry.latent > 0 ? " needs a latent size above 0" : " has no latent size to choose");
      return entry.make(size, options.latent.value_or(entry.latent));
    }
    known += (known.empty() ? "" : ", ") + std::string(entry.name);
  }
  throw invalid_argument("there is no preset '" + std::string(name) + "'; known are " + known);
}

}  // namespace imgsim
