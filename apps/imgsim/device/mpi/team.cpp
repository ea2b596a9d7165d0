#include "device/mpi/team.hpp"

#include <mpi.h>
#include <sched.h>

#include <algorithm>
#include <array>
#include <iostream>
#include <new>
#include <span>

#include "device/mpi/led_medoids.hpp"
#include "device/mpi/led_network.hpp"
#include "device/mpi/mpi_compute.hpp"
#include "device/mpi/shared_encoding.hpp"

#include <imgsim/core/content_hash.hpp>
#include <imgsim/core/error.hpp>
#include <imgsim/cpu/context.hpp>
#include <imgsim/model/architecture_json.hpp>
#include <imgsim/model/model_file.hpp>
#include <imgsim/model/safetensors.hpp>

namespace imgsim::app {

namespace {

using mpi::check;

// The first letter of a reason.
constexpr char kRefused = 'r';  // invalid_argument: about what was asked, on whatever rank it was noticed
constexpr char kFailed = 'f';   // about the rank

/// Every rank's `mine`, by rank.
template <class T>
std::vector<T> gather(MPI_Comm ranks, const T& mine) {
  int size = 1;
  check(MPI_Comm_size(ranks, &size), "MPI_Comm_size");
  std::vector<T> all(static_cast<std::size_t>(size));
  check(MPI_Allgather(&mine, sizeof(T), MPI_BYTE, all.data(), sizeof(T), MPI_BYTE, ranks), "MPI_Allgather");
  return all;
}

/// The CPUs that this rank may use, each divided by the ranks of this machine that may use it: with all of them bound
/// to different cores, as mpirun may have done, each has its own.
struct machine_share {
  std::size_t ranks = 1;  // of this machine
  std::size_t threads = 1;
};
machine_share share_machine() {
  MPI_Comm machine = MPI_COMM_NULL;
  check(MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &machine), "MPI_Comm_split_type");
  cpu_set_t mine;
  CPU_ZERO(&mine);
  sched_getaffinity(0, sizeof(mine), &mine);
  const std::vector<cpu_set_t> all = gather(machine, mine);
  check(MPI_Comm_free(&machine), "MPI_Comm_free");
  double threads = 0;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
    if (CPU_ISSET(cpu, &mine))
      threads += 1.0 / static_cast<double>(std::ranges::count_if(
                           all, [&](const cpu_set_t& other) { return CPU_ISSET(cpu, &other) != 0; }));
  constexpr double kRounding = 1e-6;
  return {all.size(), std::max<std::size_t>(1, static_cast<std::size_t>(threads + kRounding))};
}

void expect_same_arguments(const std::vector<std::string>& arguments) {
  content_hasher hasher;
  for (const std::string& argument : arguments)
    hasher.update(std::as_bytes(std::span(argument.c_str(), argument.size() + 1)));
  std::array<char, 32> mine{};
  std::ranges::copy(hasher.hex(), mine.begin());
  const auto all = gather(MPI_COMM_WORLD, mine);
  if (std::ranges::any_of(all, [&](const auto& other) { return other != all.front(); }))
    throw error("mpirun has started it with different arguments on different ranks: all ranks do one command together");
}

}  // namespace

mpi_session::mpi_session() {
  int level = MPI_THREAD_SINGLE;
  // One thread at a time, but not always the same: a background task has its own.
  check(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_SERIALIZED, &level), "MPI_Init_thread");
  if (level < MPI_THREAD_SERIALIZED) {
    MPI_Finalize();
    throw error("this MPI cannot be called from several threads in turn (MPI_THREAD_SERIALIZED)");
  }
}

mpi_session::~mpi_session() {
  MPI_Finalize();
}

mpi_team::mpi_team(const launched_rank& launched, const std::vector<std::string>& arguments)
    : channel_(MPI_COMM_WORLD) {
  int rank = 0, size = 1;
  check(MPI_Comm_rank(MPI_COMM_WORLD, &rank), "MPI_Comm_rank");
  check(MPI_Comm_size(MPI_COMM_WORLD, &size), "MPI_Comm_size");
  rank_ = static_cast<std::size_t>(rank);
  size_ = static_cast<std::size_t>(size);
  if (size_ != launched.size || rank_ != launched.rank)
    throw error("mpirun has started " + std::to_string(launched.size) + " ranks and MPI knows of " +
                std::to_string(size_) + ": imgsim was built with another MPI than that of this mpirun");
  expect_same_arguments(arguments);
  const machine_share share = share_machine();
  neighbours_ = share.ranks;
  threads_ = share.threads;
}

mpi_team::~mpi_team() {
  if (rank_ != 0 || size_ == 1) return;
  tell(order(order_kind::end));
}

void mpi_team::open(std::size_t threads) {
  context_.emplace(MPI_COMM_WORLD, cpu_context(threads > 0 ? threads : threads_));
  gallery_.emplace(*context_);
}

std::unique_ptr<compute> mpi_team::lead(std::unique_ptr<compute> local, std::size_t threads) {
  const std::lock_guard lock(mutex_);
  if (!context_) {
    channel_.send(order(order_kind::open, threads));
    open(threads);
  }
  return std::make_unique<mpi_compute>(*this, std::move(local));
}

