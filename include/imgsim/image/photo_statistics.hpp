// Features of a photo that need no training and see what a network that reconstructs pixels is blind to. Each sees one
// thing and not the others', which is what embedding/part_agreement.hpp builds on.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <imgsim/core/context.hpp>
#include <imgsim/core/error.hpp>
#include <imgsim/core/view.hpp>
#include <imgsim/image/photo_batch.hpp>
#include <imgsim/image/statistics/colour_contrast.hpp>
#include <imgsim/image/statistics/edge_cells.hpp>
#include <imgsim/image/statistics/local_patterns.hpp>

namespace imgsim {

/// edges: shape, by place, blind to colour. texture: grey patterns, blind to place and colour. colour: blind to place.
enum class photo_statistic { edges, texture, colour };

struct photo_statistic_entry {
  photo_statistic statistic;
  std::string_view name;
  std::size_t width;  ///< features
  void (*compute)(view<const std::uint8_t, 3> photo, std::span<float> out);
};

inline constexpr std::array kPhotoStatistics{
    photo_statistic_entry{photo_statistic::edges, "edges", kEdgeFeatures, edge_cells},
    photo_statistic_entry{photo_statistic::texture, "texture", kPatternFeatures, local_patterns},
    photo_statistic_entry{photo_statistic::colour, "colour", kColourFeatures, colour_contrast}};

[[nodiscard]] constexpr const photo_statistic_entry& entry_of(photo_statistic statistic) {
  return kPhotoStatistics[static_cast<std::size_t>(statistic)];
}

/// out[B, width of `statistic`] of photos [B, H, W, 3]; a photo's row depends on that photo alone. Throws
/// invalid_argument for shapes that do not fit.
template <execution_context Context>
void compute_statistic(const Context& context, photo_statistic statistic, view<const std::uint8_t, 4> photos,
                       matrix_view<float> out) {
  check_photos(photos);
  const photo_statistic_entry& entry = entry_of(statistic);
  IMGSIM_EXPECTS(out.extent(0) == photos.extent(0) && out.extent(1) == entry.width, "features ", shape_text(out),
                 " should be [", photos.extent(0), ", ", entry.width, "]");
  context.host_pool().for_each(
      photos.extent(0), [&](std::size_t i) { entry.compute(photo_at(photos, i), std::span(out.row(i), entry.width)); });
}

}  // namespace imgsim
