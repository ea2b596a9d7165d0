// The N best of many keys, exactly, in the order of an answer: falling key, then rising row, NaN last.
//
// A block owns one query and one part of the gallery. Its candidates lie in shared memory, kSelectThreads x 2 are
// looked at in a step, and those that beat the N-th best so far are appended; a full buffer is sorted (bitonic) and cut
// to N. The state, N candidates or fewer, sorted, goes through global memory between tiles of the gallery, so that no
// table of [Q, M] keys is needed. Keys are compared as 64-bit integers (`rank`), in which larger is better and NaN is
// 0.
//
// Traffic: 8 bytes for each key, once, and 12 bytes a match for each tile. Shared memory: 12 bytes for each of Capacity
// candidates. After the first few steps nearly no key passes: of M keys in random order about N ln(M / N) do.
#pragma once

#include <cstddef>
#include <cstdint>

#include <imgsim/core/macros.hpp>
#include <imgsim/cuda/portable.cuh>
#include <imgsim/cuda/search/policy.hpp>
#include <imgsim/metric/metric.hpp>

namespace imgsim::cuda {

using key_rank = unsigned long long;

/// Larger ranks are better keys; equal keys, -0 and 0 among them, have equal ranks; every NaN has 0.
IMGSIM_HOST_DEVICE inline key_rank rank_of(double key) {
  if (key != key) return 0;
  const key_rank bits = __builtin_bit_cast(key_rank, key + 0.0);
  return (bits >> 63) != 0 ? ~bits : bits | key_rank{1} << 63;
}
IMGSIM_HOST_DEVICE inline double key_of(key_rank rank) {
  if (rank == 0) return kNoKey;
  return __builtin_bit_cast(double, (rank >> 63) != 0 ? rank ^ key_rank{1} << 63 : ~rank);
}

/// Candidates in memory that the threads of a block share.
struct candidate_arrays {
  key_rank* ranks;
  unsigned* rows;

  /// Whether candidate a comes before candidate b in an answer. Places without a candidate have rank 0 and row ~0.
  __device__ static bool precedes(key_rank rank_a, unsigned row_a, key_rank rank_b, unsigned row_b) {
    return rank_a != rank_b ? rank_a > rank_b : row_a < row_b;
  }
  __device__ void swap_if_out_of_order(unsigned low, unsigned high, bool ascending_order) const {
    const bool in_order = precedes(ranks[low], rows[low], ranks[high], rows[high]);
    if (in_order == ascending_order) return;
    const key_rank rank = ranks[low];
    const unsigned row = rows[low];
    ranks[low] = ranks[high];
    rows[low] = rows[high];
    ranks[high] = rank;
    rows[high] = row;
  }
  __device__ void clear(unsigned i) const {
    ranks[i] = 0;
    rows[i] = ~0u;
  }
};

/// Sorts the first `count` candidates by the block's threads (Batcher, 1968, doi:10.1145/1468075.1468121). There is
/// room up to the next power of two. Begins and ends with a barrier.
__device__ inline void sort_candidates(const candidate_arrays& candidates, unsigned count) {
  unsigned width = 1;
  while (width < count) width *= 2;
  for (unsigned i = count + threadIdx.x; i < width; i += blockDim.x) candidates.clear(i);
  __syncthreads();
  for (unsigned size = 2; size <= width; size *= 2) {
    for (unsigned distance = size / 2; distance > 0; distance /= 2) {
      for (unsigned i = threadIdx.x; i < width / 2; i += blockDim.x) {
        const unsigned low = i / distance * 2 * distance + i % distance;
        candidates.swap_if_out_of_order(low, low + distance, (low & size) == 0);
      }
      __syncthreads();
    }
  }
}

/// Lists of the best so far: [queries, parts, wanted], sorted, with their lengths [queries, parts].
struct best_lists {
  key_rank* ranks;
  unsigned* rows;
  unsigned* counts;
  unsigned wanted;
};

/// Keys [queries, columns] of a run of gallery rows.
struct key_source {
  const double* keys;
  unsigned long long stride;
  unsigned first_gallery_row;
  unsigned count;
  bool exclude_self;
  unsigned long long first_query_row;  // the gallery row that query 0 is, where exclude_self

  __device__ bool read(unsigned query, unsigned i, key_rank& rank, unsigned& row) const {
    row = first_gallery_row + i;
    rank = rank_of(keys[query * stride + i]);
    return !exclude_self || row != first_query_row + query;
  }
};

/// The lists of all parts of a query, one after the other.
struct list_source {
  best_lists lists;
  unsigned count;  // parts * wanted