exchanged_bytes mpi_team::exchanged() const {
  if (!context_) return {};
  const mpi::message_volume& volume = context_->ranks().volume();
  return {.sent = volume.sent, .received = volume.received};
}

void mpi_team::hold(matrix_view<const float> rows) {
  const std::size_t count = rows.extent(0), width = rows.extent(1);
  content_hasher hasher;
  for (std::size_t r = 0; r < count; ++r) hasher.update(std::as_bytes(std::span(rows.row(r), width)));
  const std::string content = shape_text(rows) + hasher.hex();
  if (content == held_) return;
  held_.clear();
  together(order(order_kind::take_gallery, count, width),
           [&](mpi::lockstep& all) { gallery_->take(all, count, width, rows); });
  held_ = content;
}

void mpi_team::throw_reason_of(int rank) {
  const std::string reason = channel_.ask_why(static_cast<std::size_t>(rank));
  const std::string text = reason.substr(std::min<std::size_t>(1, reason.size()));
  if (reason.starts_with(kRefused)) throw invalid_argument(text);
  throw error("rank " + std::to_string(rank) + ": " + text);
}

void mpi_team::tell(order&& what) noexcept {
  try {
    channel_.send(std::move(what));
  } catch (const std::exception&) {  // of MPI itself; the ranks can do no more for each other
  }
}

void mpi_team::serve(std::unique_ptr<compute> (*open_local)(std::size_t threads)) {
  open_local_ = open_local;
  try {
    for (;;) {
      received_order order = channel_.receive();
      try {
        if (!follow(order)) return;
      } catch (const mpi::remote_error&) {  // its rank knows why
      } catch (const invalid_argument& failure) {
        reason_ = kRefused + std::string(failure.what());
      } catch (const std::bad_alloc&) {
        reason_ = kFailed + std::string("not enough memory");
      } catch (const std::exception& failure) {
        reason_ = kFailed + std::string(failure.what());
      }
    }
  } catch (const std::exception& failure) {
    std::cerr << "imgsim: rank " + std::to_string(rank_) + ": " + failure.what() + "\n";
    MPI_Abort(MPI_COMM_WORLD, 1);
  }
}

bool mpi_team::follow(received_order& order) {
  switch (order.kind()) {
    case order_kind::end:
      return false;
    case order_kind::tell_why:
      channel_.tell(reason_);
      return true;
    case order_kind::open:
      open(order.read<std::size_t>());
      return true;
    case order_kind::forget_distances:
      gallery_->forget_distances(order.read<std::uint64_t>());
      return true;
    case order_kind::search_medoids:
      follow_medoid_search(channel_, *context_, gallery_->distances(order.read<std::uint64_t>()));
      return true;
    case order_kind::open_network: {
      const architecture description = parse_architecture(nlohmann::json::parse(order.read_text()));
      follow_network(channel_, *context_, description, order.read<precision>());
      return true;
    }
    case order_kind::close_encoder:
      encoders_.erase(order.read<std::uint64_t>());
      return true;
    case order_kind::take_gallery:
    case order_kind::find_neighbours:
    case order_kind::find_matches:
    case order_kind::keep_distances:
    case order_kind::open_encoder:
    case order_kind::encode_files:
      follow_together(order);
      return true;
    default:  // of a search or a training that failed here, before rank 0 knew
      return true;
  }
}

void mpi_team::follow_together(received_order& order) {
  mpi::lockstep all(context_->ranks());
  const auto read_options = [&] {
    top_n_options options;
    options.n = order.read<std::size_t>();
    options.exclude_self = order.read<bool>();
    return options;
  };
  switch (order.kind()) {
    case order_kind::take_gallery: {
      const auto rows = order.read<std::size_t>(), columns = order.read<std::size_t>();
      gallery_->take(all, rows, columns, {});
      break;
    }
    case order_kind::find_neighbours: {
      const std::string metric = order.read_text();
      static_cast<void>(gallery_->find_neighbours(all, {}, metric, read_options()));
      break;
    }
    case order_kind::find_matches: {
      const std::string metric = order.read_text();
      top_n_options options = read_options();
      options.first_row = order.read<std::size_t>();
      const auto queries = order.read<std::size_t>(), columns = order.read<std::size_t>();
      static_cast<void>(gallery_->find_matches(all, {}, metric, queries, columns, {}, options));
      break;
    }
    case order_kind::keep_distances: {
      const std::string metric = order.read_text();
      gallery_->keep_distances({}, metric, order.read<std::uint64_t>());
      break;
    }
    case order_kind::open_encoder: {
      if (!local_) local_ = open_local_(context_->local().threads());
      const auto number = order.read<std::uint64_t>();
      encoders_[number] = local_->open_encoder(to_model(from_safetensors(order.read_list<std::byte>())));
      break;
    }
    default: {  // encode_files
      encoder& encoder = *encoders_.at(order.read<std::uint64_t>());
      const std::string root = order.read_text();
      decode_limits limits;
      limits.max_pixels = order.read<std::uint64_t>();
      limits.max_file_bytes = order.read<std::uint64_t>();
      limits.min_side = order.read<std::size_t>();
      encode_together(all, *context_, encoder, root, limits, {}, {});
    }
  }
  all.finish();
}

}  // namespace imgsim::app
