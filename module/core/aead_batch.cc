// SPDX-License-Identifier: GPL-2.0
// Which implementation a batch goes to.
#include "aead.hh"
#include "aead_levels.hh"
#include "cpu.hh"
#include "segments.hh"

namespace wg {
namespace {

// By branches and not by a pointer: what guards a call through one against speculation costs more.
// False: no level with vectors has been chosen.
bool run_vectors(AeadPacket *packets, size_t num, bool is_seal) {
  if (num == 0) return true;
#if WGPP_HAVE_X86_VECTORS
  if (cpu_has_avx512()) {
    aead_run_avx512(packets, num, is_seal);
    return true;
  }
  if (cpu_has_avx2()) {
    aead_run_avx2(packets, num, is_seal);
    return true;
  }
#endif
#if WGPP_HAVE_NEON
  if (cpu_has_neon()) {
    aead_run_neon(packets, num, is_seal);
    return true;
  }
#endif
  static_cast<void>(packets);
  static_cast<void>(is_seal);
  return false;
}

}  // namespace

void aead_seal_batch(AeadPacket *packets, size_t num, bool may_use_vectors) {
  if (may_use_vectors && run_vectors(packets, num, true)) return;
  for (size_t i = 0; i < num; ++i) {
    const AeadPacket &packet = packets[i];
    aead_seal(packet.dst, {linear_text(packet), packet.len}, {}, packet.counter, packet.key);
  }
}

void aead_open_batch(AeadPacket *packets, size_t num, bool may_use_vectors) {
  if (may_use_vectors && run_vectors(packets, num, false)) return;
  for (size_t i = 0; i < num; ++i) {
    AeadPacket &packet = packets[i];
    packet.is_good = aead_open(packet.dst, {packet.src, packet.len + kAeadTagLen}, {},
                               packet.counter, packet.key);
    if (!packet.is_good && packet.len != 0) wipe(packet.dst, packet.len);
  }
}

const char *aead_level() {
#if WGPP_HAVE_X86_VECTORS
  if (cpu_has_avx512()) return "avx512";
  if (cpu_has_avx2()) return "avx2";
#endif
#if WGPP_HAVE_NEON
  if (cpu_has_neon()) return "neon";
#endif
  return "scalar";
}

}  // namespace wg
