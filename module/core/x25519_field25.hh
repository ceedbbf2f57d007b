// SPDX-License-Identifier: GPL-2.0
// Arithmetic modulo p = 2^255 - 19 in ten limbs of 26 and 25 bits in turn, with a 32x32->64
// multiply: for targets without 64x64->128. Part of x25519.cc, and included by nothing else.
//
// Limb i stands at 2^ceil(25.5 * i). The product of two odd limbs lies one bit above the limb
// it belongs to, hence a factor of 2 there; at 2^255 and above a factor of 19 comes in.
//
// Bounds: mul, square and mul_small leave even limbs under 2^26 and odd ones under 2^25 + 2^17;
// add doubles that, sub stays under three times that. The ten products of two such
// sums, with their factors, stay under 2^63.
#pragma once

#include "base.hh"

namespace wg {
namespace {

struct Fe25 {
  uint32_t v[10];
};

constexpr unsigned limb_bits(size_t i) {
  return i % 2 == 0 ? 26 : 25;
}
constexpr unsigned limb_offset(size_t i) {
  return static_cast<unsigned>((51 * i + 1) / 2);
}
constexpr uint32_t limb_mask(size_t i) {
  return (uint32_t{1} << limb_bits(i)) - 1;
}

// RFC 7748, 5: the top bit is ignored, values of p and above are taken as they are.
inline void fe_load(Fe25 &out, const uint8_t *p) {
  for (size_t i = 0; i < 10; ++i) {
    const unsigned bit = limb_offset(i);
    out.v[i] = load_le<uint32_t>(p + bit / 8) >> bit % 8 & limb_mask(i);
  }
}

// Carries from limb to limb and returns what leaves the top one.
template <typename T>
[[gnu::always_inline]] inline T carry_up(T (&v)[10]) {
  for (size_t i = 0; i < 9; ++i) {
    v[i + 1] += v[i] >> limb_bits(i);
    v[i] &= limb_mask(i);
  }
  const T carry = v[9] >> limb_bits(9);
  v[9] &= limb_mask(9);
  return carry;
}

// Writes the canonical value.
inline void fe_store(uint8_t *out, const Fe25 &a) {
  Fe25 t = a;
  t.v[0] += 19 * carry_up(t.v);
  t.v[0] += 19 * carry_up(t.v);
  // Now t < 2^255 + a little. It is p or more exactly when t + 19 reaches 2^255; then adding 19
  // and dropping 2^255 subtracts p.
  uint32_t carry = 19;
  for (size_t i = 0; i < 10; ++i) carry = (t.v[i] + carry) >> limb_bits(i);
  t.v[0] += 19 * carry;
  (void)carry_up(t.v);

  uint64_t bits = 0;
  unsigned num_bits = 0;
  uint8_t *next = out;
  for (size_t i = 0; i < 10; ++i) {
    bits |= uint64_t{t.v[i]} << num_bits;
    for (num_bits += limb_bits(i); num_bits >= 8; num_bits -= 8, bits >>= 8)
      *next++ = static_cast<uint8_t>(bits);
  }
  *next = static_cast<uint8_t>(bits);
  wipe(&t, sizeof t);
}

[[gnu::always_inline]] inline void fe_add(Fe25 &out, const Fe25 &a, const Fe25 &b) {
  for (size_t i = 0; i < 10; ++i) out.v[i] = a.v[i] + b.v[i];
}

// Adds 2p first, so that no limb goes below zero; b comes out of a multiplication.
[[gnu::always_inline]] inline void fe_sub(Fe25 &out, const Fe25 &a, const Fe25 &b) {
  for (size_t i = 0; i < 10; ++i) {
    const uint32_t two_p = 2 * (limb_mask(i) - (i == 0 ? 18 : 0));
    out.v[i] = a.v[i] + two_p - b.v[i];
  }
}

[[gnu::always_inline]] inline void fe_reduce(Fe25 &out, uint64_t (&t)[10]) {
  t[0] += 19 * carry_up(t);
  t[1] += t[0] >> limb_bits(0);
  t[0] &= limb_mask(0);
  for (size_t i = 0; i < 10; ++i) out.v[i] = static_cast<uint32_t>(t[i]);
}

// out may be a or b, here and below. Not inlined: the ladder would grow by 20 copies.
[[gnu::noinline]] void fe_mul(Fe25 &out, const Fe25 &a, const Fe25 &b) {
  uint64_t t[10] = {};
  for (size_t i = 0; i < 10; ++i) {
    for (size_t j = 0; j < 10; ++j) {
      const uint32_t factor = (i % 2 != 0 && j % 2 != 0 ? 2 : 1) * (i + j >= 10 ? 19 : 1);
      t[(i + j) % 10] += uint64_t{a.v[i]} * b.v[j] * factor;
    }
  }
  fe_reduce(out, t);
  wipe(t, sizeof t);
}

[[gnu::always_inline]] inline void fe_square(Fe25 &out, const Fe25 &a) {
  fe_mul(out, a, a);
}

[[gnu::always_inline]] inline void fe_mul_small(Fe25 &out, const Fe25 &a, uint32_t n) {
  uint64_t t[10];
  for (size_t i = 0; i < 10; ++i) t[i] = uint64_t{a.v[i]} * n;
  fe_reduce(out, t);
}

// a when mask is zero, b when it is all ones.
[[gnu::always_inline]] inline void fe_select(Fe25 &out, const Fe25 &a, const Fe25 &b,
                                             uint64_t mask) {
  for (size_t i = 0; i < 10; ++i)
    out.v[i] = a.v[i] ^ ((a.v[i] ^ b.v[i]) & static_cast<uint32_t>(mask));
}

}  // namespace
}  // namespace wg
