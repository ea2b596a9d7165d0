// What a network is trained to do beside making photos into themselves, as data: part of an architecture's defaults.
#pragma once

#include <cmath>

#include <imgsim/core/error.hpp>
#include <imgsim/image/augment.hpp>

namespace imgsim {

/// The values here: none of it.
struct training_recipe {
  augmentation augment = {};  ///< views that take the place of the photos, others in each epoch
  double mask = 0.0;          ///< part of a photo's patches that the network is not shown and has to fill in, in [0, 1)
  double invariance = 0.0;    ///< weight of seeing the same in two views of a photo (invariance.hpp), >= 0
  double ema =
      0.0;  ///< of the weights kept: the part of their mean that stays in each step (weight_average.hpp), [0, 1)

  bool operator==(const training_recipe&) const = default;
};

/// Throws invalid_argument for a number out of range, and for an invariance to views that do not differ.
inline void check_recipe(const training_recipe& recipe) {
  check_augmentation(recipe.augment);
  IMGSIM_EXPECTS(recipe.mask >= 0.0 && recipe.mask < 1.0, "the masked part must be from 0 to below 1, not ",
                 recipe.mask);
  IMGSIM_EXPECTS(recipe.ema >= 0.0 && recipe.ema < 1.0, "the part of a mean of weights that stays must be from 0 to ",
                 "below 1, not ", recipe.ema);
  IMGSIM_EXPECTS(recipe.invariance >= 0.0 && std::isfinite(recipe.invariance),
                 "the weight of an invariance term must be at least 0, not ", recipe.invariance);
  IMGSIM_EXPECTS(recipe.invariance == 0.0 || recipe.augment.changes_photos(),
                 "an invariance term compares two views of a photo, and without augmentation they do not differ");
}

}  // namespace imgsim
