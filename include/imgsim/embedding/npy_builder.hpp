// A .npy matrix that is filled in place, row by row in any order, without being held in memory.
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <utility>

#include <imgsim/core/file.hpp>
#include <imgsim/embedding/npy.hpp>

namespace imgsim {

/// The matrix lives in a mapped temporary file, whose disk space is reserved at once so that a full disk is an
/// io_error here and not a crash while rows are stored. The file appears under its name on commit().
template <npy_element T>
class npy_builder {
 public:
  /// Room for [rows, columns], zeroed. Throws io_error.
  npy_builder(const std::filesystem::path& path, std::size_t rows, std::size_t columns)
      : file_(path), rows_(rows), columns_(columns) {
    size_ = kHeader + checked_size<2>({rows, columns}, sizeof(T)) * sizeof(T);
    const int descriptor = file_.descriptor().number();
    const int refusal = ::posix_fallocate(descriptor, 0, static_cast<off_t>(size_));
    if (refusal != 0) detail::throw_system_error(file_.path(), "cannot be written", refusal);
    void* address = ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    if (address == MAP_FAILED) detail::throw_system_error(file_.path(), "cannot be mapped into memory");
    bytes_ = static_cast<std::byte*>(address);
  }
  npy_builder(const npy_builder&) = delete;
  npy_builder& operator=(const npy_builder&) = delete;
  ~npy_builder() { unmap(); }

  /// [rows, columns]; gone after commit().
  [[nodiscard]] matrix_view<T> values() const noexcept {
    return {reinterpret_cast<T*>(bytes_ + kHeader), {rows_, columns_}};
  }

  /// Puts the first `rows` rows in place as the whole matrix; call it once, last.
  void commit(std::size_t rows) {
    IMGSIM_EXPECTS(rows <= rows_, "cannot keep ", rows, " rows of ", rows_);
    const std::string header = detail::npy_header_bytes<T, 2>({rows, columns_});
    std::ranges::copy(bytes_of(header), bytes_);
    unmap();
    const auto kept = static_cast<off_t>(kHeader + rows * columns_ * sizeof(T));
    if (detail::uninterrupted([&] { return ::ftruncate(file_.descriptor().number(), kept); }) != 0)
      detail::throw_system_error(file_.path(), "cannot be written");
    file_.commit();
  }

 private:
  static constexpr std::size_t kHeader = detail::kNpyHeaderSize;

  void unmap() noexcept {
    if (bytes_ != nullptr) ::munmap(std::exchange(bytes_, nullptr), size_);
  }

  atomic_file file_;
  std::size_t rows_;
  std::size_t columns_;
  std::size_t size_ = 0;
  std::byte* bytes_ = nullptr;
};

}  // namespace imgsim
