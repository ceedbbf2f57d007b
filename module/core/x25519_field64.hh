// SPDX-License-Identifier: GPL-2.0
// Arithmetic modulo p = 2^255 - 19 in four 64-bit words, with the instructions of BMI2 and ADX: a
// multiplication that leaves the flags alone, and two chains of carries at once. Compilers make
// neither. Part of x25519.cc, and included by nothing else in the core.
//
// Bounds: mul, square and mul_small leave a value under 2^255 + 2^23, load one under 2^255; these
// are what add, sub and store take. add and sub leave any value under 2^256, which mul, square and
// mul_small take. 2^256 = 38 and 2^255 = 19 modulo p.
#pragma once

#include "base.hh"

namespace wg {
namespace {

// clang-format off

// The first row of a product, from the word of b that is in rdx: r0 to r4 = a * b[0].
#define WGPP_FIRST_ROW                  \
  "mulxq  0(%[a]), %[r0], %[r1]\n\t"    \
  "mulxq  8(%[a]), %[lo], %[r2]\n\t"    \
  "addq   %[lo], %[r1]\n\t"             \
  "mulxq  16(%[a]), %[lo], %[r3]\n\t"   \
  "adcq   %[lo], %[r2]\n\t"             \
  "mulxq  24(%[a]), %[lo], %[r4]\n\t"   \
  "adcq   %[lo], %[r3]\n\t"             \
  "adcq   $0, %[r4]\n\t"

// Row I of a product, from the word of b that is in rdx: r[I] to r[I + 4] += a * b[I]. The last
// of them is new. CF carries the lower halves, OF the upper ones; mov leaves both alone.
#define WGPP_ROW(r0, r1, r2, r3, r4)      \
  "xorl   %k[hi], %k[hi]\n\t"             \
  "mulxq  0(%[a]), %[lo], %[hi]\n\t"      \
  "adcxq  %[lo], %[" r0 "]\n\t"           \
  "adoxq  %[hi], %[" r1 "]\n\t"           \
  "mulxq  8(%[a]), %[lo], %[hi]\n\t"      \
  "adcxq  %[lo], %[" r1 "]\n\t"           \
  "adoxq  %[hi], %[" r2 "]\n\t"           \
  "mulxq  16(%[a]), %[lo], %[hi]\n\t"     \
  "adcxq  %[lo], %[" r2 "]\n\t"           \
  "adoxq  %[hi], %[" r3 "]\n\t"           \
  "mulxq  24(%[a]), %[lo], %[" r4 "]\n\t" \
  "movl   $0, %k[hi]\n\t"                 \
  "adcxq  %[lo], %[" r3 "]\n\t"           \
  "adoxq  %[hi], %[" r4 "]\n\t"           \
  "adcxq  %[hi], %[" r4 "]\n\t"

// The value in r0 to r4, where r4 has n bits, to r0 to r3, under 2^255 + 19 * 2^(n + 1).
#define WGPP_FOLD_TOP             \
  "addq   %[r3], %[r3]\n\t"       \
  "adcq   %[r4], %[r4]\n\t"       \
  "shrq   $1, %[r3]\n\t"          \
  "imulq  $19, %[r4], %[r4]\n\t"  \
  "addq   %[r4], %[r0]\n\t"       \
  "adcq   $0, %[r1]\n\t"          \
  "adcq   $0, %[r2]\n\t"          \
  "adcq   $0, %[r3]\n\t"

// The product in r0 to r7 to r0 to r3, by way of r4 under 39.
#define WGPP_REDUCE               \
  "movl   $38, %%edx\n\t"         \
  "xorl   %k[hi], %k[hi]\n\t"     \
  "mulxq  %[r4], %[lo], %[hi]\n\t"\
  "adcxq  %[lo], %[r0]\n\t"       \
  "adoxq  %[hi], %[r1]\n\t"       \
  "mulxq  %[r5], %[lo], %[hi]\n\t"\
  "adcxq  %[lo], %[r1]\n\t"       \
  "adoxq  %[hi], %[r2]\n\t"       \
  "mulxq  %[r6], %[lo], %[hi]\n\t"\
  "adcxq  %[lo], %[r2]\n\t"       \
  "adoxq  %[hi], %[r3]\n\t"       \
  "mulxq  %[r7], %[lo], %[r4]\n\t"\
  "movl   $0, %k[hi]\n\t"         \
  "adcxq  %[lo], %[r3]\n\t"       \
  "adoxq  %[hi], %[r4]\n\t"       \
  "adcxq  %[hi], %[r4]\n\t" WGPP_FOLD_TOP

// clang-format on

struct Fe64 {
  uint64_t v[4];
};

inline void fe_load(Fe64 &out, const uint8_t *p) {
  for (size_t i = 0; i < 4; ++i) out.v[i] = load_le<uint64_t>(p + 8 * i);
  out.v[3] &= ~uint64_t{0} >> 1;
}

// a when mask is zero, b when it is all ones.
[[gnu::always_inline]] inline void fe_select(Fe64 &out, const Fe64 &a, const Fe64 &b,
                                             uint64_t mask) {
  for (size_t i = 0; i < 4; ++i) out.v[i] = a.v[i] ^ ((a.v[i] ^ b.v[i]) & mask);
}

// Writes the canonical value.
inline void fe_store(uint8_t *out, const Fe64 &a) {
  Fe64 t = a;
  // Bit 255 is worth 19; where it is set, little is left below it. Then t is p or more exactly when
  // t + 19 reaches 2^255, and is t - p but for that bit.
  uint64_t carry = 19 * (t.v[3] >> 63);
  t.v[3] &= ~uint64_t{0} >> 1;
  t.v[0] += carry;
  Fe64 u = t;
  carry = 19;
  for (uint64_t &word : u.v) carry = __builtin_add_overflow(word, carry, &word) ? 1 : 0;
  const uint64_t mask = opaque(0 - (u.v[3] >> 63));
  u.v[3] &= ~uint64_t{0} >> 1;
  fe_select(t, t, u, mask);
  for (size_t i = 0; i < 4; ++i) store_le(out + 8 * i, t.v[i]);
  wipe(&t, sizeof t);
  wipe(&u, sizeof u);
}

// A sum of 2^256 or more leaves almost nothing in the words: 38 more do not carry.
[[gnu::always_inline]] inline void fe_add(Fe64 &out, const Fe64 &a, const Fe64 &b) {
  uint64_t r0 = a.v[0], r1 = a.v[1], r2 = a.v[2], r3 = a.v[3], over;
  __asm__(
      "addq   0(%[b]), %[r0]\n\t"
      "adcq   8(%[b]), %[r1]\n\t"
      "adcq   16(%[b]), %[r2]\n\t"
      "adcq   24(%[b]), %[r3]\n\t"
      "sbbq   %[over], %[over]\n\t"
      "andl   $38, %k[over]\n\t"
      "addq   %[over], %[r0]"
      : [r0] "+&r"(r0), [r1] "+&r"(r1), [r2] "+&r"(r2), [r3] "+&r"(r3), [over] "=&r"(over)
      : [b] "r"(b.v), "m"(b)
      : "cc");
  out = {{r0, r1, r2, r3}};
}

// A difference below zero is at least -2^255 - 2^23, and so is far above zero when 2p are added.
[[gnu::always_inline]] inline void fe_sub(Fe64 &out, const Fe64 &a, const Fe64 &b) {
  uint64_t r0 = a.v[0], r1 = a.v[1], r2 = a.v[2], r3 = a.v[3], under;
  __asm__(
      "subq   0(%[b]), %[r0]\n\t"
      "sbbq   8(%[b]), %[r1]\n\t"
      "sbbq   16(%[b]), %[r2]\n\t"
      "sbbq   24(%[b]), %[r3]\n\t"
      "sbbq   %[under], %[under]\n\t"
      "andl   $38, %k[under]\n\t"
      "subq   %[under], %[r0]\n\t"
      "sbbq   $0, %[r1]\n\t"
      "sbbq   $0, %[r2]\n\t"
      "sbbq   $0, %[r3]"
      : [r0] "+&r"(r0), [r1] "+&r"(r1), [r2] "+&r"(r2), [r3] "+&r"(r3), [under] "=&r"(under)
      : [b] "r"(b.v), "m"(b)
      : "cc");
  out = {{r0, r1, r2, r3}};
}

[[gnu::always_inline]] inline void fe_mul(Fe64 &out, const Fe64 &a, const Fe64 &b) {
  uint64_t r0, r1, r2, r3, r4, r5, r6, r7, lo, hi;
  // clang-format off
  __asm__(
      "movq   0(%[b]), %%rdx\n\t"
      WGPP_FIRST_ROW
      "movq   8(%[b]), %%rdx\n\t"
      WGPP_ROW("r1", "r2", "r3", "r4", "r5")
      "movq   16(%[b]), %%rdx\n\t"
      WGPP_ROW("r2", "r3", "r4", "r5", "r6")
      "movq   24(%[b]), %%rdx\n\t"
      WGPP_ROW("r3", "r4", "r5", "r6", "r7")
      WGPP_REDUCE
      // clang-format on
      : [r0] "=&r"(r0), [r1] "=&r"(r1), [r2] "=&r"(r2), [r3] "=&r"(r3), [r4] "=&r"(r4),
        [r5] "=&r"(r5), [r6] "=&r"(r6), [r7] "=&r"(r7), [lo] "=&r"(lo), [hi] "=&r"(hi)
      : [a] "r"(a.v), [b] "r"(b.v), "m"(a), "m"(b)
      : "rdx", "cc");
  out = {{r0, r1, r2, r3}};
}

[[gnu::always_inline]] inline void fe_square(Fe64 &out, const Fe64 &a) {
  uint64_t r0, r1, r2, r3, r4, r5, r6, r7, lo, hi;
  __asm__(
      // Each product of two different words once,
      "movq   0(%[a]), %%rdx\n\t"
      "mulxq  8(%[a]), %[r1], %[r2]\n\t"
      "mulxq  16(%[a]), %[lo], %[r3]\n\t"
      "addq   %[lo], %[r2]\n\t"
      "mulxq  24(%[a]), %[lo], %[r4]\n\t"
      "adcq   %[lo], %[r3]\n\t"
      "adcq   $0, %[r4]\n\t"
      "movq   8(%[a]), %%rdx\n\t"
      "xorl   %k[r7], %k[r7]\n\t"
      "mulxq  16(%[a]), %[lo], %[hi]\n\t"
      "adcxq  %[lo], %[r3]\n\t"
      "adoxq  %[hi], %[r4]\n\t"
      "mulxq  24(%[a]), %[lo], %[r5]\n\t"
      "adcxq  %[lo], %[r4]\n\t"
      "adoxq  %[r7], %[r5]\n\t"
      "movq   16(%[a]), %%rdx\n\t"
      "mulxq  24(%[a]), %[lo], %[r6]\n\t"
      "adcxq  %[lo], %[r5]\n\t"
      "adcxq  %[r7], %[r6]\n\t"
      // these doubled, and the squares of the words.
      "xorl   %k[hi], %k[hi]\n\t"
      "movq   0(%[a]), %%rdx\n\t"
      "mulxq  %%rdx, %[r0], %[hi]\n\t"
      "adcxq  %[r1], %[r1]\n\t"
      "adoxq  %[hi], %[r1]\n\t"
      "movq   8(%[a]), %%rdx\n\t"
      "mulxq  %%rdx, %[lo], %[hi]\n\t"
      "adcxq  %[r2], %[r2]\n\t"
      "adoxq  %[lo], %[r2]\n\t"
      "adcxq  %[r3], %[r3]\n\t"
      "adoxq  %[hi], %[r3]\n\t"
      "movq   16(%[a]), %%rdx\n\t"
      "mulxq  %%rdx, %[lo], %[hi]\n\t"
      "adcxq  %[r4], %[r4]\n\t"
      "adoxq  %[lo], %[r4]\n\t"
      "adcxq  %[r5], %[r5]\n\t"
      "adoxq  %[hi], %[r5]\n\t"
      "movq   24(%[a]), %%rdx\n\t"
      "mulxq  %%rdx, %[lo], %[hi]\n\t"
      "adcxq  %[r6], %[r6]\n\t"
      "adoxq  %[lo], %[r6]\n\t"
      "adcxq  %[hi], %[r7]\n\t"
      "movl   $0, %k[lo]\n\t"
      "adoxq  %[lo], %[r7]\n\t" WGPP_REDUCE
      : [r0] "=&r"(r0), [r1] "=&r"(r1), [r2] "=&r"(r2), [r3] "=&r"(r3), [r4] "=&r"(r4),
        [r5] "=&r"(r5), [r6] "=&r"(r6), [r7] "=&r"(r7), [lo] "=&r"(lo), [hi] "=&r"(hi)
      : [a] "r"(a.v), "m"(a)
      : "rdx", "cc");
  out = {{r0, r1, r2, r3}};
}

// n is under 2^17.
[[gnu::always_inline]] inline void fe_mul_small(Fe64 &out, const Fe64 &a, uint32_t n) {
  uint64_t r0, r1, r2, r3, r4, lo;
  __asm__(WGPP_FIRST_ROW WGPP_FOLD_TOP
          : [r0] "=&r"(r0), [r1] "=&r"(r1), [r2] "=&r"(r2), [r3] "=&r"(r3), [r4] "=&r"(r4),
            [lo] "=&r"(lo)
          : [a] "r"(a.v), "d"(uint64_t{n}), "m"(a)
          : "cc");
  out = {{r0, r1, r2, r3}};
}

#undef WGPP_FIRST_ROW
#undef WGPP_ROW
#undef WGPP_FOLD_TOP
#undef WGPP_REDUCE

}  // namespace
}  // namespace wg
