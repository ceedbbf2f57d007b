// SPDX-License-Identifier: GPL-2.0
// Poly1305 (RFC 8439, 2.5): a one-time authenticator.
#pragma once

#include "base.hh"

// The arithmetic has two forms: 64-bit words with a 64x64->128 multiply, and 26-bit limbs for
// targets without one. Defining WGPP_NO_INT128 picks the second one (the tests run both).
#if defined(__SIZEOF_INT128__) && !defined(WGPP_NO_INT128)
#define WGPP_HAVE_INT128 1
#else
#define WGPP_HAVE_INT128 0
#endif

#if WGPP_HAVE_INT128
#include "poly1305_word.hh"
#endif

namespace wg {

inline constexpr size_t kPoly1305KeyLen = 32;
inline constexpr size_t kPoly1305BlockLen = 16;
inline constexpr size_t kPoly1305TagLen = 16;

// Streaming authenticator. A key is used for one message only. Wiped when it goes out of scope.
class Poly1305 {
 public:
  explicit Poly1305(const uint8_t *key);
  Poly1305(const Poly1305 &) = delete;
  Poly1305 &operator=(const Poly1305 &) = delete;
  ~Poly1305();

  void update(ConstBytes in);

  // Adds in and then zeros up to the next multiple of 16 bytes, as the AEAD wants it (RFC 8439,
  // 2.8). What was added before must be a multiple of 16 bytes too.
  void update_padded(ConstBytes in);

  void final(uint8_t *tag);  // writes 16 bytes; the object is used up

 private:
  void blocks(const uint8_t *in, size_t num_blocks, uint32_t top_bit);
  void reduce_and_add(uint8_t *tag);

#if WGPP_HAVE_INT128
  Poly1305Word word_;
#else
  uint32_t r_[5];
  uint32_t h_[5];
#endif
  uint8_t s_[16];
  uint8_t buffer_[kPoly1305BlockLen];
  size_t buffered_ = 0;
};

// One shot: tag (16 bytes) of in under key (32 bytes).
void poly1305(uint8_t *tag, ConstBytes in, const uint8_t *key);

}  // namespace wg
