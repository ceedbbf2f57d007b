// SPDX-License-Identifier: GPL-2.0
// Eight blocks at a time with AVX-512VL: it rotates in one instruction and has 32 registers.
// Registers of 256 bits, as wider ones slow some processors down.
#include "aead_levels.hh"

#if WGPP_HAVE_X86_VECTORS
#include "aead_eight.hh"
#include "zmm.hh"

namespace wg {
namespace {

struct Avx512 : Eight {
  // Compilers know a rotation when they see one.
  [[gnu::always_inline]] static V rotl16(V v) { return rotl<16>(v); }
  [[gnu::always_inline]] static V rotl8(V v) { return rotl<8>(v); }
};

}  // namespace

void aead_run_avx512(AeadPacket *packets, size_t num, bool is_seal) {
  run_batch<Avx512>(packets, num, is_seal);
  zero_all_registers();
}

}  // namespace wg

#endif  // WGPP_HAVE_X86_VECTORS
