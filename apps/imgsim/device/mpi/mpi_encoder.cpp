#include "device/mpi/mpi_encoder.hpp"

#include <algorithm>
#include <mutex>
#include <span>
#include <string>
#include <utility>

#include "device/file_encoding.hpp"
#include "device/mpi/shared_encoding.hpp"
#include "device/mpi/team.hpp"

#include <imgsim/model/model_file.hpp>
#include <imgsim/model/safetensors.hpp>

namespace imgsim::app {

mpi_encoder::mpi_encoder(mpi_team& team, std::unique_ptr<encoder> local, const model_file& model)
    : team_(team), local_(std::move(local)), model_(to_safetensors(to_tensor_file(model))) {}

mpi_encoder::~mpi_encoder() {
  if (number_ == 0) return;
  const std::lock_guard lock(team_.mutex());
  team_.tell(order(order_kind::close_encoder, number_));
}

void mpi_encoder::share() {
  if (number_ != 0) return;
  const std::uint64_t number = team_.next_number();
  team_.together(order(order_kind::open_encoder, number, std::span<const std::byte>(model_)), [](mpi::lockstep&) {});
  number_ = number;
}

void mpi_encoder::encode_files(const photo_files& files, const std::function<void(const encoded_batch&)>& use) {
  if (files.paths.size() <= kEncodeBatch) return local_->encode_files(files, use);
  const std::lock_guard lock(team_.mutex());
  share();
  // The names of all the files of a large collection are many megabytes: some at a time.
  const std::size_t most = team_.size() * 64 * kEncodeBatch;
  for (std::size_t first = 0; first < files.paths.size(); first += most) {
    const std::span<const std::string> some = files.paths.subspan(first, std::min(most, files.paths.size() - first));
    const decode_limits& limits = files.limits;
    team_.together(order(order_kind::encode_files, number_, std::filesystem::absolute(files.root).string(),
                         limits.max_pixels, limits.max_file_bytes, limits.min_side),
                   [&](mpi::lockstep& all) {
                     encode_together(all, team_.context(), *local_, files.root, limits, some,
                                     [&](const encoded_batch& batch) {
                                       std::vector<std::size_t> rows(batch.rows.begin(), batch.rows.end());
                                       for (std::size_t& row : rows) row += first;
                                       use({.rows = rows, .embeddings = batch.embeddings, .skipped = batch.skipped});
                                     });
                   });
  }
}

}  // namespace imgsim::app
