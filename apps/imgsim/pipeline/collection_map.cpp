#include "pipeline/collection_map.hpp"

#include <algorithm>
#include <cmath>

#include "device/compute.hpp"

#include <imgsim/metric/cosine.hpp>
#include <imgsim/report/neighbour_map.hpp>

namespace imgsim::app {

namespace {

constexpr std::size_t kNeighbours = 15;  // of each photo; those of UMAP's authors
constexpr const char* kNoMap = "there is no map";

/// Turned so that the places spread farthest along the first axis: pages are wider than high.
void lay_along_first_axis(tensor<float, 2>& places) {
  double mean[2] = {0, 0}, xx = 0, yy = 0, xy = 0;
  const auto count = static_cast<double>(places.extent(0));
  for (std::size_t row = 0; row < places.extent(0); ++row)
    for (std::size_t axis = 0; axis < 2; ++axis) mean[axis] += double{places(row, axis)} / count;
  for (std::size_t row = 0; row < places.extent(0); ++row) {
    const double x = double{places(row, 0)} - mean[0], y = double{places(row, 1)} - mean[1];
    xx += x * x;
    yy += y * y;
    xy += x * y;
  }
  const double angle = std::atan2(2 * xy, xx - yy) / 2;  // of the longest axis
  for (std::size_t row = 0; row < places.extent(0); ++row) {
    const double x = double{places(row, 0)} - mean[0], y = double{places(row, 1)} - mean[1];
    places(row, 0) = static_cast<float>(std::cos(angle) * x + std::sin(angle) * y);
    places(row, 1) = static_cast<float>(std::cos(angle) * y - std::sin(angle) * x);
  }
}

/// Both coordinates into [0, 1], by one scale.
void fit_into_unit_square(tensor<float, 2>& places) {
  float low[2] = {0, 0}, high[2] = {0, 0};
  for (std::size_t axis = 0; axis < 2; ++axis) {
    for (std::size_t row = 0; row < places.extent(0); ++row) {
      low[axis] = row == 0 ? places(row, axis) : std::min(low[axis], places(row, axis));
      high[axis] = row == 0 ? places(row, axis) : std::max(high[axis], places(row, axis));
    }
  }
  const float side = std::max(high[0] - low[0], high[1] - low[1]);
  for (std::size_t row = 0; row < places.extent(0); ++row) {
    for (std::size_t axis = 0; axis < 2; ++axis) {
      const float middle = (low[axis] + high[axis]) / 2;
      places(row, axis) = side > 0 ? 0.5F + (places(row, axis) - middle) / side : 0.5F;
    }
  }
}

}  // namespace

tensor<float, 2> map_of_photos(session& session, const photo_index& index) {
  const tensor<float, 2> components = session.device().principal_component_features(index.embeddings());
  session.check_stop(kNoMap);
  tensor<float, 2> places({index.size(), 2});
  for (std::size_t row = 0; row < index.size(); ++row) {
    for (std::size_t axis = 0; axis < 2; ++axis)
      places(row, axis) = axis < components.extent(1) ? components(row, axis) : 0.0F;
  }
  if (index.size() > 2) {
    const auto check_stop = [&session](auto...) { session.check_stop(kNoMap); };
    top_n_result nearest =
        session.device().top_n(index.embeddings(), index.embeddings(), cosine::name,
                               {.n = kNeighbours, .exclude_self = true, .first_row = 0, .on_progress = check_stop});
    for (float& value : nearest.similarity) value = 1 - value;
    places = neighbour_map(nearest.rows.view(), nearest.similarity.view(), places.view(), {.on_epoch = check_stop});
  }
  lay_along_first_axis(places);
  fit_into_unit_square(places);
  return places;
}

}  // namespace imgsim::app
