// SPDX-License-Identifier: GPL-2.0
// Eight scalar multiplications beside one another, one in each lane of a register of 512 bits:
// arithmetic modulo p = 2^255 - 19 in five limbs of 51 bits, with a multiply-add that takes 52 bits
// of each factor and either half of the product. Part of ifma_simd.cc.
//
// That instruction is the includer's, so that the arithmetic can be tested without it:
//
//   Mul::add_low(sum, a, b)     sum += (a mod 2^52) * (b mod 2^52) mod 2^52
//   Mul::add_high(sum, a, b)    sum += (a mod 2^52) * (b mod 2^52) / 2^52
//
// Bounds: every limb is under 2^51 + 2^15 wherever a function ends; add and sub carry, as a sum of
// two would have more than 52 bits.
#pragma once

#include "x25519.hh"
#include "x25519_ladder.hh"

namespace wg {
namespace {  // NOLINT(google-build-namespaces): as in x25519_ladder.hh

constexpr size_t kWordsPerKey = kX25519KeyLen / sizeof(uint64_t);

using Lanes = uint64_t __attribute__((vector_size(8 * kX25519BatchMax)));

// One element of the field in each lane.
template <typename Mul>
struct Fe8 {
  Lanes v[5];
};

// A word of a key in each lane.
struct KeyWords {
  uint64_t v[kWordsPerKey][kX25519BatchMax];
};

// What X25519Batch has room for.
template <typename Mul>
struct BatchWork {
  Ladder<Fe8<Mul>> ladder;
  KeyWords scalar;
  KeyWords words;
};

[[gnu::always_inline]] inline void load_lanes(Lanes &out, const uint64_t *in) {
  copy(&out, in, sizeof out);
}

constexpr uint64_t kLaneMask = (uint64_t{1} << 51) - 1;

// Each limb's carry goes to the next one, all at once, and the top one's comes back times 19: from
// under 2^61 to under 2^51 + 2^15.
[[gnu::always_inline]] inline void carry_lanes(Lanes *v) {
  const Lanes top = v[4] >> 51;
#pragma GCC unroll 4
  for (size_t i = 4; i > 0; --i) v[i] = (v[i] & kLaneMask) + (v[i - 1] >> 51);
  v[0] = (v[0] & kLaneMask) + top + (top << 1) + (top << 4);
}

// RFC 7748, 5: the top bit is ignored, values of p and above are taken as they are.
template <typename Mul>
[[gnu::noinline]] void fe_load(Fe8<Mul> &out, const KeyWords &in) {
  Lanes w[kWordsPerKey];
  for (size_t i = 0; i < kWordsPerKey; ++i) load_lanes(w[i], in.v[i]);
  out.v[0] = w[0] & kLaneMask;
  out.v[1] = (w[0] >> 51 | w[1] << 13) & kLaneMask;
  out.v[2] = (w[1] >> 38 | w[2] << 26) & kLaneMask;
  out.v[3] = (w[2] >> 25 | w[3] << 39) & kLaneMask;
  out.v[4] = w[3] >> 12 & kLaneMask;
}

// Writes the canonical value, and changes a.
template <typename Mul>
[[gnu::noinline]] void fe_store(KeyWords &out, Fe8<Mul> &a) {
  Lanes(&v)[5] = a.v;
  // One carry after the other, and the top one's back to the lowest limb.
  for (size_t i = 0; i < 4; ++i) {
    v[i + 1] += v[i] >> 51;
    v[i] &= kLaneMask;
  }
  const Lanes top = v[4] >> 51;
  v[4] &= kLaneMask;
  v[0] += top + (top << 1) + (top << 4);
  // Now a < 2^255, of which the lowest limb may have more than its bits. It is p or more exactly
  // when a + 19 reaches 2^255; then adding 19 and dropping 2^255 subtracts p.
  Lanes carry = (v[0] + 19) >> 51;
  for (size_t i = 1; i < 5; ++i) carry = (v[i] + carry) >> 51;
  v[0] += carry + (carry << 1) + (carry << 4);
  for (size_t i = 0; i < 4; ++i) {
    v[i + 1] += v[i] >> 51;
    v[i] &= kLaneMask;
  }
  v[4] &= kLaneMask;
  const Lanes words[kWordsPerKey] = {v[0] | v[1] << 51, v[1] >> 13 | v[2] << 38,
                                     v[2] >> 26 | v[3] << 25, v[3] >> 39 | v[4] << 12};
  copy(out.v, words, sizeof words);
}

// out may be a or b, here and below. Each function has what it works on in registers and leaves
// nothing on the stack; in one piece the ladder would not.
template <typename Mul>
[[gnu::noinline]] void fe_add(Fe8<Mul> &out, const Fe8<Mul> &a, const Fe8<Mul> &b) {
  Lanes t[5];
#pragma GCC unroll 5
  for (size_t i = 0; i < 5; ++i) t[i] = a.v[i] + b.v[i];
  carry_lanes(t);
#pragma GCC unroll 5
  for (size_t i = 0; i < 5; ++i) out.v[i] = t[i];
}

// Adds 2p first, so that no limb goes below zero.
template <typename Mul>
[[gnu::noinline]] void fe_sub(Fe8<Mul> &out, const Fe8<Mul> &a, const Fe8<Mul> &b) {
  Lanes t[5];
#pragma GCC unroll 5
  for (size_t i = 0; i < 5; ++i) t[i] = a.v[i] + 2 * (kLaneMask - (i == 0 ? 18 : 0)) - b.v[i];
  carry_lanes(t);
#pragma GCC unroll 5
  for (size_t i = 0; i < 5; ++i) out.v[i] = t[i];
}

// Ten limbs, each under 2^56: what stands at 2^255 and above comes back times 19.
template <typename Mul>
[[gnu::always_inline]] inline void fe_reduce(Fe8<Mul> &out, Lanes *t) {
#pragma GCC unroll 5
  for (size_t i = 0; i < 5; ++i) t[i] += t[i + 5] + (t[i + 5] << 1) + (t[i + 5] << 4);
  carry_lanes(t);
#pragma GCC unroll 5
  for (size_t i = 0; i < 5; ++i) out.v[i] = t[i];
}

[[gnu::always_inline]] inline void double_all(Lanes *t) {
#pragma GCC unroll 10
  for (size_t i = 0; i < 10; ++i) t[i] += t[i];
}

// An upper half stands at 2^(51 k + 52), one bit above the limb that it belongs to: these are
// added first, and doubled.
//
// Everything is in registers. AddressSanitizer's checks of the operands, which are fixed, would be
// calls in between, with all of it on a kernel's stack.
template <typename Mul>
[[gnu::noinline, gnu::no_sanitize_address]] void fe_mul(Fe8<Mul> &out, const Fe8<Mul> &a,
                                                        const Fe8<Mul> &b) {
  Lanes t[10] = {};
#pragma GCC unroll 5
  for (size_t i = 0; i < 5; ++i) {
#pragma GCC unroll 5
    for (size_t j = 0; j < 5; ++j) Mul::add_high(t[i + j + 1], a.v[i], b.v[j]);
  }
  double_all(t);
#pragma GCC unroll 5
  for (size_t i = 0; i < 5; ++i) {
#pragma GCC unroll 5
    for (size_t j = 0; j < 5; ++j) Mul::add_low(t[i + j], a.v[i], b.v[j]);
  }
  fe_reduce(out, t);
}

// The same, where products of different limbs come twice. Doubled limbs would have too many bits
// to be multiplied.
template <typename Mul>
[[gnu::noinline, gnu::no_sanitize_address]] void fe_square(Fe8<Mul> &out, const Fe8<Mul> &a) {
  Lanes t[10] = {};
#pragma GCC unroll 4
  for (size_t i = 0; i < 4; ++i) {
#pragma GCC unroll 4
    for (size_t j = i + 1; j < 5; ++j) Mul::add_high(t[i + j + 1], a.v[i], a.v[j]);
  }
  double_all(t);
#pragma GCC unroll 5
  for (size_t i = 0; i < 5; ++i) Mul::add_high(t[2 * i + 1], a.v[i], a.v[i]);
#pragma GCC unroll 4
  for (size_t i = 0; i < 4; ++i) {
#pragma GCC unroll 4
    for (size_t j = i + 1; j < 5; ++j) Mul::add_low(t[i + j], a.v[i], a.v[j]);
  }
  double_all(t);
#pragma GCC unroll 5
  for (size_t i = 0; i < 5; ++i) Mul::add_low(t[2 * i], a.v[i], a.v[i]);
  fe_reduce(out, t);
}

// n is less than 2^17.
template <typename Mul>
[[gnu::noinline]] void fe_mul_small(Fe8<Mul> &out, const Fe8<Mul> &a, uint32_t n) {
  const Lanes factor = Lanes{} + n;
  Lanes t[10] = {};
#pragma GCC unroll 5
  for (size_t i = 0; i < 5; ++i) Mul::add_high(t[i + 1], a.v[i], factor);
  double_all(t);
#pragma GCC unroll 5
  for (size_t i = 0; i < 5; ++i) Mul::add_low(t[i], a.v[i], factor);
  fe_reduce(out, t);
}

// a where mask is zero, b where it is all ones.
template <typename Mul>
[[gnu::always_inline]] inline void fe_select(Fe8<Mul> &out, const Fe8<Mul> &a, const Fe8<Mul> &b,
                                             const Lanes &mask) {
#pragma GCC unroll 5
  for (size_t i = 0; i < 5; ++i) out.v[i] = a.v[i] ^ ((a.v[i] ^ b.v[i]) & mask);
}

// As in x25519.cc, with a bit of its own in each lane.
template <typename Mul>
[[gnu::noinline]] void climb(Ladder<Fe8<Mul>> &l, const KeyWords &scalar) {
  Lanes last = {};
  for (size_t i = 255; i-- != 0;) {
    Lanes bit;
    load_lanes(bit, scalar.v[i / 64]);
    bit = bit >> i % 64 & 1;
    const Lanes mask = -(last ^ bit);
    last = bit;
    ladder_step<false>(l, mask);
  }
}

// A lane that nobody asked for computes what the first one does.
inline void gather(KeyWords &out, const uint8_t *const (&keys)[kX25519BatchMax], size_t num) {
  for (size_t lane = 0; lane < kX25519BatchMax; ++lane) {
    const uint8_t *key = keys[lane < num ? lane : 0];
    for (size_t i = 0; i < kWordsPerKey; ++i) out.v[i][lane] = load_le<uint64_t>(key + 8 * i);
  }
}

template <typename Mul>
void multiply_eight(X25519Batch &batch, size_t num) {
  static_assert(sizeof(BatchWork<Mul>) <= sizeof batch.work);
  static_assert(alignof(BatchWork<Mul>) <= alignof(X25519Batch));
  auto &work = reinterpret_cast<BatchWork<Mul> &>(batch.work);
  auto &l = work.ladder;
  gather(work.scalar, batch.scalar, num);
  // x25519_clamp() for all.
  for (size_t lane = 0; lane < kX25519BatchMax; ++lane) {
    work.scalar.v[0][lane] &= ~uint64_t{7};
    work.scalar.v[3][lane] &= ~uint64_t{0} >> 1;
    work.scalar.v[3][lane] |= uint64_t{1} << 62;
  }
  gather(work.words, batch.point, num);
  fe_load(l.x1, work.words);
  l.x2 = {{Lanes{} + 1}};
  l.z2 = {};
  l.x3 = l.x1;
  l.z3 = l.x2;
  climb(l, work.scalar);
  invert(l.z2, l.a, l.b, l.c);
  multiply_far(l.x2, l.x2, l.z2);
  fe_store(work.words, l.x2);
  for (size_t lane = 0; lane < num; ++lane) {
    for (size_t i = 0; i < kWordsPerKey; ++i)
      store_le(batch.out[lane] + 8 * i, work.words.v[i][lane]);
  }
  wipe(&work, sizeof work);
}

}  // namespace
}  // namespace wg
