// An encoder whose files all ranks read and encode.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "device/compute.hpp"

namespace imgsim::app {

class mpi_team;

/// What is in memory already, rank 0 encodes alone: pixels take longer to send.
class mpi_encoder final : public encoder {
 public:
  /// `local`: made from `model`.
  mpi_encoder(mpi_team& team, std::unique_ptr<encoder> local, const model_file& model);
  ~mpi_encoder() override;

  [[nodiscard]] std::size_t height() const override { return local_->height(); }
  [[nodiscard]] std::size_t width() const override { return local_->width(); }
  [[nodiscard]] std::size_t dimension() const override { return local_->dimension(); }
  void encode(view<const std::uint8_t, 4> photos, matrix_view<float> out) override { local_->encode(photos, out); }
  void encode_files(const photo_files& files, const std::function<void(const encoded_batch&)>& use) override;

 private:
  /// The other ranks have it, too.
  void share();

  mpi_team& team_;
  std::unique_ptr<encoder> local_;
  std::vector<std::byte> model_;
  std::uint64_t number_ = 0;  // by which the ranks know it; 0: they do not have it
};

}  // namespace imgsim::app
