// SPDX-License-Identifier: GPL-2.0
// Curve25519 Diffie-Hellman (RFC 7748), constant time.
#pragma once

#include "base.hh"

namespace wg {

inline constexpr size_t kX25519KeyLen = 32;

// out = scalar * point; the scalar is clamped on the fly. False when the result is all zeros
// (a low-order point); out is zero then. out may be scalar or point.
[[nodiscard]] bool x25519(uint8_t *out, const uint8_t *scalar, const uint8_t *point);

// out = scalar * base point.
void x25519_base(uint8_t *out, const uint8_t *scalar);

inline constexpr size_t kX25519BatchMax = 8;

// Products that have nothing to do with one another, and room to compute them all at once. Too
// large for a kernel's stack.
struct X25519Batch {
  uint8_t out[kX25519BatchMax][kX25519KeyLen];
  const uint8_t *scalar[kX25519BatchMax];
  const uint8_t *point[kX25519BatchMax];
  // For registers of 512 bits.
  alignas(64) uint8_t work[3712];
};

// out = scalar * point for each of num, with zeros for a low-order point, as x25519() has them.
// Nothing secret stays in work.
void x25519_batch(X25519Batch &batch, size_t num, bool may_use_vectors);

// Whether a batch of so many uses vector registers, if it may.
bool x25519_batch_wants_vectors(size_t num);

// The name of what multiplies: "portable" or "adx", with "+ifma" where batches have more.
const char *x25519_level();

void x25519_clamp(uint8_t *scalar);

}  // namespace wg
