// SPDX-License-Identifier: GPL-2.0
// ChaCha20 (RFC 8439, 2.3 and 2.4) and HChaCha20 (draft-irtf-cfrg-xchacha, 2.2).
#pragma once

#include "base.hh"

namespace wg {

inline constexpr size_t kChaCha20KeyLen = 32;
inline constexpr size_t kChaCha20NonceLen = 12;
inline constexpr size_t kChaCha20BlockLen = 64;
inline constexpr size_t kHChaCha20NonceLen = 16;

// A key stream: key (32 bytes), nonce (12 bytes) and the number of the next block. The caller
// keeps the stream under 2^32 blocks (256 GiB). Wiped when it goes out of scope.
class ChaCha20 {
 public:
  ChaCha20(const uint8_t *key, const uint8_t *nonce, uint32_t counter);
  ChaCha20(const ChaCha20 &) = delete;
  ChaCha20 &operator=(const ChaCha20 &) = delete;
  ~ChaCha20();

  // Writes the next 64 bytes of key stream.
  void block(uint8_t *out);

  // dst = src xor key stream, src.size() bytes; dst may be src. Starts at the next whole block:
  // what is left of a block after a call is thrown away.
  void crypt(uint8_t *dst, ConstBytes src);

 private:
  uint32_t state_[16];
};

// Derives a 32-byte subkey from key (32 bytes) and nonce (16 bytes). out may be key.
void hchacha20(uint8_t *out, const uint8_t *nonce, const uint8_t *key);

}  // namespace wg
