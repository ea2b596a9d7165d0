// What the tiles of product_tile.hpp multiply: one element a word in float32, or four bytes a word.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include <imgsim/core/macros.hpp>
#include <imgsim/cpu/simd.hpp>

namespace imgsim::cpu {

/// A kind of product has words (what rows are packed into), sums, the instruction sets for which it exists, and for
/// each of them what a broadcast word (`left`) and a vector of words (`right`) are made into before add(), which adds
/// the products of left and right to a vector of sums, lane by lane.
struct float_product {
  using word = float;
  using sum = float;
  template <class Isa>
  static constexpr bool exists = true;

  template <class Isa>
  using left = vector<float, Isa::float_lanes>;
  template <class Isa>
  using right = vector<float, Isa::float_lanes>;

  template <class Isa>
  IMGSIM_ALWAYS_INLINE static void load_left(left<Isa>& out, const word* from) noexcept {
    load_broadcast<Isa>(out, from);
  }
  template <class Isa>
  IMGSIM_ALWAYS_INLINE static void load_right(right<Isa>& out, const word* from) noexcept {
    load(out, from);
  }
  template <class Isa>
  IMGSIM_ALWAYS_INLINE static void add(vector<sum, Isa::float_lanes>& total, const left<Isa>& a,
                                       const right<Isa>& b) noexcept {
    total += a * b;
  }
};

/// Words of four signed bytes in [-127, 127], exact sums in 32 bits: of at most 65536 / 4 words. The bytes at even and
/// at odd places become 16-bit numbers; the sum of two products, 2 * 127^2, still fits in 16 bits.
struct byte_product {
  using word = std::uint32_t;
  using sum = std::int32_t;
  /// A sum is too large by this times the sum of the broadcast row's bytes.
  static constexpr std::int32_t excess = 0;
  template <class Isa>
  static constexpr bool exists = true;

  template <class Isa>
  struct halves {
    vector<std::int16_t, 2 * Isa::float_lanes> even, odd;
  };
  template <class Isa>
  using left = halves<Isa>;
  template <class Isa>
  using right = halves<Isa>;

  template <class Isa>
  IMGSIM_ALWAYS_INLINE static void load_left(left<Isa>& out, const word* from) noexcept {
    vector<std::uint32_t, Isa::float_lanes> words;
    broadcast(words, *from);
    split<Isa>(out, words);
  }
  template <class Isa>
  IMGSIM_ALWAYS_INLINE static void load_right(right<Isa>& out, const word* from) noexcept {
    vector<std::uint32_t, Isa::float_lanes> words;
    load(words, from);
    split<Isa>(out, words);
  }
  template <class Isa>
  IMGSIM_ALWAYS_INLINE static void add(vector<sum, Isa::float_lanes>& total, const left<Isa>& a,
                                       const right<Isa>& b) noexcept {
    const vector<std::int16_t, 2 * Isa::float_lanes> products = a.even * b.even + a.odd * b.odd;
    vector<std::int32_t, Isa::float_lanes> pairs;
    std::memcpy(&pairs, &products, sizeof pairs);
    total += ((pairs << 16) >> 16) + (pairs >> 16);
  }

 private:
  template <class Isa>
  IMGSIM_ALWAYS_INLINE static void split(halves<Isa>& out,
                                         const vector<std::uint32_t, Isa::float_lanes>& words) noexcept {
    vector<std::int16_t, 2 * Isa::float_lanes> pairs;
    std::memcpy(&pairs, &words, sizeof pairs);
    out.even = (pairs << 8) >> 8;
    out.odd = pairs >> 8;
  }
};

/// The same by AVX-512 VNNI, whose instruction multiplies unsigned with signed bytes: the vector's bytes are taken
/// 128 too large (their sign bit flipped), and so the sums by 128 times the sum of the broadcast row's bytes.
struct vnni_byte_product {
  using word = std::uint32_t;
  using sum = std::int32_t;
  static constexpr std::int32_t excess = 128;
  template <class Isa>
  static constexpr bool exists = Isa::float_lanes == 16;

  template <class Isa>
  using left = vector<std::uint32_t, Isa::float_lanes>;
  template <class Isa>
  using right = vector<std::uint32_t, Isa::float_lanes>;

  template <class Isa>
  IMGSIM_ALWAYS_INLINE static void load_left(left<Isa>& out, const word* from) noexcept {
    asm("vpbroadcastd %1, %0" : "=v"(out) : "m"(*from));
  }
  template <class Isa>
  IMGSIM_ALWAYS_INLINE static void load_right(right<Isa>& out, const word* from) noexcept {
    load(out, from);
    out ^= 0x80808080u;
  }
  template <class Isa>
  IMGSIM_ALWAYS_INLINE static void add(vector<sum, Isa::float_lanes>& total, const left<Isa>& a,
                                       const right<Isa>& b) noexcept {
    asm("vpdpbusd %2, %1, %0" : "+v"(total) : "v"(b), "v"(a));
  }
};

}  // namespace imgsim::cpu
