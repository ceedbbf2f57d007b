// SPDX-License-Identifier: GPL-2.0
// Eight blocks at a time in AVX2's registers, and BMI2's multiplication for Poly1305.
#include "aead_levels.hh"

#if WGPP_HAVE_X86_VECTORS
#include "aead_eight.hh"

namespace wg {
namespace {

struct Avx2 : Eight {
  using Bytes = uint8_t __attribute__((vector_size(4 * kLanes)));

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
};

}  // namespace

void aead_run_avx2(AeadPacket *packets, size_t num, bool is_seal) {
  run_batch<Avx2>(packets, num, is_seal);
  __builtin_ia32_vzeroall();
}

}  // namespace wg

#endif  // WGPP_HAVE_X86_VECTORS
