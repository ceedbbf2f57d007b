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

// The name of what multiplies: "portable" or "adx".
const char *x25519_level();

void x25519_clamp(uint8_t *scalar);

}  // namespace wg
