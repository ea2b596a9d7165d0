// The little of HDF5 that Keras files need: text attributes and float datasets, read with every size checked. A file
// that points outside itself (external links and storage, virtual datasets) is refused.
#pragma once

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <hdf5.h>

#include <imgsim/core/error.hpp>
#include <imgsim/core/file.hpp>

namespace imgsim::hdf5 {

/// Largest text and dataset that are read.
inline constexpr std::size_t kMaxTextBytes = std::size_t{64} << 20;
inline constexpr std::size_t kMaxDatasetBytes = std::size_t{4} << 30;

/// Owns an identifier of HDF5, whatever its kind. Empty where the call that made it failed.
class unique_handle {
 public:
  using closer = herr_t (*)(hid_t);

  unique_handle(hid_t id, closer close) noexcept : id_(id), close_(close) {}
  unique_handle(unique_handle&& other) noexcept : id_(std::exchange(other.id_, -1)), close_(other.close_) {}
  unique_handle& operator=(unique_handle&& other) noexcept {
    std::swap(id_, other.id_);
    std::swap(close_, other.close_);
    return *this;
  }
  ~unique_handle() {
    if (id_ >= 0) close_(id_);
  }

  [[nodiscard]] hid_t id() const noexcept { return id_; }
  explicit operator bool() const noexcept { return id_ >= 0; }

 private:
  hid_t id_;
  closer close_;
};

/// Keeps HDF5 from printing its error stack while it lives.
class silence {
 public:
  silence() {
    H5Eget_auto2(H5E_DEFAULT, &function_, &data_);
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  }
  silence(const silence&) = delete;
  silence& operator=(const silence&) = delete;
  ~silence() { H5Eset_auto2(H5E_DEFAULT, function_, data_); }

 private:
  H5E_auto2_t function_ = nullptr;
  void* data_ = nullptr;
};

struct float_array {
  std::vector<std::size_t> shape;
  std::vector<float> values;
};

/// A file open for reading. Not to be used by two threads at once: Debian's HDF5 is not built for that. Members throw
/// io_error.
class file {
 public:
  explicit file(const std::filesystem::path& path) : path_(path), handle_(open(path)) {}

  [[nodiscard]] bool has_attribute(const std::string& object, const std::string& name) const {
    const unique_handle owner = open_object(object);
    return H5Aexists(owner.id(), name.c_str()) > 0;
  }

  /// A text, or a list of texts, each cut at its first NUL.
  [[nodiscard]] std::vector<std::string> texts(const std::string& object, const std::string& name) const {
    const unique_handle owner = open_object(object);
    const unique_handle attribute(H5Aopen(owner.id(), name.c_str(), H5P_DEFAULT), H5Aclose);
    const std::string what = "the attribute '" + name + "' of '" + object + "' ";
    if (!attribute) fail(what + "is missing");
    const unique_handle type(H5Aget_type(attribute.id()), H5Tclose);
    const unique_handle space(H5Aget_space(attribute.id()), H5Sclose);
    if (!type || !space || H5Tget_class(type.id()) != H5T_STRING) fail(what + "is no text");
    const hssize_t points = H5Sget_simple_extent_npoints(space.id());
    const std::size_t size = H5Tget_size(type.id());
    const hsize_t bytes = H5Aget_storage_size(attribute.id());
    if (points < 0 || size == 0 || static_cast<std::size_t>(points) > kMaxTextBytes / size || bytes > kMaxTextBytes)
      fail(what + "is too large");
    const auto count = static_cast<std::size_t>(points);
    std::vector<std::string> result;
    if (H5Tis_variable_str(type.id()) > 0) {
      std::vector<char*> pointers(count, nullptr);
      const bool read = count == 0 || H5Aread(attribute.id(), type.id(), pointers.data()) >= 0;
      if (read) {
        for (const char* text : pointers) result.emplace_back(text == nullptr ? "" : text);
        if (count > 0) H5Dvlen_reclaim(type.id(), space.id(), H5P_DEFAULT, pointers.data());
      }
      if (!read) fail(what + "cannot be read");
    } else {
      std::vector<char> buffer(count * size);
      if (count > 0 && H5Aread(attribute.id(), type.id(), buffer.data()) < 0) fail(what + "cannot be read");
      for (std::size_t i = 0; i < count; ++i) {
        const auto begin = buffer.begin() + static_cast<std::ptrdiff_t>(i * size);
        result.emplace_back(begin, std::find(begin, begin + static_cast<std::ptrdiff_t>(size), '\0'));
      }
    }
    return result;
  }

