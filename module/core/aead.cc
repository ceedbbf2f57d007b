// SPDX-License-Identifier: GPL-2.0
#include "aead.hh"

#include "chacha20.hh"
#include "poly1305.hh"

namespace wg {
namespace {

// RFC 8439, 2.8: the tag covers AD and ciphertext, each padded to 16 bytes, and both lengths.
void compute_tag(uint8_t *tag, ConstBytes ad, ConstBytes ciphertext, const uint8_t *one_time_key) {
  Poly1305 mac(one_time_key);
  mac.update_padded(ad);
  mac.update_padded(ciphertext);
  uint8_t lengths[16];
  store_le(lengths, uint64_t{ad.size()});
  store_le(lengths + 8, uint64_t{ciphertext.size()});
  mac.update(lengths);
  mac.final(tag);
}

struct Nonce {
  uint8_t bytes[kChaCha20NonceLen];

  // The paper, 5.4.6: 32 bits of zeros, then the counter.
  [[gnu::always_inline]] explicit Nonce(uint64_t counter) {
    store_le(bytes, uint32_t{0});
    store_le(bytes + 4, counter);
  }
};

[[gnu::noinline]] void seal(uint8_t *dst, ConstBytes src, ConstBytes ad, const uint8_t *nonce,
                            const uint8_t *key) {
  // Block 0 gives the one-time key, the text starts at block 1 (RFC 8439, 2.6 and 2.8).
  ChaCha20 stream(key, nonce, 0);
  Secret<kChaCha20BlockLen> one_time_key;
  stream.block(one_time_key.bytes);
  stream.crypt(dst, src);
  compute_tag(dst + src.size(), ad, {dst, src.size()}, one_time_key.bytes);
}

[[gnu::noinline]] bool open(uint8_t *dst, ConstBytes src, ConstBytes ad, const uint8_t *nonce,
                            const uint8_t *key) {
  if (src.size() < kAeadTagLen) return false;
  const ConstBytes ciphertext = src.first(src.size() - kAeadTagLen);

  ChaCha20 stream(key, nonce, 0);
  Secret<kChaCha20BlockLen> one_time_key;
  stream.block(one_time_key.bytes);
  // The right tag of a forged message is a secret as well.
  Secret<kAeadTagLen> tag;
  compute_tag(tag.bytes, ad, ciphertext, one_time_key.bytes);
  if (!ct_equal(tag.bytes, ciphertext.end(), kAeadTagLen)) return false;
  stream.crypt(dst, ciphertext);
  return true;
}

// draft-irtf-cfrg-xchacha, 2.3: 16 bytes of the nonce go into a subkey, 8 follow 4 zeros.
[[gnu::noinline]] void xseal(uint8_t *dst, ConstBytes src, ConstBytes ad, const uint8_t *nonce,
                             const uint8_t *key) {
  Secret<kChaCha20KeyLen> subkey;
  hchacha20(subkey.bytes, nonce, key);
  const Nonce rest(load_le<uint64_t>(nonce + kHChaCha20NonceLen));
  seal(dst, src, ad, rest.bytes, subkey.bytes);
}

[[gnu::noinline]] bool xopen(uint8_t *dst, ConstBytes src, ConstBytes ad, const uint8_t *nonce,
                             const uint8_t *key) {
  Secret<kChaCha20KeyLen> subkey;
  hchacha20(subkey.bytes, nonce, key);
  const Nonce rest(load_le<uint64_t>(nonce + kHChaCha20NonceLen));
  return open(dst, src, ad, rest.bytes, subkey.bytes);
}

}  // namespace

void aead_seal_ietf(uint8_t *dst, ConstBytes src, ConstBytes ad, const uint8_t *nonce,
                    const uint8_t *key) {
  seal(dst, src, ad, nonce, key);
  scrub_stack();
}

bool aead_open_ietf(uint8_t *dst, ConstBytes src, ConstBytes ad, const uint8_t *nonce,
                    const uint8_t *key) {
  const bool is_good = open(dst, src, ad, nonce, key);
  scrub_stack();
  return is_good;
}

void aead_seal(uint8_t *dst, ConstBytes src, ConstBytes ad, uint64_t counter, const uint8_t *key) {
  aead_seal_ietf(dst, src, ad, Nonce(counter).bytes, key);
}

bool aead_open(uint8_t *dst, ConstBytes src, ConstBytes ad, uint64_t counter, const uint8_t *key) {
  return aead_open_ietf(dst, src, ad, Nonce(counter).bytes, key);
}

void xaead_seal(uint8_t *dst, ConstBytes src, ConstBytes ad, const uint8_t *nonce,
                const uint8_t *key) {
  xseal(dst, src, ad, nonce, key);
  scrub_stack();
}

bool xaead_open(uint8_t *dst, ConstBytes src, ConstBytes ad, const uint8_t *nonce,
                const uint8_t *key) {
  const bool is_good = xopen(dst, src, ad, nonce, key);
  scrub_stack();
  return is_good;
}

}  // namespace wg
