// How well separated groups are, without knowing the truth.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <imgsim/core/context.hpp>
#include <imgsim/core/error.hpp>
#include <imgsim/core/view.hpp>

namespace imgsim {

/// The medoid silhouette (Lenssen and Schubert, 2024, doi:10.1016/j.is.2023.102290): the mean over the points of 1 - d1
/// / d2, where d1 and d2 are the distances to the nearest and the second nearest medoid, both [M]. In [0, 1], larger is
/// better separated; a point on two medoids at once (d2 = 0) counts 0. Throws invalid_argument where the lengths
/// differ. O(M).
[[nodiscard]] double medoid_silhouette(std::span<const float> nearest, std::span<const float> second_nearest);

/// The average silhouette width (Rousseeuw, 1987, doi:10.1016/0377-0427(87)90125-7) of `labels` [M] under `distances`
/// [M, M]: the mean of (b - a) / max(a, b), with a the mean distance to the other points of the own group and b the
/// least mean distance to another group. A point alone in its group counts 0, and so does a = b = 0. In [-1, 1]. Labels
/// are below k; groups may be empty. 0 where fewer than two groups hold points. O(M^2). Throws invalid_argument where
/// shapes differ or a label is k or more.
template <execution_context Context>
[[nodiscard]] double silhouette(const Context& context, matrix_view<const float> distances,
                                std::span<const std::uint32_t> labels, std::size_t k);

}  // namespace imgsim
