// SPDX-License-Identifier: GPL-2.0
// Arithmetic modulo p = 2^255 - 19 in five 51-bit limbs, with a 64x64->128 multiply.
// Part of x25519.cc, and included by nothing else in the core.
//
// Bounds: mul, square and mul_small leave limbs under 2^51 + 2^15, add under 2^53, sub under
// 2^53. The operands of mul and square may reach 2^54: five products and a factor of 19 stay
// under 2^115, and 19 times a limb under 2^59.
#pragma once

#include "base.hh"

namespace wg {
namespace {

__extension__ typedef unsigned __int128 Wide;

constexpr uint64_t kLimbMask = (uint64_t{1} << 51) - 1;

struct Fe51 {
  uint64_t v[5];
};

[[gnu::always_inline]] inline Wide mul(uint64_t a, uint64_t b) {
  return Wide{a} * b;
}

// RFC 7748, 5: the top bit is ignored, values of p and above are taken as they are.
inline void fe_load(Fe51 &out, const uint8_t *p) {
  out.v[0] = load_le<uint64_t>(p) & kLimbMask;
  out.v[1] = load_le<uint64_t>(p + 6) >> 3 & kLimbMask;
  out.v[2] = load_le<uint64_t>(p + 12) >> 6 & kLimbMask;
  out.v[3] = load_le<uint64_t>(p + 19) >> 1 & kLimbMask;
  out.v[4] = load_le<uint64_t>(p + 24) >> 12 & kLimbMask;
}

// Carries once around; the top carry comes back times 19.
[[gnu::always_inline]] inline void fe_carry(uint64_t (&v)[5]) {
  for (size_t i = 0; i < 4; ++i) {
    v[i + 1] += v[i] >> 51;
    v[i] &= kLimbMask;
  }
  v[0] += 19 * (v[4] >> 51);
  v[4] &= kLimbMask;
}

// Writes the canonical value.
inline void fe_store(uint8_t *out, const Fe51 &a) {
  Fe51 t = a;
  fe_carry(t.v);
  fe_carry(t.v);
  // Now t < 2^255 + a little. It is p or more exactly when t + 19 reaches 2^255; then the carry
  // out of the top limb adds 19 and masking drops 2^255, which subtracts p.
  uint64_t carry = (t.v[0] + 19) >> 51;
  for (size_t i = 1; i < 5; ++i) carry = (t.v[i] + carry) >> 51;
  t.v[0] += 19 * carry;
  for (size_t i = 0; i < 4; ++i) {
    t.v[i + 1] += t.v[i] >> 51;
    t.v[i] &= kLimbMask;
  }
  t.v[4] &= kLimbMask;
  store_le(out, t.v[0] | t.v[1] << 51);
  store_le(out + 8, t.v[1] >> 13 | t.v[2] << 38);
  store_le(out + 16, t.v[2] >> 26 | t.v[3] << 25);
  store_le(out + 24, t.v[3] >> 39 | t.v[4] << 12);
  wipe(&t, sizeof t);
}

[[gnu::always_inline]] inline void fe_add(Fe51 &out, const Fe51 &a, const Fe51 &b) {
  for (size_t i = 0; i < 5; ++i) out.v[i] = a.v[i] + b.v[i];
}

// Adds 2p first, so that no limb goes below zero; b comes out of a multiplication.
[[gnu::always_inline]] inline void fe_sub(Fe51 &out, const Fe51 &a, const Fe51 &b) {
  constexpr uint64_t kTwoP0 = 2 * (kLimbMask - 18);
  constexpr uint64_t kTwoP = 2 * kLimbMask;
  out.v[0] = a.v[0] + kTwoP0 - b.v[0];
  for (size_t i = 1; i < 5; ++i) out.v[i] = a.v[i] + kTwoP - b.v[i];
}

[[gnu::always_inline]] inline void fe_reduce(Fe51 &out, Wide t0, Wide t1, Wide t2, Wide t3,
                                             Wide t4) {
  t1 += static_cast<uint64_t>(t0 >> 51);
  t2 += static_cast<uint64_t>(t1 >> 51);
  t3 += static_cast<uint64_t>(t2 >> 51);
  t4 += static_cast<uint64_t>(t3 >> 51);
  uint64_t v0 = (static_cast<uint64_t>(t0) & kLimbMask) + 19 * static_cast<uint64_t>(t4 >> 51);
  out.v[1] = (static_cast<uint64_t>(t1) & kLimbMask) + (v0 >> 51);
  out.v[0] = v0 & kLimbMask;
  out.v[2] = static_cast<uint64_t>(t2) & kLimbMask;
  out.v[3] = static_cast<uint64_t>(t3) & kLimbMask;
  out.v[4] = static_cast<uint64_t>(t4) & kLimbMask;
}

// out may be a or b, here and below. Not inlined: the ladder would grow by 20 copies.
[[gnu::noinline]] void fe_mul(Fe51 &out, const Fe51 &a, const Fe51 &b) {
  const uint64_t a0 = a.v[0], a1 = a.v[1], a2 = a.v[2], a3 = a.v[3], a4 = a.v[4];
  const uint64_t b0 = b.v[0], b1 = b.v[1], b2 = b.v[2], b3 = b.v[3], b4 = b.v[4];
  // Products at 2^255 and above come back times 19.
  const uint64_t c1 = 19 * b1, c2 = 19 * b2, c3 = 19 * b3, c4 = 19 * b4;
  fe_reduce(out, mul(a0, b0) + mul(a1, c4) + mul(a2, c3) + mul(a3, c2) + mul(a4, c1),
            mul(a0, b1) + mul(a1, b0) + mul(a2, c4) + mul(a3, c3) + mul(a4, c2),
            mul(a0, b2) + mul(a1, b1) + mul(a2, b0) + mul(a3, c4) + mul(a4, c3),
            mul(a0, b3) + mul(a1, b2) + mul(a2, b1) + mul(a3, b0) + mul(a4, c4),
            mul(a0, b4) + mul(a1, b3) + mul(a2, b2) + mul(a3, b1) + mul(a4, b0));
}

[[gnu::noinline]] void fe_square(Fe51 &out, const Fe51 &a) {
  const uint64_t a0 = a.v[0], a1 = a.v[1], a2 = a.v[2], a3 = a.v[3], a4 = a.v[4];
  const uint64_t d0 = 2 * a0, d1 = 2 * a1, d2 = 2 * a2;
  const uint64_t c3 = 19 * a3, c4 = 19 * a4;
  fe_reduce(out, mul(a0, a0) + mul(d1, c4) + mul(d2, c3), mul(d0, a1) + mul(d2, c4) + mul(a3, c3),
            mul(d0, a2) + mul(a1, a1) + mul(2 * a3, c4), mul(d0, a3) + mul(d1, a2) + mul(a4, c4),
            mul(d0, a4) + mul(d1, a3) + mul(a2, a2));
}

[[gnu::always_inline]] inline void fe_mul_small(Fe51 &out, const Fe51 &a, uint32_t n) {
  fe_reduce(out, mul(a.v[0], n), mul(a.v[1], n), mul(a.v[2], n), mul(a.v[3], n), mul(a.v[4], n));
}

// a when mask is zero, b when it is all ones.
[[gnu::always_inline]] inline void fe_select(Fe51 &out, const Fe51 &a, const Fe51 &b,
                                             uint64_t mask) {
  for (size_t i = 0; i < 5; ++i) out.v[i] = a.v[i] ^ ((a.v[i] ^ b.v[i]) & mask);
}

}  // namespace
}  // namespace wg
