// SPDX-License-Identifier: GPL-2.0
#include "blake2s.hh"

namespace wg {
namespace {

// RFC 7693, 2.6: the same words as in SHA-256.
constexpr uint32_t kIv[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                             0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

// RFC 7693, 2.7.
constexpr uint8_t kSigma[10][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
    {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
    {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
    {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
    {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
    {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
    {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
    {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
    {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
    {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0},
};

[[gnu::always_inline]] inline uint32_t rotr(uint32_t v, int n) {
  return v >> n | v << (32 - n);
}

// The function G of RFC 7693, 3.1.
[[gnu::always_inline]] inline void mix(uint32_t &a, uint32_t &b, uint32_t &c, uint32_t &d,
                                       uint32_t x, uint32_t y) {
  a += b + x, d = rotr(d ^ a, 16);
  c += d, b = rotr(b ^ c, 12);
  a += b + y, d = rotr(d ^ a, 8);
  c += d, b = rotr(b ^ c, 7);
}

// A template so that the message schedule folds into constant offsets. The block is read where it
// is: a copy in order would have to be wiped.
template <size_t kRound>
[[gnu::always_inline]] inline void round(uint32_t (&v)[16], const uint8_t *block) {
  constexpr const uint8_t(&s)[16] = kSigma[kRound];
  const auto m = [block](size_t i) { return load_le<uint32_t>(block + 4 * i); };
  mix(v[0], v[4], v[8], v[12], m(s[0]), m(s[1]));
  mix(v[1], v[5], v[9], v[13], m(s[2]), m(s[3]));
  mix(v[2], v[6], v[10], v[14], m(s[4]), m(s[5]));
  mix(v[3], v[7], v[11], v[15], m(s[6]), m(s[7]));
  mix(v[0], v[5], v[10], v[15], m(s[8]), m(s[9]));
  mix(v[1], v[6], v[11], v[12], m(s[10]), m(s[11]));
  mix(v[2], v[7], v[8], v[13], m(s[12]), m(s[13]));
  mix(v[3], v[4], v[9], v[14], m(s[14]), m(s[15]));
}

}  // namespace

Blake2s::Blake2s(size_t out_len, ConstBytes key) : out_len_(out_len) {
  for (size_t i = 0; i < 8; ++i) h_[i] = kIv[i];
  // The parameter block: fan-out 1, depth 1, key and output length (RFC 7693, 2.5).
  h_[0] ^= 0x01010000 ^ static_cast<uint32_t>(key.size() << 8) ^ static_cast<uint32_t>(out_len);
  if (key.empty()) return;
  __builtin_memset(buffer_, 0, sizeof buffer_);
  copy(buffer_, key.data(), key.size());
  buffered_ = kBlake2sBlockLen;
}

Blake2s::~Blake2s() {
  wipe(this, sizeof *this);
}

void Blake2s::compress(const uint8_t *block, size_t counted, bool last) {
  num_hashed_ += counted;
  uint32_t v[16] = {h_[0],
                    h_[1],
                    h_[2],
                    h_[3],
                    h_[4],
                    h_[5],
                    h_[6],
                    h_[7],
                    kIv[0],
                    kIv[1],
                    kIv[2],
                    kIv[3],
                    kIv[4] ^ static_cast<uint32_t>(num_hashed_),
                    kIv[5] ^ static_cast<uint32_t>(num_hashed_ >> 32),
                    last ? ~kIv[6] : kIv[6],
                    kIv[7]};
  round<0>(v, block);
  round<1>(v, block);
  round<2>(v, block);
  round<3>(v, block);
  round<4>(v, block);
  round<5>(v, block);
  round<6>(v, block);
  round<7>(v, block);
  round<8>(v, block);
  round<9>(v, block);
  h_[0] ^= v[0] ^ v[8];
  h_[1] ^= v[1] ^ v[9];
  h_[2] ^= v[2] ^ v[10];
  h_[3] ^= v[3] ^ v[11];
  h_[4] ^= v[4] ^ v[12];
  h_[5] ^= v[5] ^ v[13];
  h_[6] ^= v[6] ^ v[14];
  h_[7] ^= v[7] ^ v[15];
}

void Blake2s::update(ConstBytes in) {
  if (in.empty()) return;
  // The last block is marked in the hash, so a full buffer waits until more input comes.
  const size_t room = kBlake2sBlockLen - buffered_;
  if (in.size() > room) {
    if (buffered_ != 0) {
      copy(buffer_ + buffered_, in.data(), room);
      compress(buffer_, kBlake2sBlockLen, false);
      buffered_ = 0;
      in = in.from(room);
    }
    for (; in.size() > kBlake2sBlockLen; in = in.from(kBlake2sBlockLen))
      compress(in.data(), kBlake2sBlockLen, false);
  }
  copy(buffer_ + buffered_, in.data(), in.size());
  buffered_ += in.size();
}

void Blake2s::final(uint8_t *out) {
  __builtin_memset(buffer_ + buffered_, 0, kBlake2sBlockLen - buffered_);
  compress(buffer_, buffered_, true);
  Secret<kBlake2sHashLen> hash;
  for (size_t i = 0; i < 8; ++i) store_le(hash.bytes + 4 * i, h_[i]);
  copy(out, hash.bytes, out_len_);
}

void blake2s(uint8_t *out, size_t out_len, ConstBytes in, ConstBytes key) {
  Blake2s hash(out_len, key);
  hash.update(in);
  hash.final(out);
}

void hmac_blake2s(uint8_t *out, ConstBytes key, ConstBytes in) {
  Secret<kBlake2sBlockLen> pad;
  __builtin_memset(pad.bytes, 0, sizeof pad.bytes);
  if (key.size() > kBlake2sBlockLen)
    blake2s(pad.bytes, kBlake2sHashLen, key);
  else if (!key.empty())
    copy(pad.bytes, key.data(), key.size());

  Secret<kBlake2sHashLen> inner;
  for (uint8_t &b : pad.bytes) b ^= 0x36;
  {
    Blake2s hash;
    hash.update(pad);
    hash.update(in);
    hash.final(inner.bytes);
  }
  for (uint8_t &b : pad.bytes) b ^= 0x36 ^ 0x5c;
  Blake2s hash;
  hash.update(pad);
  hash.update(inner);
  hash.final(out);
}

}  // namespace wg
