// The twelve kinds of picture. Each function paints one from its random numbers: pose, light, colours, background.
#pragma once

#include "picture.hpp"

namespace imgsim::sample_set {

void paint_balloons(picture& scene, chance& random);
void paint_bricks(picture& scene, chance& random);
void paint_city(picture& scene, chance& random);
void paint_fish(picture& scene, chance& random);
void paint_flowers(picture& scene, chance& random);
void paint_forest(picture& scene, chance& random);
void paint_fruit(picture& scene, chance& random);
void paint_gears(picture& scene, chance& random);
void paint_marble(picture& scene, chance& random);
void paint_mountains(picture& scene, chance& random);
void paint_sailing(picture& scene, chance& random);
void paint_textile(picture& scene, chance& random);

}  // namespace imgsim::sample_set
