// SPDX-License-Identifier: GPL-2.0
// Eight blocks at a time in registers of eight words: what run_group() and run_short() are made of
// with AVX2 and what came after it, but for the rotations. Included once by each such object.
#pragma once

#include "aead_short.hh"
#include "shuffle.hh"

namespace wg {
namespace {  // NOLINT(google-build-namespaces): as in aead_lanes.hh

struct Eight {
  static constexpr size_t kLanes = 8;
  using V = uint32_t __attribute__((vector_size(4 * kLanes)));

  template <int n>
  [[gnu::always_inline]] static V rotl(V v) {
    return v << n | v >> (32 - n);
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
}  // namespace wg
