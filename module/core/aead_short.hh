// SPDX-License-Identifier: GPL-2.0
// ChaCha20-Poly1305 of one short packet: with a word of eight blocks in each register most lanes
// would be idle, so that a register has a row of two blocks here. Included once by each object
// with vector instructions, after aead_lanes.hh.
#pragma once

#include "aead_lanes.hh"

namespace wg {
namespace {  // NOLINT(google-build-namespaces): as there

// Text of five blocks; the one before them gives the one-time key.
inline constexpr size_t kMaxShortLen = 5 * kBlockLen;

// The first 2 * kPairs blocks of a packet's key stream. The pairs hide one another's latency.
template <typename Isa, size_t kPairs>
[[gnu::always_inline]] inline void short_stream(uint8_t *out, const uint8_t *key,
                                                uint64_t counter) {
  using V = typename Isa::V;
  const V first = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574,
                   0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
  V both_halves;
  __builtin_memcpy(&both_halves, key, sizeof both_halves);
  const V second = Isa::low_halves(both_halves, both_halves);
  const V third = Isa::high_halves(both_halves, both_halves);
  const auto low = static_cast<uint32_t>(counter);
  const auto high = static_cast<uint32_t>(counter >> 32);

  V a[kPairs];
  V b[kPairs];
  V c[kPairs];
  V d[kPairs];
  V fourth[kPairs];
#pragma GCC unroll 3
  for (size_t i = 0; i < kPairs; ++i) {
    const auto block = static_cast<uint32_t>(2 * i);
    fourth[i] = V{block, 0, low, high, block + 1, 0, low, high};
    a[i] = first;
    b[i] = second;
    c[i] = third;
    d[i] = fourth[i];
  }
  for (int round = 0; round < 10; ++round) {
#pragma GCC unroll 3
    for (size_t i = 0; i < kPairs; ++i) {
      quarter_round<Isa>(a[i], b[i], c[i], d[i]);
      // Diagonals become columns, and back again.
      b[i] = Isa::template turn_rows<1>(b[i]);
      c[i] = Isa::template turn_rows<2>(c[i]);
      d[i] = Isa::template turn_rows<3>(d[i]);
    }
#pragma GCC unroll 3
    for (size_t i = 0; i < kPairs; ++i) {
      quarter_round<Isa>(a[i], b[i], c[i], d[i]);
      b[i] = Isa::template turn_rows<3>(b[i]);
      c[i] = Isa::template turn_rows<2>(c[i]);
      d[i] = Isa::template turn_rows<1>(d[i]);
    }
  }
#pragma GCC unroll 3
  for (size_t i = 0; i < kPairs; ++i) {
    a[i] += first;
    b[i] += second;
    c[i] += third;
    d[i] += fourth[i];
    const V parts[4] = {Isa::low_halves(a[i], b[i]), Isa::low_halves(c[i], d[i]),
                        Isa::high_halves(a[i], b[i]), Isa::high_halves(c[i], d[i])};
    __builtin_memcpy(out + i * sizeof parts, parts, sizeof parts);
  }
}

template <typename Isa>
[[gnu::noinline]] void run_short(AeadPacket &packet, bool is_seal) {
  using V = typename Isa::V;
  struct alignas(sizeof(V)) {
    OneTimeKey key;
    uint8_t text[kMaxShortLen];
  } stream;
  auto *const out = reinterpret_cast<uint8_t *>(&stream);
  if (packet.len <= kBlockLen) {
    short_stream<Isa, 1>(out, packet.key, packet.counter);
  } else if (packet.len <= 3 * kBlockLen) {
    short_stream<Isa, 2>(out, packet.key, packet.counter);
  } else {
    short_stream<Isa, 3>(out, packet.key, packet.counter);
  }
  if (is_seal) xor_text<V>(packet.dst, linear_text(packet), packet.len, stream.text);
  Mac mac;
  mac.init(&packet, &stream.key, is_seal);
  mac.begin();
  mac.left = packet.len / kMacBlockLen;
  mac.blocks(mac.left);
  mac.finish();
  if (!is_seal && packet.is_good) xor_text<V>(packet.dst, packet.src, packet.len, stream.text);
  wipe(&mac, sizeof mac);
  wipe_object<V>(stream);
}

// One packet or many.
template <typename Isa>
[[gnu::always_inline]] inline void run_batch(AeadPacket *packets, size_t num, bool is_seal) {
  if (num != 1 || packets[0].len > kMaxShortLen) {
    run_rounds<Isa>(packets, num, is_seal);
    return;
  }
  run_short<Isa>(packets[0], is_seal);
  scrub_vectors<typename Isa::V>();
  if (!is_seal) wipe_forged(packets, num);
}

}  // namespace
}  // namespace wg
