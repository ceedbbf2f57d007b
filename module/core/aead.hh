// SPDX-License-Identifier: GPL-2.0
// ChaCha20-Poly1305 (RFC 8439, 2.8) with WireGuard's nonce, and XChaCha20-Poly1305 for cookies.
#pragma once

#include "base.hh"
#include "wgcore.h"

namespace wg {

inline constexpr size_t kAeadKeyLen = 32;
inline constexpr size_t kAeadTagLen = 16;
inline constexpr size_t kXAeadNonceLen = 24;

// Encrypts src and appends the tag: dst has src.size() + 16 bytes, and may be src itself.
// The 12-byte nonce is 4 zero bytes and the counter in little-endian.
void aead_seal(uint8_t *dst, ConstBytes src, ConstBytes ad, uint64_t counter, const uint8_t *key);

// Checks the tag at the end of src, then decrypts: dst has src.size() - 16 bytes, and may be src.
// On failure (also when src is shorter than a tag) nothing is written to dst.
[[nodiscard]] bool aead_open(uint8_t *dst, ConstBytes src, ConstBytes ad, uint64_t counter,
                             const uint8_t *key);

// The same with any 12-byte nonce, as RFC 8439 has it; the two above come down to these.
void aead_seal_ietf(uint8_t *dst, ConstBytes src, ConstBytes ad, const uint8_t *nonce,
                    const uint8_t *key);
[[nodiscard]] bool aead_open_ietf(uint8_t *dst, ConstBytes src, ConstBytes ad, const uint8_t *nonce,
                                  const uint8_t *key);

// The same with a 24-byte nonce (draft-irtf-cfrg-xchacha).
void xaead_seal(uint8_t *dst, ConstBytes src, ConstBytes ad, const uint8_t *nonce,
                const uint8_t *key);
[[nodiscard]] bool xaead_open(uint8_t *dst, ConstBytes src, ConstBytes ad, const uint8_t *nonce,
                              const uint8_t *key);

// One packet of a batch: as above, without AD. dst may be src, or not overlap it.
struct AeadPacket {
  uint8_t *dst;
  const uint8_t *src;
  size_t len;  // of the text, without tag
  uint64_t counter;
  const uint8_t *key;
  bool is_good;  // aead_open_batch(): the tag was right
  // aead_seal_batch(): if not null, the text is there instead of at src. See wgc_data_packet.
  const wgc_segment *segments = nullptr;
};

// With may_use_vectors they work on several packets at a time, in vector registers: the caller has
// made sure that these may be touched.
void aead_seal_batch(AeadPacket *packets, size_t num, bool may_use_vectors);

// A packet whose tag is wrong has zeros for a text then; the others do not suffer.
void aead_open_batch(AeadPacket *packets, size_t num, bool may_use_vectors);

// What a batch is worked on with: a name of cpu_level().
const char *aead_level();

}  // namespace wg
