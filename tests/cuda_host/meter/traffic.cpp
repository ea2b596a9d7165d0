#include "cuda_host/meter/traffic.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <set>
#include <span>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "cuda_host/meter/recorder.hpp"
#include "cuda_host/meter/source_lines.hpp"
#include "cuda_host/runner/options.hpp"
#include "cuda_host/runner/report.hpp"
#include "cuda_host/runtime/memory.hpp"

namespace imgsim::cuda_host {
namespace {

constexpr std::uintptr_t kSectorBytes = 32;
constexpr std::uintptr_t kBankBytes = 4;
constexpr unsigned kBanks = 32;

/// One access with what groups it: those with equal warp, site and round are one request.
struct counted_access {
  recorded_access access;
  unsigned warp = 0;
  unsigned round = 0;
};

auto request_of(const counted_access& each) {
  return std::tuple(each.warp, each.access.site, each.round);
}

/// Numbers each thread's visits to each site, in the order of recording.
std::vector<counted_access> count_rounds(const std::vector<recorded_access>& accesses) {
  std::map<std::pair<std::uintptr_t, std::uint16_t>, unsigned> rounds;
  std::vector<counted_access> counted;
  counted.reserve(accesses.size());
  for (const recorded_access& each : accesses) {
    counted.push_back({each, each.thread / kWarpLanes, rounds[{each.site, each.thread}]++});
  }
  std::ranges::stable_sort(counted, {}, request_of);
  return counted;
}

std::uint64_t sectors_of(std::span<const counted_access> request, std::set<std::uintptr_t>& touched) {
  std::set<std::uintptr_t> sectors;
  for (const counted_access& each : request) {
    const std::uintptr_t last = each.access.address + each.access.bytes - 1;
    for (std::uintptr_t sector = each.access.address / kSectorBytes; sector <= last / kSectorBytes; ++sector) {
      sectors.insert(sector);
    }
  }
  touched.insert(sectors.begin(), sectors.end());
  return sectors.size();
}

/// Lanes of 8 or 16 bytes are served 16 or 8 at a time (CUDA C++ Programming Guide, Compute Capability 5.x, "Shared
/// Memory"; wider words in phases). Within a phase a bank delivers one word a pass, to any number of lanes.
void count_passes(std::span<const counted_access> request, traffic& total) {
  const unsigned words = std::max(request.front().access.bytes / static_cast<unsigned>(kBankBytes), 1u);
  const unsigned lanes_a_phase = kBanks / words;
  std::map<unsigned, std::array<std::set<std::uintptr_t>, kBanks>> phases;
  for (const counted_access& each : request) {
    auto& banks = phases[each.access.thread % kWarpLanes / lanes_a_phase];
    for (unsigned word = 0; word < words; ++word) {
      const std::uintptr_t address = each.access.address / kBankBytes + word;
      banks[address % kBanks].insert(address);
    }
  }
  for (const auto& [phase, banks] : phases) {
    std::size_t passes = 0;
    for (const std::set<std::uintptr_t>& bank : banks) passes = std::max(passes, bank.size());
    total.passes += passes;
    ++total.fewest_passes;
  }
}

double ratio(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

double traffic::sectors_per_request() const {
  return ratio(sectors, requests);
}
double traffic::passes_per_request() const {
  return ratio(passes, requests);
}

traffic& traffic::operator+=(const traffic& other) {
  requests += other.requests;
  bytes_asked += other.bytes_asked;
  sectors += other.sectors;
  fewest_sectors += other.fewest_sectors;
  passes += other.passes;
  fewest_passes += other.fewest_passes;
  return *this;
}

traffic kernel_traffic::total(memory_space space, access_kind kind) const {
  traffic sum;
  for (const line_traffic& each : lines) {
    if (each.space == space && each.kind == kind) sum += each.total;
  }
  return sum;
}

struct traffic_meter::state {
  using site_key = std::tuple<std::uintptr_t, memory_space, access_kind, unsigned>;  // site, ..., bytes of a lane

  std::vector<recorded_access> accesses;  // of the running block
  std::string name;
  std::map<site_key, traffic> by_site;
  std::array<std::set<std::uintptr_t>, 2> touched;  // sectors read, and written or updated
  std::vector<kernel_traffic> done;

  void add_request(std::span<const counted_access> request, const block_run& block);
  [[nodiscard]] kernel_traffic sum_up() const;
};

void traffic_meter::state::add_request(std::span<const counted_access> request, const block_run& block) {
  const recorded_access& first = request.front().access;
  const auto* const address = reinterpret_cast<const void*>(first.address);
  const bool is_shared = block.shared().holds(address);
  if (!is_shared && kind_of_memory(address, first.bytes) == memory_kind::pageable) return;  // a thread's own variable
  const memory_space space = is_shared ? memory_space::shared : memory_space::global;
  traffic& total = by_site[{first.site, space, first.kind, first.bytes}];
  ++total.requests;
  total.bytes_asked += request.size() * first.bytes;
  if (is_shared) {
    count_passes(request, total);
  } else {
    total.sectors += sectors_of(request, touched[first.kind == access_kind::read ? 0 : 1]);
    total.fewest_sectors += (request.size() * first.bytes + kSectorBytes - 1) / kSectorBytes;
  }
}

kernel_traffic traffic_meter::state::sum_up() const {
  std::vector<std::uintptr_t> sites;
  for (const auto& [key, total] : by_site) sites.push_back(std::get<0>(key));
  const auto places = source_lines(sites);
  std::map<std::tuple<std::string, unsigned, memory_space, access_kind, unsigned>, traffic> by_line;
  kernel_traffic result;
  for (const auto& [key, total] : by_site) {
    const auto& [site, space, kind, bytes] = key;
    const auto found = places.find(site);
    const auto [file, line] = found == places.end() ? std::pair(std::string("?"), 0u) : found->second;
    by_line[{file, line, space, kind, bytes}] += total;
    result.bytes_moved += total.sectors * kSectorBytes;
  }
  for (const auto& [key, total] : by_line) {
    const auto& [file, line, space, kind, bytes] = key;
    result.lines.push_back({file, line, space, kind, bytes, total});
  }
  result.name = name;
  result.fewest_bytes = (touched[0].size() + touched[1].size()) * kSectorBytes;
  return result;
}

traffic_meter::traffic_meter() : state_(std::make_unique<state>()) {
  observe_kernels(this);
}

traffic_meter::~traffic_meter() {
  record_accesses_to(nullptr);
  observe_kernels(nullptr);
}

std::vector<kernel_traffic> traffic_meter::take() {
  return std::exchange(state_->done, {});
}

void traffic_meter::kernel_begins(const grid_launch& launch) {
  if (options().workers != 1) add_report("the traffic meter sees one OS thread: set options().workers to 1");
  state_->name = launch.name;
  state_->by_site.clear();
  state_->touched = {};
  state_->accesses.clear();
  record_accesses_to(&state_->accesses);
}

void traffic_meter::block_ends(const block_run& block) {
  const std::vector<counted_access> counted = count_rounds(state_->accesses);
  for (auto begin = counted.begin(); begin != counted.end();) {
    const auto end = std::find_if(begin, counted.end(),
                                  [&](const counted_access& each) { return request_of(each) != request_of(*begin); });
    state_->add_request(std::span(begin, end), block);
    begin = end;
  }
  state_->accesses.clear();
}

void traffic_meter::kernel_ends() {
  record_accesses_to(nullptr);
  state_->done.push_back(state_->sum_up());
}

std::string table_of(const std::vector<kernel_traffic>& kernels) {
  constexpr std::array kSpaces{"global", "shared"};
  constexpr std::array kKinds{"read", "write", "atomic"};
  std::string table =
      "| kernel | line | access | bytes a lane | requests | sectors or passes a request | fewest |\n"
      "| --- | --- | --- | --- | --- | --- | --- |\n";
  std::array<char, 512> row{};
  for (const kernel_traffic& kernel : kernels) {
    for (const line_traffic& each : kernel.lines) {
      const traffic& total = each.total;
      const bool is_global = each.space == memory_space::global;
      std::snprintf(row.data(), row.size(), "| %s | %s:%u | %s %s | %u | %llu | %.2f | %.2f |\n", kernel.name.c_str(),
                    each.file.c_str(), each.line, kSpaces[static_cast<std::size_t>(each.space)],
                    kKinds[static_cast<std::size_t>(each.kind)], each.lane_bytes,
                    static_cast<unsigned long long>(total.requests),
                    is_global ? total.sectors_per_request() : total.passes_per_request(),
                    ratio(is_global ? total.fewest_sectors : total.fewest_passes, total.requests));
      table += row.data();
    }
    std::snprintf(row.data(), row.size(), "| %s | all | %llu bytes moved, %llu fewest | | | | |\n", kernel.name.c_str(),
                  static_cast<unsigned long long>(kernel.bytes_moved),
                  static_cast<unsigned long long>(kernel.fewest_bytes));
    table += row.data();
  }
  return table;
}

}  // namespace imgsim::cuda_host
