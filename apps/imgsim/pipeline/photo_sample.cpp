#include "pipeline/photo_sample.hpp"

#include <algorithm>
#include <numeric>
#include <span>
#include <utility>

#include "device/compute.hpp"
#include "pipeline/gather_rows.hpp"

#include <imgsim/core/random.hpp>

namespace imgsim::app {

std::vector<std::size_t> draw_rows(std::size_t size, std::size_t count, std::uint64_t seed) {
  std::vector<std::size_t> rows(size);
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  if (count >= size) return rows;
  random_stream random(seed, 0x5a3);
  random.shuffle(std::span(rows));
  rows.resize(count);
  std::ranges::sort(rows);
  return rows;
}

photo_sample::photo_sample(session& session, const photo_index& index, const std::string& metric,
                           const point_distances* whole)
    : rows_(draw_rows(index.size(), kComparedPhotos, session.options().seed)), whole_(whole) {
  if (size() < index.size()) {
    points_ = gather_rows(index.embeddings(), rows_);
    opened_ = session.device().open_distances(std::as_const(points_).view(), metric, true);
  } else if (whole == nullptr) {
    opened_ = session.device().open_distances(index.embeddings(), metric, true);
  }
}

void photo_sample::to_rows(std::vector<std::size_t>& positions) const {
  for (std::size_t& position : positions) position = rows_[position];
}

}  // namespace imgsim::app
