// SPDX-License-Identifier: GPL-2.0
#include "poly1305.hh"

namespace wg {

#if WGPP_HAVE_INT128

void Poly1305::blocks(const uint8_t *in, size_t num_blocks, uint32_t top_bit) {
  Poly1305Word word = word_;
  for (; num_blocks != 0; --num_blocks, in += kPoly1305BlockLen) {
    word.block(load_le<uint64_t>(in), load_le<uint64_t>(in + 8), top_bit);
  }
  word_ = word;
}

Poly1305::Poly1305(const uint8_t *key) {
  word_.begin(key);
  copy(s_, key + 16, sizeof s_);
}

void Poly1305::reduce_and_add(uint8_t *tag) {
  word_.end(tag, s_);
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
  const uint32_t mask = opaque(0 - carry);
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