  __device__ bool read(unsigned query, unsigned i, key_rank& rank, unsigned& row) const {
    const unsigned long long part = static_cast<unsigned long long>(query) * (count / lists.wanted) + i / lists.wanted;
    if (i % lists.wanted >= lists.counts[part]) return false;
    rank = lists.ranks[part * lists.wanted + i % lists.wanted];
    row = lists.rows[part * lists.wanted + i % lists.wanted];
    return true;
  }
};

/// Merges what `source` holds of each query into its list. Grid: x parts, y queries. Dynamic shared memory:
/// Capacity * 12 bytes, Capacity >= wanted + 2 * kSelectThreads.
template <unsigned Capacity, class Source>
IMGSIM_KERNEL void __launch_bounds__(kSelectThreads) select_best(Source source, best_lists best) {
  static_assert((Capacity & (Capacity - 1)) == 0);
  constexpr unsigned kPerThread = 2;
  constexpr unsigned kStep = kSelectThreads * kPerThread;
  key_rank* shared = dynamic_shared<key_rank>();
  const candidate_arrays buffer{shared, reinterpret_cast<unsigned*>(shared + Capacity)};
  IMGSIM_SHARED(unsigned, count);

  const unsigned query = blockIdx.y;
  const unsigned long long list = static_cast<unsigned long long>(query) * gridDim.x + blockIdx.x;
  key_rank* best_ranks = best.ranks + list * best.wanted;
  unsigned* best_rows = best.rows + list * best.wanted;
  const unsigned known = best.counts[list];
  for (unsigned i = threadIdx.x; i < known; i += kSelectThreads) {
    buffer.ranks[i] = best_ranks[i];
    buffer.rows[i] = best_rows[i];
  }
  if (threadIdx.x == 0) count = known;

  // The last of N found candidates: what comes after it is not among the N best.
  bool is_full = known == best.wanted;
  key_rank last_rank = is_full ? best_ranks[known - 1] : 0;
  unsigned last_row = is_full ? best_rows[known - 1] : ~0u;

  const unsigned per_part = (source.count + gridDim.x - 1) / gridDim.x;
  const unsigned begin = blockIdx.x * per_part;
  const unsigned end = min(source.count, begin + per_part);
  for (unsigned first = begin; first < end; first += kStep) {
    __syncthreads();
    const unsigned held = count;
    __syncthreads();
    if (held + kStep > Capacity) {
      sort_candidates(buffer, held);
      is_full = true;
      last_rank = buffer.ranks[best.wanted - 1];
      last_row = buffer.rows[best.wanted - 1];
      if (threadIdx.x == 0) count = best.wanted;
      __syncthreads();
    }
    for (unsigned turn = 0; turn < kPerThread; ++turn) {
      const unsigned i = first + turn * kSelectThreads + threadIdx.x;
      key_rank rank = 0;
      unsigned row = ~0u;
      const bool passes = i < end && source.read(query, i, rank, row) &&
                          (!is_full || candidate_arrays::precedes(rank, row, last_rank, last_row));
      const unsigned passing = __ballot_sync(kFullWarp, passes);
      if (passing == 0) continue;
      unsigned place = 0;
      if (lane_index() == 0) place = atomicAdd(&count, static_cast<unsigned>(__popc(passing)));
      place = __shfl_sync(kFullWarp, place, 0) + static_cast<unsigned>(__popc(passing & ((1u << lane_index()) - 1)));
      if (passes) {
        buffer.ranks[place] = rank;
        buffer.rows[place] = row;
      }
    }
  }

  __syncthreads();
  const unsigned held = count;
  sort_candidates(buffer, held);
  const unsigned kept = min(held, best.wanted);
  for (unsigned i = threadIdx.x; i < kept; i += kSelectThreads) {
    best_ranks[i] = buffer.ranks[i];
    best_rows[i] = buffer.rows[i];
  }
  if (threadIdx.x == 0) best.counts[list] = kept;
}

/// ranks and rows [queries, width], width a power of two: what `source` holds of each query, then places without a
/// candidate. Grid: x columns, y queries.
template <class Source>
IMGSIM_KERNEL void list_candidates(Source source, candidate_arrays all, unsigned width) {
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= width) return;
  const unsigned long long at = static_cast<unsigned long long>(blockIdx.y) * width + i;
  key_rank rank = 0;
  unsigned row = ~0u;
  const bool is_candidate = i < source.count && source.read(blockIdx.y, i, rank, row);
  all.ranks[at] = is_candidate ? rank : 0;
  all.rows[at] = is_candidate ? row : ~0u;
}

/// One step of the bitonic sort of each row of [queries, width]. Grid: x pairs, y queries.
template <class Candidates>
IMGSIM_KERNEL void sort_step(Candidates all, unsigned width, unsigned size, unsigned distance) {
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= width / 2) return;
  const unsigned low = i / distance * 2 * distance + i % distance;
  const unsigned long long first = static_cast<unsigned long long>(blockIdx.y) * width;
  const candidate_arrays own{all.ranks + first, all.rows + first};
  own.swap_if_out_of_order(low, low + distance, (low & size) == 0);
}

/// rows and similarity [queries, wanted] from sorted candidates with row stride `width`. Grid: x matches, y queries.
template <class Metric>
IMGSIM_KERNEL void write_matches(const key_rank* ranks, const unsigned* candidate_rows, unsigned long long width,
                                 unsigned wanted, std::int64_t* rows, unsigned long long row_stride, float* similarity,
                                 unsigned long long similarity_stride) {
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= wanted) return;
  const unsigned long long query = blockIdx.y;
  rows[query * row_stride + i] = static_cast<std::int64_t>(candidate_rows[query * width + i]);
  similarity[query * similarity_stride + i] = rounded_to_float(Metric::similarity(key_of(ranks[query * width + i])));
}

}  // namespace imgsim::cuda
