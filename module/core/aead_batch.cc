// SPDX-License-Identifier: GPL-2.0
// Which implementation a batch goes to.
#include "aead.hh"
#include "aead_levels.hh"
#include "cpu.hh"

namespace wg {
void aead_seal_batch(AeadPacket *packets, size_t num, bool may_use_vectors) {
#if WGPP_HAVE_AVX2
  if (may_use_vectors && num != 0 && cpu_has_avx2()) {
    aead_run_avx2(packets, num, true);
    return;
  }
#endif
  for (size_t i = 0; i < num; ++i) {
    const AeadPacket &packet = packets[i];
    aead_seal(packet.dst, {packet.src, packet.len}, {}, packet.counter, packet.key);
  }
}

void aead_open_batch(AeadPacket *packets, size_t num, bool may_use_vectors) {
#if WGPP_HAVE_AVX2
  if (may_use_vectors && num != 0 && cpu_has_avx2()) {
    aead_run_avx2(packets, num, false);
    return;
  }
#endif
  for (size_t i = 0; i < num; ++i) {
    AeadPacket &packet = packets[i];
    packet.is_good = aead_open(packet.dst, {packet.src, packet.len + kAeadTagLen}, {},
                               packet.counter, packet.key);
    if (!packet.is_good && packet.len != 0) wipe(packet.dst, packet.len);
  }
}

const char *aead_level() {
  return WGPP_HAVE_AVX2 != 0 && cpu_has_avx2() ? "avx2" : "scalar";
}

}  // namespace wg