  /// An attribute that holds one text.
  [[nodiscard]] std::string text(const std::string& object, const std::string& name) const {
    std::vector<std::string> all = texts(object, name);
    if (all.size() != 1) fail("the attribute '" + name + "' of '" + object + "' is not one text");
    return std::move(all.front());
  }

  /// A dataset of floating-point numbers, converted to float.
  [[nodiscard]] float_array floats(const std::string& name) const {
    const std::string what = "the dataset '" + name + "' ";
    check_links(name);
    const unique_handle data(H5Dopen2(handle_.id(), name.c_str(), H5P_DEFAULT), H5Dclose);
    if (!data) fail(what + "is missing");
    const unique_handle type(H5Dget_type(data.id()), H5Tclose);
    const unique_handle space(H5Dget_space(data.id()), H5Sclose);
    const unique_handle creation(H5Dget_create_plist(data.id()), H5Pclose);
    if (!type || !space || !creation || H5Tget_class(type.id()) != H5T_FLOAT) fail(what + "holds no numbers");
    if (H5Pget_layout(creation.id()) == H5D_VIRTUAL || H5Pget_external_count(creation.id()) != 0)
      fail(what + "is kept in another file");
    const int rank = H5Sget_simple_extent_ndims(space.id());
    if (rank < 0 || rank > H5S_MAX_RANK) fail(what + "has no valid shape");
    std::vector<hsize_t> extents(static_cast<std::size_t>(rank));
    if (rank > 0 && H5Sget_simple_extent_dims(space.id(), extents.data(), nullptr) < 0) fail(what + "has no shape");
    float_array result;
    std::size_t count = 1;
    for (const hsize_t extent : extents) {
      if (extent != 0 && count > kMaxDatasetBytes / sizeof(float) / extent) fail(what + "is too large");
      count *= static_cast<std::size_t>(extent);
      result.shape.push_back(static_cast<std::size_t>(extent));
    }
    result.values.resize(count);
    if (count > 0 && H5Dread(data.id(), H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, result.values.data()) < 0)
      fail(what + "cannot be read");
    return result;
  }

  [[noreturn]] void fail(const std::string& reason) const { throw io_error(path_, reason); }

 private:
  [[nodiscard]] static unique_handle open(const std::filesystem::path& path) {
    // Refuses folders and FIFOs, which HDF5 would wait for, and says why a file cannot be opened.
    std::ignore = detail::size_of_open_file(detail::open_for_reading(path), path);
    if (H5Fis_hdf5(path.c_str()) <= 0) throw io_error(path, "it is no HDF5 file");
    unique_handle handle(H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), H5Fclose);
    if (!handle) throw io_error(path, "HDF5 cannot read it: it is damaged or truncated");
    return handle;
  }

  [[nodiscard]] unique_handle open_object(const std::string& name) const {
    if (name != "/") check_links(name);
    unique_handle object(H5Oopen(handle_.id(), name.c_str(), H5P_DEFAULT), H5Oclose);
    if (!object) fail("'" + name + "' is missing");
    return object;
  }

  /// Every step of the path must be a hard link: others may lead out of the file.
  void check_links(const std::string& name) const {
    for (std::size_t end = name.find('/', 1);; end = name.find('/', end + 1)) {
      const std::string step = name.substr(0, end);
      H5L_info_t link;
      if (H5Lget_info(handle_.id(), step.c_str(), &link, H5P_DEFAULT) < 0) fail("'" + step + "' is missing");
      if (link.type != H5L_TYPE_HARD) fail("'" + step + "' is a link, not data");
      if (end == std::string::npos) return;
    }
  }

  std::filesystem::path path_;
  silence silence_;
  unique_handle handle_;
};

}  // namespace imgsim::hdf5
