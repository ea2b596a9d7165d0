// What an embedding is made of, as data: part of an architecture (model/architecture.hpp), applied by transform.hpp.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <imgsim/image/photo_statistics.hpp>

namespace imgsim {

/// How a layer's [H, W, C] output becomes features. `flat`: all of it, in H, W, C order. `mean` and `generalised_mean`:
/// one value a channel for each cell of grid x grid (see generalised_mean_pooling in model/layer_spec.hpp), cells in
/// row order, C innermost.
enum class pool_kind { flat, mean, generalised_mean };

struct tap {
  std::string layer = "code";  ///< name of an encoder layer; "code" is the encoder's output
  pool_kind pool = pool_kind::flat;
  double exponent = 3.0;  ///< generalised_mean only
  std::size_t grid = 1;   ///< mean and generalised_mean only

  bool operator==(const tap&) const = default;
};

/// Features of the taps, concatenated in order, then centred, whitened and normalised (transform.hpp). Photo statistics
/// follow the taps as parts of their own; each part is whitened alone, and the parts are weighted by how far they agree
/// (part_agreement.hpp).
struct embedding_spec {
  std::vector<tap> taps{tap{}};
  std::vector<photo_statistic> statistics = {};  ///< each at most once
  bool centre = false;
  std::size_t whiten = 0;       ///< dimensions of a part kept by the whitening; 0: none
  double shrinkage = 0.0;       ///< in [0, 1]: 0 whitens fully, 1 only rotates
  double sampling_noise = 0.0;  ///< >= 0: damps directions that few photos cannot tell from noise (fit_embedding.hpp)
  bool normalise = false;       ///< to length 1
  bool mirror = false;          ///< the mean of what is made of the photo and of its mirror image; twice the work

  bool operator==(const embedding_spec&) const = default;
};

/// Features that come from the photo itself, behind the network's.
[[nodiscard]] inline std::size_t statistics_width(const embedding_spec& spec) {
  std::size_t width = 0;
  for (const photo_statistic statistic : spec.statistics) width += entry_of(statistic).width;
  return width;
}

}  // namespace imgsim
