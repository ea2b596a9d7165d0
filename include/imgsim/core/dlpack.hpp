// DLPack (https://dmlc.github.io/dlpack/latest/, version 1): arrays handed over between libraries of one process,
// NumPy, PyTorch, CuPy, JAX among them, without a copy. The structures below have its documented layout; what is
// written here for them takes those of <dlpack/dlpack.h> as well, whose members have the same names.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>

#include <imgsim/core/bfloat16.hpp>
#include <imgsim/core/error.hpp>
#include <imgsim/core/float16.hpp>
#include <imgsim/core/tensor.hpp>
#include <imgsim/core/view.hpp>

namespace imgsim {

namespace dlpack {

struct version_pair {
  std::uint32_t major;
  std::uint32_t minor;
};

inline constexpr std::int32_t kCpu = 1;
inline constexpr std::int32_t kCuda = 2;
inline constexpr std::int32_t kCudaHost = 3;      // pinned: read by both
inline constexpr std::int32_t kCudaManaged = 13;  // read by both

struct device {
  std::int32_t device_type;
  std::int32_t device_id;
};

inline constexpr std::uint8_t kInt = 0;
inline constexpr std::uint8_t kUint = 1;
inline constexpr std::uint8_t kFloat = 2;
inline constexpr std::uint8_t kBfloat = 4;

struct data_type {
  std::uint8_t code;
  std::uint8_t bits;
  std::uint16_t lanes;
};

struct tensor {
  void* data;
  dlpack::device device;
  std::int32_t ndim;
  data_type dtype;
  std::int64_t* shape;
  std::int64_t* strides;  // in elements; null means C order
  std::uint64_t byte_offset;
};

inline constexpr std::uint64_t kReadOnly = 1;

/// DLManagedTensorVersioned: what a capsule called "dltensor_versioned" holds.
struct managed_tensor_versioned {
  version_pair version;
  void* manager_ctx;
  void (*deleter)(managed_tensor_versioned*);
  std::uint64_t flags;
  tensor dl_tensor;
};

/// DLManagedTensor, before version 1: what a capsule called "dltensor" holds. It cannot say that it is read-only.
struct managed_tensor {
  tensor dl_tensor;
  void* manager_ctx;
  void (*deleter)(managed_tensor*);
};

/// The type of an element; a type without one cannot be handed over.
template <class T>
[[nodiscard]] constexpr data_type type_of() noexcept {
  constexpr auto kBits = static_cast<std::uint8_t>(8 * sizeof(T));
  if constexpr (std::is_same_v<T, bfloat16>)
    return {kBfloat, kBits, 1};
  else if constexpr (std::is_same_v<T, float16> || std::is_floating_point_v<T>)
    return {kFloat, kBits, 1};
  else {
    static_assert(std::is_integral_v<T>, "DLPack has no name for this element type");
    return {std::is_signed_v<T> ? kInt : kUint, kBits, 1};
  }
}

}  // namespace dlpack

namespace detail {

template <class Managed>
concept is_versioned_dlpack = requires(const Managed& managed) { managed.version.major; };

/// Whether memory of that kind is read in `Space`.
template <class Space>
[[nodiscard]] constexpr bool is_in_space(std::int32_t device_type) noexcept {
  if (device_type == dlpack::kCudaHost || device_type == dlpack::kCudaManaged) return true;
  return device_type == (std::is_same_v<Space, host_space> ? dlpack::kCpu : dlpack::kCuda);
}

/// The elements that a DLTensor shows; throws invalid_argument where they are no view<T, Rank, Space>.
template <class T, std::size_t Rank, class Space, class Tensor>
[[nodiscard]] view<T, Rank, Space> view_of_dlpack(const Tensor& from) {
  using element = std::remove_const_t<T>;
  constexpr dlpack::data_type kType = dlpack::type_of<element>();
  IMGSIM_EXPECTS(is_in_space<Space>(static_cast<std::int32_t>(from.device.device_type)),
                 "the DLPack tensor is on a device of type ", static_cast<int>(from.device.device_type), ", not on ",
                 std::is_same_v<Space, host_space> ? "the host" : "a CUDA device");
  IMGSIM_EXPECTS(from.dtype.code == kType.code && from.dtype.bits == kType.bits && from.dtype.lanes == 1,
                 "the DLPack tensor has elements of code ", static_cast<int>(from.dtype.code), " with ",
                 static_cast<int>(from.dtype.bits), " bits in ", static_cast<int>(from.dtype.lanes), " lanes, not ",
                 static_cast<int>(kType.code), " with ", static_cast<int>(kType.bits), " bits");
  IMGSIM_EXPECTS(from.ndim == static_cast<std::int32_t>(Rank), "the DLPack tensor has ", from.ndim, " dimensions, not ",
                 Rank);
  std::array<std::size_t, Rank> extents{};
  for (std::size_t d = 0; d < Rank; ++d) {
    IMGSIM_EXPECTS(from.shape[d] >= 0, "the DLPack tensor has the extent ", from.shape[d]);
    extents[d] = static_cast<std::size_t>(from.shape[d]);
  }
  const std::size_t size = checked_size(extents, sizeof(element));
  const auto address = reinterpret_cast<std::uintptr_t>(from.data) + from.byte_offset;
  IMGSIM_EXPECTS(size == 0 || (from.data != nullptr && address % alignof(element) == 0),
                 "the DLPack tensor's data are not aligned to its elements");
  auto* data = size == 0 ? nullptr : reinterpret_cast<T*>(address);
  if (from.strides == nullptr || size == 0) return {data, extents};
  std::array<std::size_t, Rank> strides{};
  for (std::size_t d = 0; d < Rank; ++d) {
    IMGSIM_EXPECTS(from.strides[d] >= 0 || extents[d] == 1, "the DLPack tensor runs backwards along dimension ", d,
                   "; copy it");
    strides[d] = static_cast<std::size_t>(from.strides[d]);
  }
  IMGSIM_EXPECTS(strides[Rank - 1] == 1 || extents[Rank - 1] == 1, "the DLPack tensor's rows have their elements ",
                 strides[Rank - 1], " apart, not side by side; copy it");
  strides[Rank - 1] = 1;
  return {data, extents, strides};
}

}  // namespace detail

/// An array that another library handed over, which gets it back when the object goes. `Managed` is
/// dlpack::managed_tensor_versioned, dlpack::managed_tensor, or what <dlpack/dlpack.h> calls them. Nothing is copied.
/// Of device memory it is for the caller to see that the producer's stream is done with it, as DLPack asks.
///
///   const dlpack_import<const float> gallery(managed);            // taken out of a capsule
///   const auto found = top_n(context, gallery.view(), ...);
template <class T, std::size_t Rank = 2, class Space = host_space, class Managed = dlpack::managed_tensor_versioned>
class dlpack_import {
 public:
  /// Takes `managed` over, also where it throws: invalid_argument for another version than 1, element type, rank or
  /// memory space, a read-only array where T is not const, or rows whose elements do not lie side by side.
  explicit dlpack_import(Managed* managed) : managed_(managed) {
    IMGSIM_EXPECTS(managed != nullptr, "there is no DLPack tensor");
    if constexpr (detail::is_versioned_dlpack<Managed>) {
      IMGSIM_EXPECTS(managed->version.major == 1, "the DLPack tensor is of version ", managed->version.major,
                     ", not 1");
      IMGSIM_EXPECTS(std::is_const_v<T> || (managed->flags & dlpack::kReadOnly) == 0,
                     "the DLPack tensor is read-only; import it as const");
    }
    view_ = detail::view_of_dlpack<T, Rank, Space>(managed->dl_tensor);
  }

