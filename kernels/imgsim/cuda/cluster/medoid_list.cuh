// The medoids of a search and their rows of distances on the device.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include <imgsim/cuda/cluster/candidate_rows.cuh>
#include <imgsim/cuda/cluster/distance_rows.cuh>
#include <imgsim/cuda/context.hpp>

namespace imgsim::cuda {

/// Rows are read in place from a resident source, and kept otherwise: copied from the tile that a candidate's trial has
/// left, or computed. What changes them is queued.
template <class Source>
class medoid_list {
 public:
  medoid_list(const cuda_context& context, const distance_rows<Source>& source,
              const candidate_rows<Source>& candidates)
      : context_(context), source_(source), candidates_(candidates), is_medoid_(source.size(), 0) {}

  /// [K] by position.
  [[nodiscard]] std::span<const std::size_t> rows() const noexcept { return medoids_; }
  [[nodiscard]] bool holds(std::size_t row) const noexcept { return is_medoid_[row] != 0; }
  /// [K] the distances [M] from each medoid, on the device.
  [[nodiscard]] const std::vector<const float*>& distances() const noexcept { return distances_; }

  /// Replaces all. A medoid that was at the same position is not read again.
  void assign(std::span<const std::size_t> rows) {
    const std::vector<std::size_t> wanted(rows.begin(), rows.end());  // `rows` may be those of this object
    std::ranges::fill(is_medoid_, std::uint8_t{0});
    while (medoids_.size() > wanted.size()) remove(medoids_.size() - 1);
    for (std::size_t position = 0; position < medoids_.size(); ++position)
      if (medoids_[position] != wanted[position]) place(position, wanted[position]);
    while (medoids_.size() < wanted.size()) add(wanted[medoids_.size()]);
    for (const std::size_t row : wanted) is_medoid_[row] = 1;
  }

  void add(std::size_t row) {
    medoids_.push_back(row);
    distances_.push_back(nullptr);
    if constexpr (!kResident) own_rows_.push_back(context_.allocate<float>(source_.size()));
    read(medoids_.size() - 1);
    is_medoid_[row] = 1;
  }

  /// Another medoid comes to the position.
  void place(std::size_t position, std::size_t row) {
    is_medoid_[medoids_[position]] = 0;
    medoids_[position] = row;
    read(position);
    is_medoid_[row] = 1;
  }

  void remove(std::size_t position) {
    const auto at = static_cast<std::ptrdiff_t>(position);
    is_medoid_[medoids_[position]] = 0;
    medoids_.erase(medoids_.begin() + at);
    distances_.erase(distances_.begin() + at);
    if constexpr (!kResident) own_rows_.erase(own_rows_.begin() + at);
  }

 private:
  static constexpr bool kResident = distance_rows<Source>::kResident;

  void read(std::size_t position) {
    const std::size_t row = medoids_[position];
    if constexpr (kResident) {
      distances_[position] = candidates_.rows(row, 1).data();
    } else {
      const matrix_view<float, device_space> own = own_rows_[position].matrix(1, source_.size());
      if (candidates_.holds(row))
        context_.copy(candidates_.rows(row, 1), own);
      else
        source_.queue_rows(context_, row, own);
      distances_[position] = own.data();
    }
  }

  const cuda_context& context_;
  const distance_rows<Source>& source_;
  const candidate_rows<Source>& candidates_;
  std::vector<std::size_t> medoids_;
  std::vector<const float*> distances_;
  std::vector<device_buffer<float>> own_rows_;  // [K] where they lie, unless the source is resident
  std::vector<std::uint8_t> is_medoid_;
};

}  // namespace imgsim::cuda
