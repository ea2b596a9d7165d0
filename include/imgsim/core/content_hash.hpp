// Names content by its bytes: two files with one hash hold the same photo, model or matrix.
#pragma once

#include <xxhash.h>

#include <cstddef>
#include <memory>
#include <new>
#include <span>
#include <string>

namespace imgsim {

/// XXH3-128 (xxHash 0.8, fixed seed 0) of bytes that arrive piece by piece. It guards against accidents, not against
/// an adversary: it is no cryptographic hash.
class content_hasher {
 public:
  content_hasher() : state_(XXH3_createState()) {
    if (state_ == nullptr) throw std::bad_alloc();
    XXH3_128bits_reset(state_.get());
  }

  void update(std::span<const std::byte> bytes) noexcept {
    if (!bytes.empty()) XXH3_128bits_update(state_.get(), bytes.data(), bytes.size());
  }

  /// 32 lower-case hexadecimal digits of what came so far, as `xxhsum -H2` prints them.
  [[nodiscard]] std::string hex() const {
    constexpr char kDigits[] = "0123456789abcdef";
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(state_.get()));
    std::string text;
    text.reserve(2 * sizeof(canonical.digest));
    for (const unsigned char byte : canonical.digest) {
      text += kDigits[byte >> 4];
      text += kDigits[byte & 15];
    }
    return text;
  }

 private:
  struct free_state {
    void operator()(XXH3_state_t* state) const noexcept { XXH3_freeState(state); }
  };
  std::unique_ptr<XXH3_state_t, free_state> state_;
};

/// The hash of one run of bytes, 32 hexadecimal digits.
[[nodiscard]] inline std::string content_hash(std::span<const std::byte> bytes) {
  content_hasher hasher;
  hasher.update(bytes);
  return hasher.hex();
}

}  // namespace imgsim
