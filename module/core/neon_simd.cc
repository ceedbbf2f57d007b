// SPDX-License-Identifier: GPL-2.0
// Four blocks at a time in arm64's vector registers.
#include "aead_levels.hh"

#if WGPP_HAVE_NEON
#include "aead_lanes.hh"
#include "shuffle.hh"

namespace wg {
namespace {

// What run_group() is made of.
struct Neon {
  static constexpr size_t kLanes = 4;
  using V = uint32_t __attribute__((vector_size(4 * kLanes)));
  using Halves = uint16_t __attribute__((vector_size(4 * kLanes)));
  using Bytes = uint8_t __attribute__((vector_size(4 * kLanes)));

  template <int n>
  [[gnu::always_inline]] static V rotl(V v) {
    return v << n | v >> (32 - n);
  }
  // One instruction each, instead of two.
  [[gnu::always_inline]] static V rotl16(V v) {
    const auto h = reinterpret_cast<Halves>(v);
    return reinterpret_cast<V>(WGPP_SHUFFLE(h, h, 1, 0, 3, 2, 5, 4, 7, 6));
  }
  [[gnu::always_inline]] static V rotl8(V v) {
    const auto b = reinterpret_cast<Bytes>(v);
    return reinterpret_cast<V>(
        WGPP_SHUFFLE(b, b, 3, 0, 1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15, 12, 13, 14));
  }

  // Words of a block from rows of lanes: half of each block, which is two registers.
  [[gnu::always_inline]] static void put(const Group<kLanes> &group, size_t half, V (&r)[8]) {
#pragma GCC unroll 2
    for (size_t i = 0; i < 2; ++i) {
      const V *const q = r + 4 * i;
      const V low01 = WGPP_SHUFFLE(q[0], q[1], 0, 4, 1, 5);
      const V high01 = WGPP_SHUFFLE(q[0], q[1], 2, 6, 3, 7);
      const V low23 = WGPP_SHUFFLE(q[2], q[3], 0, 4, 1, 5);
      const V high23 = WGPP_SHUFFLE(q[2], q[3], 2, 6, 3, 7);
      const V lanes[kLanes] = {
          WGPP_SHUFFLE(low01, low23, 0, 1, 4, 5), WGPP_SHUFFLE(low01, low23, 2, 3, 6, 7),
          WGPP_SHUFFLE(high01, high23, 0, 1, 4, 5), WGPP_SHUFFLE(high01, high23, 2, 3, 6, 7)};
      put_parts<kLanes, V>(group, 2 * half + i, lanes);
    }
  }
};

}  // namespace

void aead_run_neon(AeadPacket *packets, size_t num, bool is_seal) {
  run_rounds<Neon>(packets, num, is_seal);
  // Those that a function may leave as it likes. Of the others the lower halves have been put back,
  // and an instruction that loads such a half clears the upper one.
  __asm__ __volatile__(
      "movi v0.2d, #0\n\t"
      "movi v1.2d, #0\n\t"
      "movi v2.2d, #0\n\t"
      "movi v3.2d, #0\n\t"
      "movi v4.2d, #0\n\t"
      "movi v5.2d, #0\n\t"
      "movi v6.2d, #0\n\t"
      "movi v7.2d, #0\n\t"
      "movi v16.2d, #0\n\t"
      "movi v17.2d, #0\n\t"
      "movi v18.2d, #0\n\t"
      "movi v19.2d, #0\n\t"
      "movi v20.2d, #0\n\t"
      "movi v21.2d, #0\n\t"
      "movi v22.2d, #0\n\t"
      "movi v23.2d, #0\n\t"
      "movi v24.2d, #0\n\t"
      "movi v25.2d, #0\n\t"
      "movi v26.2d, #0\n\t"
      "movi v27.2d, #0\n\t"
      "movi v28.2d, #0\n\t"
      "movi v29.2d, #0\n\t"
      "movi v30.2d, #0\n\t"
      "movi v31.2d, #0"
      :
      :
      : "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v16", "v17", "v18", "v19", "v20", "v21",
        "v22", "v23", "v24", "v25", "v26", "v27", "v28", "v29", "v30", "v31");
}

}  // namespace wg

#endif  // WGPP_HAVE_NEON
