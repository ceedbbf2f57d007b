// SPDX-License-Identifier: GPL-2.0
// Poly1305's arithmetic in 64-bit words, for targets that multiply 64x64 to 128 bits.
#pragma once

#include "base.hh"

namespace wg {

__extension__ typedef unsigned __int128 Wide;

// The accumulator is h0 + h1 * 2^64 + h2 * 2^128, where h2 is at most 4 between blocks. Clamping
// clears the top four bits of both halves of r and the low two of the upper half, so sums of two
// products have room and r1 * 2^128 = (r1 / 4) * 2^130 = 5 * (r1 / 4) modulo 2^130 - 5 is exact.
struct Poly1305Word {
  uint64_t r0, r1;
  uint64_t h0, h1, h2;

  // A 128-bit sum kept as two words. g++ spills a chain of __int128 additions to the stack, and
  // makes add and adc of this (2.1 against 1.1 cycles a byte).
  struct Sum {
    uint64_t lo, hi;

    [[gnu::always_inline]] Sum(uint64_t a, uint64_t b) {
      const Wide product = Wide{a} * b;
      lo = static_cast<uint64_t>(product);
      hi = static_cast<uint64_t>(product >> 64);
    }
    [[gnu::always_inline]] void add(uint64_t a) {
      lo += a;
      hi += lo < a;
    }
    [[gnu::always_inline]] void add_product(uint64_t a, uint64_t b) {
      const Sum product(a, b);
      lo += product.lo;
      hi += product.hi + (lo < product.lo);
    }
  };

  // Adds b to a and returns the carry.
  [[gnu::always_inline]] static uint64_t add_carry(uint64_t &a, uint64_t b) {
    a += b;
    return a < b;
  }

  // key: 16 bytes, r before it is clamped.
  [[gnu::always_inline]] void begin(const uint8_t *key) {
    r0 = load_le<uint64_t>(key) & 0x0ffffffc0fffffff;
    r1 = load_le<uint64_t>(key + 8) & 0x0ffffffc0ffffffc;
    h0 = h1 = h2 = 0;
  }

  // Adds the block (lo, hi) with its bit 128 and multiplies by r.
  [[gnu::always_inline]] void block(uint64_t lo, uint64_t hi, uint64_t top_bit) {
    const uint64_t s1 = r1 + (r1 >> 2);
    uint64_t carry = add_carry(h0, lo);
    carry = add_carry(h1, carry);
    carry += add_carry(h1, hi);
    h2 += carry + top_bit;

    // h2 is at most 6 here: its products fit 64 bits.
    Sum d0(h0, r0);
    d0.add_product(h1, s1);
    Sum d1(h0, r1);
    d1.add_product(h1, r0);
    d1.add(h2 * s1);
    d1.add(d0.hi);
    const uint64_t d2 = h2 * r0 + d1.hi;

    // Fold what lies above 2^130 back in: 4 * x at 2^128 becomes 5 * x.
    h0 = d0.lo;
    h1 = d1.lo;
    carry = add_carry(h0, (d2 >> 2) + (d2 & ~uint64_t{3}));
    h2 = (d2 & 3) + add_carry(h1, carry);
  }

  [[gnu::always_inline]] void block(const uint8_t *in) {
#if defined(__x86_64__) && defined(__BMI2__) && !defined(WGPP_MEMORY_SANITIZER)
    // The same, as compilers do not write it: 31 instructions, g++ has 65 and clang 46.
    const uint64_t s1 = r1 + (r1 >> 2);
    uint64_t a0;
    uint64_t a1;
    uint64_t b0;
    uint64_t b1;
    uint64_t t0;
    uint64_t t1;
    __asm__(
        "addq   %[in0], %[h0]\n\t"
        "adcq   %[in1], %[h1]\n\t"
        "adcq   $1, %[h2]\n\t"
        "movq   %[r0], %%rdx\n\t"
        "mulxq  %[h0], %[a0], %[a1]\n\t"
        "mulxq  %[h1], %[b0], %[b1]\n\t"
        "movq   %[r1], %%rdx\n\t"
        "mulxq  %[h0], %[t0], %[t1]\n\t"
        "movq   %[s1], %%rdx\n\t"
        "mulxq  %[h1], %[h0], %[h1]\n\t"
        "addq   %[t0], %[b0]\n\t"
        "adcq   %[t1], %[b1]\n\t"
        "movq   %[h2], %[t0]\n\t"
        "imulq  %[s1], %[t0]\n\t"
        "imulq  %[r0], %[h2]\n\t"
        "addq   %[a0], %[h0]\n\t"
        "adcq   %[h1], %[a1]\n\t"
        "addq   %[t0], %[b0]\n\t"
        "adcq   $0, %[b1]\n\t"
        "addq   %[a1], %[b0]\n\t"
        "adcq   %[b1], %[h2]\n\t"
        "movq   %[h2], %[t0]\n\t"
        "movq   %[h2], %[t1]\n\t"
        "andq   $-4, %[t0]\n\t"
        "shrq   $2, %[t1]\n\t"
        "andl   $3, %k[h2]\n\t"
        "addq   %[t1], %[t0]\n\t"
        "movq   %[b0], %[h1]\n\t"
        "addq   %[t0], %[h0]\n\t"
        "adcq   $0, %[h1]\n\t"
        "adcq   $0, %[h2]"
        : [h0] "+&r"(h0), [h1] "+&r"(h1), [h2] "+&r"(h2), [a0] "=&r"(a0), [a1] "=&r"(a1),
          [b0] "=&r"(b0), [b1] "=&r"(b1), [t0] "=&r"(t0), [t1] "=&r"(t1)
        : [in0] "m"(*reinterpret_cast<const uint64_t(*)>(in)),
          [in1] "m"(*reinterpret_cast<const uint64_t(*)>(in + 8)), [r0] "rm"(r0), [r1] "rm"(r1),
          [s1] "rm"(s1)
        : "rdx", "cc");
#else
    block(load_le<uint64_t>(in), load_le<uint64_t>(in + 8), 1);
#endif
  }

  // tag = (h mod 2^130 - 5) + s modulo 2^128; 16 bytes each.
  [[gnu::always_inline]] void end(uint8_t *tag, const uint8_t *s) const {
    // h is below 2 * (2^130 - 5), so subtracting the prime once is enough, and h + 5 reaches 2^130
    // exactly when h is not yet reduced. Both are computed and one is picked by a mask.
    Wide t = Wide{h0} + 5;
    const auto g0 = static_cast<uint64_t>(t);
    t = Wide{h1} + static_cast<uint64_t>(t >> 64);
    const auto g1 = static_cast<uint64_t>(t);
    const uint64_t g2 = h2 + static_cast<uint64_t>(t >> 64);
    const uint64_t mask = opaque(uint64_t{0} - (g2 >> 2 & 1));

    t = Wide{(h0 & ~mask) | (g0 & mask)} + load_le<uint64_t>(s);
    store_le(tag, static_cast<uint64_t>(t));
    t = Wide{(h1 & ~mask) | (g1 & mask)} + load_le<uint64_t>(s + 8) +
        static_cast<uint64_t>(t >> 64);
    store_le(tag + 8, static_cast<uint64_t>(t));
  }
};

}  // namespace wg
