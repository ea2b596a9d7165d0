// The photos that are all compared with one another: every one of an index, or a sample where they are too many.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cli/session.hpp"
#include "device/point_distances.hpp"

#include <imgsim/core/tensor.hpp>
#include <imgsim/embedding/photo_index.hpp>

namespace imgsim::app {

/// Up to this many photos are all compared with one another; of more, samples are. It does not depend on the machine:
/// one that cannot keep so many distances (1.6 GB) computes them again and again, for the same answer.
inline constexpr std::size_t kComparedPhotos = 20'000;

/// `count` rows of `size`, or all of them, ascending.
[[nodiscard]] std::vector<std::size_t> draw_rows(std::size_t size, std::size_t count, std::uint64_t seed);

class photo_sample {
 public:
  /// `whole`: the distances between all photos, where they are open already. `index` and `whole` must outlive it.
  photo_sample(session& session, const photo_index& index, const std::string& metric,
               const point_distances* whole = nullptr);

  [[nodiscard]] std::size_t size() const noexcept { return rows_.size(); }
  /// Of positions in the sample.
  [[nodiscard]] const point_distances& distances() const noexcept { return opened_ ? *opened_ : *whole_; }
  /// Positions in the sample become rows of the index.
  void to_rows(std::vector<std::size_t>& positions) const;

 private:
  std::vector<std::size_t> rows_;
  const point_distances* whole_ = nullptr;
  tensor<float, 2> points_;  // of the sample, which opened_ refers to
  std::unique_ptr<point_distances> opened_;
};

}  // namespace imgsim::app
