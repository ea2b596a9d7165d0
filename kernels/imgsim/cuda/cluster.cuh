// Clustering on a CUDA device: include this beside imgsim/cluster/*.hpp to run them on a cuda_context.
//
// K-medoids reads tables of distances on the device in place; those of the host, and what a distance_source of the host
// gives, are copied there, 4 M^2 bytes. Embeddings, of either memory, take O(M D + K M).
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include <imgsim/cluster/backend.hpp>
#include <imgsim/cluster/distance_source.hpp>
#include <imgsim/cluster/embedding_distances.hpp>
#include <imgsim/core/tensor.hpp>
#include <imgsim/core/view.hpp>
#include <imgsim/cuda/cluster/centroid_searcher.cuh>
#include <imgsim/cuda/cluster/distance_rows.cuh>
#include <imgsim/cuda/cluster/gather_launch.cuh>
#include <imgsim/cuda/cluster/medoid_searcher.cuh>
#include <imgsim/cuda/cluster/silhouette_searcher.cuh>
#include <imgsim/cuda/context.hpp>
#include <imgsim/metric/euclidean.hpp>

namespace imgsim {

template <>
struct cluster_backend<cuda_context> {
  template <class Source>
  using medoid_searcher = cuda::medoid_searcher<Source>;
  template <class Source>
  using silhouette_searcher = cuda::silhouette_searcher<Source>;
  using centroid_searcher = cuda::centroid_searcher;

  /// A source of the host is read there: its whole table is not needed on the device.
  template <class Source>
  [[nodiscard]] static tensor<float, 2> distances_among(const cuda_context& context, const Source& source,
                                                        std::span<const std::size_t> rows) {
    tensor<float, 2> distances({rows.size(), rows.size()});
    if (rows.empty()) return distances;
    const matrix_view<float> out = distances.view();
    if constexpr (distance_source<Source>) {
      context.host_pool().for_each(rows.size(), [&](std::size_t r) {
        tensor<float, 2> buffer({Source::kResident ? 0u : 1u, Source::kResident ? 0u : source.size()});
        const float* row = source.rows(rows[r], 1, buffer.view()).data();
        for (std::size_t c = 0; c < rows.size(); ++c) out(r, c) = row[rows[c]];
      });
    } else {
      const cuda_context::waits_if_thrown wait(context);
      const cuda::distance_rows<Source> reader(context, source);
      const cuda::uploaded<unsigned> indices(context, cuda::narrowed(rows));
      const cuda::index_list chosen{indices.get(), static_cast<unsigned>(rows.size())};
      const cuda::padded_rows on_device(context, rows.size(), rows.size());
      reader.queue_submatrix(context, chosen, chosen, on_device.rows(rows.size()));
      context.copy(matrix_view<const float, device_space>(on_device.rows(rows.size())), out);
      context.synchronize();
    }
    return distances;
  }
};

static_assert(has_distance_sample<cuda_context, resident_distances<>>);
static_assert(has_distance_sample<cuda_context, resident_distances<device_space>>);
static_assert(has_distance_sample<cuda_context, embedding_distances<euclidean, float, device_space>>);
static_assert(has_silhouette_search<cuda_context, resident_distances<>>);
static_assert(has_centroid_search<cuda_context>);

}  // namespace imgsim
