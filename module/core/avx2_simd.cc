// SPDX-License-Identifier: GPL-2.0
// Eight blocks at a time in AVX2's registers, and BMI2's multiplication for Poly1305.
#include "aead_levels.hh"

#if WGPP_HAVE_AVX2
#include "aead_short.hh"

// g++ has the name that both compilers know since version 12.
#if defined(__clang__) || __GNUC__ >= 12
#define WGPP_SHUFFLE __builtin_shufflevector
#else
#define WGPP_SHUFFLE(a, b, ...) __builtin_shuffle(a, b, __typeof__(a){__VA_ARGS__})
#endif

namespace wg {
namespace {

// What run_group() and run_short() are made of.
struct Avx2 {
  static constexpr size_t kLanes = 8;
  using V = uint32_t __attribute__((vector_size(4 * kLanes)));
  using Bytes = uint8_t __attribute__((vector_size(4 * kLanes)));

  template <int n>
  [[gnu::always_inline]] static V rotl(V v) {
    return v << n | v >> (32 - n);
  }
  // A whole number of bytes: one shuffle instead of three instructions.
  [[gnu::always_inline]] static V rotl16(V v) {
    const auto b = reinterpret_cast<Bytes>(v);
    return reinterpret_cast<V>(WGPP_SHUFFLE(b, b, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12,
                                            13, 18, 19, 16, 17, 22, 23, 20, 21, 26, 27, 24, 25, 30,
                                            31, 28, 29));
  }
  [[gnu::always_inline]] static V rotl8(V v) {
    const auto b = reinterpret_cast<Bytes>(v);
    return reinterpret_cast<V>(WGPP_SHUFFLE(b, b, 3, 0, 1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15, 12, 13,
                                            14, 19, 16, 17, 18, 23, 20, 21, 22, 27, 24, 25, 26, 31,
                                            28, 29, 30));
  }

  // The halves of a register are rows of two blocks: each row turned by n words.
  template <int n>
  [[gnu::always_inline]] static V turn_rows(V v) {
    return WGPP_SHUFFLE(v, v, n, (n + 1) % 4, (n + 2) % 4, (n + 3) % 4, 4 + n, 4 + (n + 1) % 4,
                        4 + (n + 2) % 4, 4 + (n + 3) % 4);
  }
  [[gnu::always_inline]] static V low_halves(V a, V b) {
    return WGPP_SHUFFLE(a, b, 0, 1, 2, 3, 8, 9, 10, 11);
  }
  [[gnu::always_inline]] static V high_halves(V a, V b) {
    return WGPP_SHUFFLE(a, b, 4, 5, 6, 7, 12, 13, 14, 15);
  }

  // Words of a block from rows of lanes: half of each block.
  [[gnu::always_inline]] static void put(const Group<kLanes> &group, size_t half, V (&r)[8]) {
    V t[8];
    V u[8];
#pragma GCC unroll 4
    for (size_t i = 0; i < 8; i += 2) {
      t[i] = WGPP_SHUFFLE(r[i], r[i + 1], 0, 8, 1, 9, 4, 12, 5, 13);
      t[i + 1] = WGPP_SHUFFLE(r[i], r[i + 1], 2, 10, 3, 11, 6, 14, 7, 15);
    }
#pragma GCC unroll 2
    for (size_t i = 0; i < 8; i += 4) {
      u[i] = WGPP_SHUFFLE(t[i], t[i + 2], 0, 1, 8, 9, 4, 5, 12, 13);
      u[i + 1] = WGPP_SHUFFLE(t[i], t[i + 2], 2, 3, 10, 11, 6, 7, 14, 15);
      u[i + 2] = WGPP_SHUFFLE(t[i + 1], t[i + 3], 0, 1, 8, 9, 4, 5, 12, 13);
      u[i + 3] = WGPP_SHUFFLE(t[i + 1], t[i + 3], 2, 3, 10, 11, 6, 7, 14, 15);
    }
    V lanes[8];
#pragma GCC unroll 4
    for (size_t i = 0; i < 4; ++i) {
      lanes[i] = low_halves(u[i], u[i + 4]);
      lanes[i + 4] = high_halves(u[i], u[i + 4]);
    }
    put_parts<kLanes, V>(group, half, lanes);
  }
};

}  // namespace

void aead_run_avx2(AeadPacket *packets, size_t num, bool is_seal) {
  run_batch<Avx2>(packets, num, is_seal);
  __builtin_ia32_vzeroall();
}

}  // namespace wg

#endif  // WGPP_HAVE_AVX2
