// SPDX-License-Identifier: GPL-2.0
#include "chacha20.hh"

namespace wg {
namespace {

[[gnu::always_inline]] inline uint32_t rotl(uint32_t v, int n) {
  return v << n | v >> (32 - n);
}

// RFC 8439, 2.1.
[[gnu::always_inline]] inline void quarter_round(uint32_t &a, uint32_t &b, uint32_t &c,
                                                 uint32_t &d) {
  a += b, d = rotl(d ^ a, 16);
  c += d, b = rotl(b ^ c, 12);
  a += b, d = rotl(d ^ a, 8);
  c += d, b = rotl(b ^ c, 7);
}

// The 16 words as separate variables, so that both compilers keep them in registers as far as
// these go; an array with a loop over it would stay in memory.
struct Words {
  uint32_t x0, x1, x2, x3, x4, x5, x6, x7, x8, x9, x10, x11, x12, x13, x14, x15;

  [[gnu::always_inline]] explicit Words(const uint32_t *s)
      : x0(s[0]),
        x1(s[1]),
        x2(s[2]),
        x3(s[3]),
        x4(s[4]),
        x5(s[5]),
        x6(s[6]),
        x7(s[7]),
        x8(s[8]),
        x9(s[9]),
        x10(s[10]),
        x11(s[11]),
        x12(s[12]),
        x13(s[13]),
        x14(s[14]),
        x15(s[15]) {}

  // 20 rounds: ten times a column round and a diagonal round (RFC 8439, 2.3).
  [[gnu::always_inline]] void permute() {
    for (int i = 0; i < 10; ++i) {
      quarter_round(x0, x4, x8, x12);
      quarter_round(x1, x5, x9, x13);
      quarter_round(x2, x6, x10, x14);
      quarter_round(x3, x7, x11, x15);
      quarter_round(x0, x5, x10, x15);
      quarter_round(x1, x6, x11, x12);
      quarter_round(x2, x7, x8, x13);
      quarter_round(x3, x4, x9, x14);
    }
  }
};

[[gnu::always_inline]] inline void xor_word(uint8_t *dst, const uint8_t *src, uint32_t word) {
  store_le<uint32_t>(dst, load_le<uint32_t>(src) ^ word);
}

// Encrypts whole blocks and moves the block counter on.
[[gnu::noinline]] void crypt_blocks(uint32_t *s, uint8_t *dst, const uint8_t *src,
                                    size_t num_blocks) {
  for (; num_blocks != 0; --num_blocks) {
    Words w(s);
    w.permute();
    xor_word(dst + 0, src + 0, w.x0 + s[0]);
    xor_word(dst + 4, src + 4, w.x1 + s[1]);
    xor_word(dst + 8, src + 8, w.x2 + s[2]);
    xor_word(dst + 12, src + 12, w.x3 + s[3]);
    xor_word(dst + 16, src + 16, w.x4 + s[4]);
    xor_word(dst + 20, src + 20, w.x5 + s[5]);
    xor_word(dst + 24, src + 24, w.x6 + s[6]);
    xor_word(dst + 28, src + 28, w.x7 + s[7]);
    xor_word(dst + 32, src + 32, w.x8 + s[8]);
    xor_word(dst + 36, src + 36, w.x9 + s[9]);
    xor_word(dst + 40, src + 40, w.x10 + s[10]);
    xor_word(dst + 44, src + 44, w.x11 + s[11]);
    xor_word(dst + 48, src + 48, w.x12 + s[12]);
    xor_word(dst + 52, src + 52, w.x13 + s[13]);
    xor_word(dst + 56, src + 56, w.x14 + s[14]);
    xor_word(dst + 60, src + 60, w.x15 + s[15]);
    ++s[12];
    dst += kChaCha20BlockLen;
    src += kChaCha20BlockLen;
  }
}

[[gnu::always_inline]] inline void load_constants_and_key(uint32_t *s, const uint8_t *key) {
  // "expand 32-byte k"
  s[0] = 0x61707865;
  s[1] = 0x3320646e;
  s[2] = 0x79622d32;
  s[3] = 0x6b206574;
  for (size_t i = 0; i < 8; ++i) s[4 + i] = load_le<uint32_t>(key + 4 * i);
}

}  // namespace

ChaCha20::ChaCha20(const uint8_t *key, const uint8_t *nonce, uint32_t counter) {
  load_constants_and_key(state_, key);
  state_[12] = counter;
  for (size_t i = 0; i < 3; ++i) state_[13 + i] = load_le<uint32_t>(nonce + 4 * i);
}

ChaCha20::~ChaCha20() {
  wipe(state_, sizeof state_);
}

void ChaCha20::block(uint8_t *out) {
  __builtin_memset(out, 0, kChaCha20BlockLen);
  crypt_blocks(state_, out, out, 1);
}

void ChaCha20::crypt(uint8_t *dst, ConstBytes src) {
  const size_t num_blocks = src.size() / kChaCha20BlockLen;
  const size_t whole_len = num_blocks * kChaCha20BlockLen;
  const size_t rest_len = src.size() - whole_len;
  crypt_blocks(state_, dst, src.data(), num_blocks);
  if (rest_len == 0) return;

  // The rest goes through a block of its own, so that nothing past src is read and no key
  // stream past the text is left in dst.
  Secret<kChaCha20BlockLen> last;
  __builtin_memset(last.bytes, 0, sizeof last.bytes);
  copy(last.bytes, src.data() + whole_len, rest_len);
  crypt_blocks(state_, last.bytes, last.bytes, 1);
  copy(dst + whole_len, last.bytes, rest_len);
}

void hchacha20(uint8_t *out, const uint8_t *nonce, const uint8_t *key) {
  uint32_t s[16];
  load_constants_and_key(s, key);
  for (size_t i = 0; i < 4; ++i) s[12 + i] = load_le<uint32_t>(nonce + 4 * i);

  // No feed-forward: the first and the last row are the subkey.
  Words w(s);
  w.permute();
  store_le(out + 0, w.x0);
  store_le(out + 4, w.x1);
  store_le(out + 8, w.x2);
  store_le(out + 12, w.x3);
  store_le(out + 16, w.x12);
  store_le(out + 20, w.x13);
  store_le(out + 24, w.x14);
  store_le(out + 28, w.x15);
  wipe(s, sizeof s);
}

}  // namespace wg
