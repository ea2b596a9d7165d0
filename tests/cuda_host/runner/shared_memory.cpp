#include "cuda_host/runner/shared_memory.hpp"

#include <cstring>
#include <new>

#include "cuda_host/runner/sanitizer.hpp"

namespace imgsim::cuda_host {
namespace {

// All 32 banks begin where an array begins.
constexpr std::align_val_t kBankAlignment{128};

}  // namespace

shared_memory::allocation shared_memory::allocate(const void* site, std::size_t bytes) {
  void* begin = ::operator new(bytes, kBankAlignment);
  std::memset(begin, 0xFF, bytes);
  return {site, begin, bytes};
}

shared_memory::shared_memory(std::size_t dynamic_bytes) {
  if (dynamic_bytes > 0) dynamic_ = allocate(nullptr, dynamic_bytes);
}

shared_memory::~shared_memory() {
  for (const allocation& array : arrays_) ::operator delete(array.begin, kBankAlignment);
  if (dynamic_.begin != nullptr) ::operator delete(dynamic_.begin, kBankAlignment);
}

void* shared_memory::array(const void* site, std::size_t bytes) {
  for (const allocation& known : arrays_) {
    if (known.site == site) return known.begin;
  }
  const unwatched bookkeeping;
  arrays_.push_back(allocate(site, bytes));
  static_bytes_ += bytes;
  return arrays_.back().begin;
}

bool shared_memory::holds(const void* address) const noexcept {
  const auto within = [address](const allocation& array) {
    return address >= array.begin && address < static_cast<const char*>(array.begin) + array.bytes;
  };
  if (within(dynamic_)) return true;
  for (const allocation& array : arrays_) {
    if (within(array)) return true;
  }
  return false;
}

}  // namespace imgsim::cuda_host
