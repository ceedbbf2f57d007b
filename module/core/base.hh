// SPDX-License-Identifier: GPL-2.0
// What every core file stands on: spans, byte-order loads, wiping, constant-time compare.
// Freestanding: compiler builtins only, no library header but <stddef.h> and <stdint.h>.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace wg {

// A pointer with a length. Never owns.
template <typename T>
class Span {
 public:
  constexpr Span() = default;
  constexpr Span(T *data, size_t len) : data_(data), len_(len) {}
  template <size_t N>
  constexpr Span(T (&array)[N]) : data_(array), len_(N) {}  // NOLINT(google-explicit-constructor)
  constexpr operator Span<const T>() const {
    return {data_, len_};
  }  // NOLINT(google-explicit-constructor)

  constexpr T *data() const { return data_; }
  constexpr size_t size() const { return len_; }
  constexpr bool empty() const { return len_ == 0; }
  constexpr T &operator[](size_t i) const { return data_[i]; }
  constexpr T *begin() const { return data_; }
  constexpr T *end() const { return data_ + len_; }
  // The caller has made sure that the range lies inside.
  constexpr Span first(size_t n) const { return {data_, n}; }
  constexpr Span from(size_t offset) const { return {data_ + offset, len_ - offset}; }
  constexpr Span sub(size_t offset, size_t n) const { return {data_ + offset, n}; }

 private:
  T *data_ = nullptr;
  size_t len_ = 0;
};

using Bytes = Span<uint8_t>;
using ConstBytes = Span<const uint8_t>;

[[gnu::always_inline]] inline void copy(void *dst, const void *src, size_t len) {
  __builtin_memcpy(dst, src, len);
}

// Overwrites with zeros; the barrier keeps the compiler from dropping a dead store.
[[gnu::always_inline]] inline void wipe(void *data, size_t len) {
  __builtin_memset(data, 0, len);
  __asm__ __volatile__("" : : "r"(data) : "memory");
}

// Wipes what the functions that the caller has called kept on the stack: compilers spill words of
// secrets there, which nothing else reaches. The caller's own frame stays, so it is to be one that
// handles no secret itself.
void scrub_stack();

// What was found out about secrets and is acted upon: a tag that is right, a timestamp that is
// newer. Everyone may see it. The check of constant time is told so here; nothing happens
// elsewhere.
template <typename T>
[[gnu::always_inline]] inline T as_public(T v) {
#if defined(WGPP_CONSTANT_TIME)
  WGPP_MARK_PUBLIC(&v, sizeof v);
#endif
  return v;
}

// What the compiler may know nothing about, or it would make a branch of it. MemorySanitizer takes
// assembly for a use of what goes in, and has seen the branches by the time the code is final.
template <typename T>
[[gnu::always_inline]] inline T opaque(T v) {
#if !defined(WGPP_MEMORY_SANITIZER)
  __asm__ __volatile__("" : "+r"(v));
#endif
  return v;
}

// Time depends on the length only.
[[gnu::always_inline]] inline bool ct_equal(const uint8_t *a, const uint8_t *b, size_t len) {
  uint32_t diff = 0;
  for (size_t i = 0; i < len; ++i) {
    diff |= static_cast<uint32_t>(a[i] ^ b[i]);
    // Or the compiler might leave the loop at the first difference.
    diff = opaque(diff);
  }
  return as_public(diff) == 0;
}

[[gnu::always_inline]] inline bool ct_is_zero(const uint8_t *a, size_t len) {
  uint32_t bits = 0;
  for (size_t i = 0; i < len; ++i) {
    bits = opaque(bits | a[i]);
  }
  return as_public(bits) == 0;
}

// Bytes that are wiped when they go out of scope.
template <size_t N>
struct Secret {
  uint8_t bytes[N];

  Secret() = default;
  Secret(const Secret &) = delete;
  Secret &operator=(const Secret &) = delete;
  [[gnu::always_inline]] ~Secret() { wipe(bytes, N); }
  static constexpr size_t size() { return N; }
  operator ConstBytes() const { return {bytes, N}; }  // NOLINT(google-explicit-constructor)
};

template <typename T>
[[gnu::always_inline]] constexpr T byte_swap(T v) {
  static_assert(sizeof(T) == 8 || sizeof(T) == 4 || sizeof(T) == 2);
  if constexpr (sizeof(T) == 8) return __builtin_bswap64(v);
  if constexpr (sizeof(T) == 4) return __builtin_bswap32(v);
  if constexpr (sizeof(T) == 2) return __builtin_bswap16(v);
}

inline constexpr bool kLittleEndian = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;

template <typename T>
[[gnu::always_inline]] inline T load_le(const uint8_t *p) {
  T v;
  __builtin_memcpy(&v, p, sizeof v);
  return kLittleEndian ? v : byte_swap(v);
}

template <typename T>
[[gnu::always_inline]] inline T load_be(const uint8_t *p) {
  T v;
  __builtin_memcpy(&v, p, sizeof v);
  return kLittleEndian ? byte_swap(v) : v;
}

template <typename T>
[[gnu::always_inline]] inline void store_le(uint8_t *p, T v) {
  if (!kLittleEndian) v = byte_swap(v);
  __builtin_memcpy(p, &v, sizeof v);
}

template <typename T>
[[gnu::always_inline]] inline void store_be(uint8_t *p, T v) {
  if (kLittleEndian) v = byte_swap(v);
  __builtin_memcpy(p, &v, sizeof v);
}

template <typename T>
constexpr T min(T a, T b) {
  return a < b ? a : b;
}

template <typename T>
constexpr T max(T a, T b) {
  return a < b ? b : a;
}

}  // namespace wg