  [[nodiscard]] imgsim::view<T, Rank, Space> view() const noexcept { return view_; }

 private:
  struct give_back {
    void operator()(Managed* managed) const noexcept {
      if (managed->deleter != nullptr) managed->deleter(managed);
    }
  };
  std::unique_ptr<Managed, give_back> managed_;
  imgsim::view<T, Rank, Space> view_;
};

/// Hands `shown` over, uncopied; `owner` is kept until the other side is done with it. The view may be of a device:
/// then `device_id` says which. A view of const is handed over as read-only, which `Managed` before version 1 cannot
/// say: that does not compile. The result belongs to the caller until the other side takes it (its deleter frees it).
template <class Managed = dlpack::managed_tensor_versioned, class T, std::size_t Rank, class Space>
[[nodiscard]] Managed* to_dlpack(const view<T, Rank, Space>& shown, std::shared_ptr<const void> owner,
                                 std::int32_t device_id = 0) {
  static_assert(detail::is_versioned_dlpack<Managed> || !std::is_const_v<T>,
                "DLPack before version 1 cannot hand over what is read-only");
  struct holder {
    Managed managed;
    std::shared_ptr<const void> owner;
    std::array<std::int64_t, Rank> shape;
    std::array<std::int64_t, Rank> strides;
  };
  auto held = std::make_unique<holder>();
  for (std::size_t d = 0; d < Rank; ++d) {
    held->shape[d] = static_cast<std::int64_t>(shown.extent(d));
    held->strides[d] = static_cast<std::int64_t>(shown.stride(d));
  }
  held->owner = std::move(owner);
  Managed& managed = held->managed;
  managed = {};
  if constexpr (detail::is_versioned_dlpack<Managed>) {
    managed.version = {1, 0};
    managed.flags = std::is_const_v<T> ? dlpack::kReadOnly : 0;
  }
  constexpr dlpack::data_type kType = dlpack::type_of<std::remove_const_t<T>>();
  auto& out = managed.dl_tensor;
  out.data = const_cast<std::remove_const_t<T>*>(shown.data());
  out.device.device_type =
      static_cast<decltype(out.device.device_type)>(std::is_same_v<Space, host_space> ? dlpack::kCpu : dlpack::kCuda);
  out.device.device_id = device_id;
  out.ndim = static_cast<std::int32_t>(Rank);
  out.dtype = {kType.code, kType.bits, kType.lanes};
  out.shape = held->shape.data();
  out.strides = held->strides.data();
  managed.manager_ctx = held.get();
  managed.deleter = [](Managed* done) { delete static_cast<holder*>(done->manager_ctx); };
  return &held.release()->managed;
}

/// Hands a tensor over, uncopied, for good.
template <class Managed = dlpack::managed_tensor_versioned, class T, std::size_t Rank>
[[nodiscard]] Managed* to_dlpack(tensor<T, Rank>&& values) {
  auto owner = std::make_shared<tensor<T, Rank>>(std::move(values));
  const view<T, Rank> shown = owner->view();
  return to_dlpack<Managed>(shown, std::move(owner));
}

}  // namespace imgsim
