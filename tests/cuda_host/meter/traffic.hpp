// The traffic meter: what a kernel's loads and stores would cost a GPU's memory system, by source line, with no GPU.
//
// The kernels are compiled with -fsanitize=thread but linked with entry_points.cpp instead of ThreadSanitizer's
// runtime: each access then reports its address, size, call site and CUDA thread. The lanes of a warp that reach one
// call site for the n-th time make one request, as one instruction would. Where lanes of a warp skip rounds of a loop
// that others make, rounds are matched by count, which may pair the wrong ones.
//
// Not seen: caches, what nvcc moves or merges, spills. Local arrays and arguments are not counted.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cuda_host/runner/grid.hpp"

namespace imgsim::cuda_host {

enum class memory_space : std::uint8_t { global, shared };
enum class access_kind : std::uint8_t { read, write, atomic };

/// Requests by the warps of a kernel, summed.
struct traffic {
  std::uint64_t requests = 0;
  std::uint64_t bytes_asked = 0;  // by the lanes
  /// Global memory: 32-byte sectors touched, the unit that is moved; and those that the bytes asked for would fill.
  std::uint64_t sectors = 0;
  std::uint64_t fewest_sectors = 0;
  /// Shared memory: passes over its 32 banks of 4 bytes, and those that no conflict would leave: 1, or 2 and 4 for
  /// lanes of 8 and 16 bytes.
  std::uint64_t passes = 0;
  std::uint64_t fewest_passes = 0;

  [[nodiscard]] double sectors_per_request() const;  // 4 is perfect for 32 lanes of 4 bytes
  [[nodiscard]] double passes_per_request() const;
  traffic& operator+=(const traffic& other);
};

/// What one source line asks of one memory with accesses of one size.
struct line_traffic {
  std::string file;  // without folders
  unsigned line = 0;
  memory_space space = memory_space::global;
  access_kind kind = access_kind::read;
  unsigned lane_bytes = 0;
  traffic total;
};

struct kernel_traffic {
  std::string name;                 // "kernel launched at file:line"
  std::vector<line_traffic> lines;  // by file and line
  /// Bytes of the sectors moved between the multiprocessors and global memory, request by request, and of the sectors
  /// that are read or written at all: a kernel that reads everything once and coalesced has a ratio of 1.
  std::uint64_t bytes_moved = 0;
  std::uint64_t fewest_bytes = 0;

  [[nodiscard]] traffic total(memory_space space, access_kind kind) const;
};

/// Watches all kernels while it lives; one at a time. Only programs of imgsim_add_cuda_traffic_test() have anything to
/// measure.
class traffic_meter final : public kernel_observer {
 public:
  traffic_meter();
  ~traffic_meter() override;
  traffic_meter(const traffic_meter&) = delete;
  traffic_meter& operator=(const traffic_meter&) = delete;

  /// The kernels that have run since the last call, in order.
  [[nodiscard]] std::vector<kernel_traffic> take();

  void kernel_begins(const grid_launch& launch) override;
  void block_ends(const block_run& block) override;
  void kernel_ends() override;

 private:
  struct state;
  std::unique_ptr<state> state_;
};

/// As a table in Markdown, a row for each line.
[[nodiscard]] std::string table_of(const std::vector<kernel_traffic>& kernels);

}  // namespace imgsim::cuda_host
