// SPDX-License-Identifier: GPL-2.0
#include "poly1305.hh"

namespace wg {

#if WGPP_HAVE_INT128

namespace {

__extension__ typedef unsigned __int128 Wide;

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
[[gnu::always_inline]] inline uint64_t add_carry(uint64_t &a, uint64_t b) {
  a += b;
  return a < b;
}

}  // namespace

// The accumulator is h0 + h1 * 2^64 + h2 * 2^128, where h2 is at most 4 between blocks. Clamping
// clears the top four bits of both halves of r and the low two of the upper half, so sums of two
// products have room and r1 * 2^128 = (r1 / 4) * 2^130 = 5 * (r1 / 4) modulo 2^130 - 5 is exact.
void Poly1305::blocks(const uint8_t *in, size_t num_blocks, uint32_t top_bit) {
  const uint64_t r0 = r_[0];
  const uint64_t r1 = r_[1];
  const uint64_t s1 = r1 + (r1 >> 2);
  uint64_t h0 = h_[0];
  uint64_t h1 = h_[1];
  uint64_t h2 = h_[2];

  for (; num_blocks != 0; --num_blocks, in += kPoly1305BlockLen) {
    uint64_t carry = add_carry(h0, load_le<uint64_t>(in));
    carry = add_carry(h1, carry);
    carry += add_carry(h1, load_le<uint64_t>(in + 8));
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

  h_[0] = h0;
  h_[1] = h1;
  h_[2] = h2;
}

Poly1305::Poly1305(const uint8_t *key)
    : r_{load_le<uint64_t>(key) & 0x0ffffffc0fffffff,
         load_le<uint64_t>(key + 8) & 0x0ffffffc0ffffffc},
      h_{0, 0, 0} {
  copy(s_, key + 16, sizeof s_);
}

// tag = (h mod 2^130 - 5) + s modulo 2^128.
void Poly1305::reduce_and_add(uint8_t *tag) {
  // h is below 2 * (2^130 - 5), so subtracting the prime once is enough, and h + 5 reaches 2^130
  // exactly when h is not yet reduced. Both are computed and one is picked by a mask.
  Wide t = Wide{h_[0]} + 5;
  const uint64_t g0 = static_cast<uint64_t>(t);
  t = Wide{h_[1]} + static_cast<uint64_t>(t >> 64);
  const uint64_t g1 = static_cast<uint64_t>(t);
  const uint64_t g2 = h_[2] + static_cast<uint64_t>(t >> 64);
  uint64_t mask = 0 - (g2 >> 2 & 1);
  __asm__("" : "+r"(mask));

  t = Wide{(h_[0] & ~mask) | (g0 & mask)} + load_le<uint64_t>(s_);
  store_le(tag, static_cast<uint64_t>(t));
  t = Wide{(h_[1] & ~mask) | (g1 & mask)} + load_le<uint64_t>(s_ + 8) +
      static_cast<uint64_t>(t >> 64);
  store_le(tag + 8, static_cast<uint64_t>(t));
}

#else  // no 64x64->128 multiply

namespace {

constexpr uint32_t kLimbMask = (1u << 26) - 1;

// Splits 16 bytes into five 26-bit limbs.
[[gnu::always_inline]] inline void load_limbs(uint32_t *out, const uint8_t *p) {
  out[0] = load_le<uint32_t>(p) & kLimbMask;
  out[1] = load_le<uint32_t>(p + 3) >> 2 & kLimbMask;
  out[2] = load_le<uint32_t>(p + 6) >> 4 & kLimbMask;
  out[3] = load_le<uint32_t>(p + 9) >> 6 & kLimbMask;
  out[4] = load_le<uint32_t>(p + 12) >> 8;
}

[[gnu::always_inline]] inline uint64_t mul(uint32_t a, uint32_t b) {
  return uint64_t{a} * b;
}

}  // namespace

// The accumulator is the sum of h[i] * 2^(26 * i); limbs stay under 2^26 plus a small carry.
void Poly1305::blocks(const uint8_t *in, size_t num_blocks, uint32_t top_bit) {
  const uint32_t *r = r_;
  // Limb products at 2^130 and above come back times 5.
  const uint32_t s1 = r[1] * 5;
  const uint32_t s2 = r[2] * 5;
  const uint32_t s3 = r[3] * 5;
  const uint32_t s4 = r[4] * 5;

  for (; num_blocks != 0; --num_blocks, in += kPoly1305BlockLen) {
    uint32_t m[5];
    load_limbs(m, in);
    const uint32_t h0 = h_[0] + m[0];
    const uint32_t h1 = h_[1] + m[1];
    const uint32_t h2 = h_[2] + m[2];
    const uint32_t h3 = h_[3] + m[3];
    const uint32_t h4 = h_[4] + m[4] + (top_bit << 24);

    uint64_t d0 = mul(h0, r[0]) + mul(h1, s4) + mul(h2, s3) + mul(h3, s2) + mul(h4, s1);
    uint64_t d1 = mul(h0, r[1]) + mul(h1, r[0]) + mul(h2, s4) + mul(h3, s3) + mul(h4, s2);
    uint64_t d2 = mul(h0, r[2]) + mul(h1, r[1]) + mul(h2, r[0]) + mul(h3, s4) + mul(h4, s3);
    uint64_t d3 = mul(h0, r[3]) + mul(h1, r[2]) + mul(h2, r[1]) + mul(h3, r[0]) + mul(h4, s4);
    uint64_t d4 = mul(h0, r[4]) + mul(h1, r[3]) + mul(h2, r[2]) + mul(h3, r[1]) + mul(h4, r[0]);

    d1 += d0 >> 26;
    d2 += d1 >> 26;
    d3 += d2 >> 26;
    d4 += d3 >> 26;
    d0 = (d0 & kLimbMask) + (d4 >> 26) * 5;
    h_[0] = static_cast<uint32_t>(d0 & kLimbMask);
    h_[1] = static_cast<uint32_t>((d1 & kLimbMask) + (d0 >> 26));
    h_[2] = static_cast<uint32_t>(d2 & kLimbMask);
    h_[3] = static_cast<uint32_t>(d3 & kLimbMask);
    h_[4] = static_cast<uint32_t>(d4 & kLimbMask);
  }
}

Poly1305::Poly1305(const uint8_t *key) : h_{0, 0, 0, 0, 0} {
  load_limbs(r_, key);
  // The clamp of RFC 8439, 2.5, cut into limbs.
  r_[0] &= 0x3ffffff;
  r_[1] &= 0x3ffff03;
  r_[2] &= 0x3ffc0ff;
  r_[3] &= 0x3f03fff;
  r_[4] &= 0x00fffff;
  copy(s_, key + 16, sizeof s_);
}

// tag = (h mod 2^130 - 5) + s modulo 2^128.
void Poly1305::reduce_and_add(uint8_t *tag) {
  uint32_t h[5];
  uint32_t g[5];
  // Two rounds of carrying leave every limb under 2^26.
  copy(h, h_, sizeof h);
  for (int round = 0; round < 2; ++round) {
    uint32_t carry = 0;
    for (size_t i = 0; i < 5; ++i) {
      h[i] += carry;
      carry = h[i] >> 26;
      h[i] &= kLimbMask;
    }
    h[0] += carry * 5;
  }
  // h + 5 reaches 2^130 exactly when h is not yet reduced; a mask picks the one to use.
  uint32_t carry = 5;
  for (size_t i = 0; i < 5; ++i) {
    g[i] = h[i] + carry;
    carry = g[i] >> 26;
    g[i] &= kLimbMask;
  }
  uint32_t mask = 0 - carry;
  __asm__("" : "+r"(mask));
  for (size_t i = 0; i < 5; ++i) h[i] = (h[i] & ~mask) | (g[i] & mask);

  const uint32_t words[4] = {h[0] | h[1] << 26, h[1] >> 6 | h[2] << 20, h[2] >> 12 | h[3] << 14,
                             h[3] >> 18 | h[4] << 8};
  uint64_t sum = 0;
  for (size_t i = 0; i < 4; ++i) {
    sum += uint64_t{words[i]} + load_le<uint32_t>(s_ + 4 * i);
    store_le(tag + 4 * i, static_cast<uint32_t>(sum));
    sum >>= 32;
  }
  wipe(h, sizeof h);
  wipe(g, sizeof g);
}

#endif  // WGPP_HAVE_INT128

Poly1305::~Poly1305() {
  wipe(this, sizeof *this);
}

void Poly1305::update(ConstBytes in) {
  if (buffered_ != 0) {
    const size_t take = min(in.size(), kPoly1305BlockLen - buffered_);
    copy(buffer_ + buffered_, in.data(), take);
    buffered_ += take;
    in = in.from(take);
    if (buffered_ < kPoly1305BlockLen) return;
    blocks(buffer_, 1, 1);
    buffered_ = 0;
  }
  const size_t num_blocks = in.size() / kPoly1305BlockLen;
  blocks(in.data(), num_blocks, 1);
  in = in.from(num_blocks * kPoly1305BlockLen);
  if (in.empty()) return;
  copy(buffer_, in.data(), in.size());
  buffered_ = in.size();
}

void Poly1305::update_padded(ConstBytes in) {
  update(in);
  if (buffered_ == 0) return;
  __builtin_memset(buffer_ + buffered_, 0, kPoly1305BlockLen - buffered_);
  blocks(buffer_, 1, 1);
  buffered_ = 0;
}

void Poly1305::final(uint8_t *tag) {
  if (buffered_ != 0) {
    // A short last block carries its top bit right after its bytes.
    buffer_[buffered_] = 1;
    __builtin_memset(buffer_ + buffered_ + 1, 0, kPoly1305BlockLen - buffered_ - 1);
    blocks(buffer_, 1, 0);
  }
  reduce_and_add(tag);
}

void poly1305(uint8_t *tag, ConstBytes in, const uint8_t *key) {
  Poly1305 mac(key);
  mac.update(in);
  mac.final(tag);
}

}  // namespace wg
