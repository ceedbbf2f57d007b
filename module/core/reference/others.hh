// SPDX-License-Identifier: GPL-2.0
// The primitives as OpenSSL and libsodium have them, for tests and fuzzing. They throw where the
// library refuses.
#pragma once

#include <openssl/evp.h>
#include <sodium.h>

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <vector>

#include "../aead.hh"
#include "../blake2s.hh"
#include "../x25519.hh"

namespace wg::others {

using Buffer = std::vector<uint8_t>;

inline void check(bool is_good) {
  if (!is_good) throw std::runtime_error("the library refuses");
}

inline Buffer nonce_of(uint64_t counter) {
  Buffer nonce(12);
  store_le(&nonce[4], counter);
  return nonce;
}

struct Deleter {
  void operator()(EVP_CIPHER_CTX *context) const { EVP_CIPHER_CTX_free(context); }
  void operator()(EVP_MD_CTX *context) const { EVP_MD_CTX_free(context); }
  void operator()(EVP_PKEY *key) const { EVP_PKEY_free(key); }
  void operator()(EVP_PKEY_CTX *context) const { EVP_PKEY_CTX_free(context); }
  void operator()(EVP_MAC *mac) const { EVP_MAC_free(mac); }
  void operator()(EVP_MAC_CTX *context) const { EVP_MAC_CTX_free(context); }
};

inline Buffer openssl_seal(const Buffer &text, const Buffer &ad, uint64_t counter,
                           const Buffer &key) {
  const std::unique_ptr<EVP_CIPHER_CTX, Deleter> context(EVP_CIPHER_CTX_new());
  Buffer out(text.size() + kAeadTagLen);
  int len;
  check(EVP_EncryptInit_ex(context.get(), EVP_chacha20_poly1305(), nullptr, key.data(),
                           nonce_of(counter).data()) == 1);
  check(EVP_EncryptUpdate(context.get(), nullptr, &len, ad.data(), static_cast<int>(ad.size())) ==
        1);
  check(EVP_EncryptUpdate(context.get(), out.data(), &len, text.data(),
                          static_cast<int>(text.size())) == 1);
  check(EVP_EncryptFinal_ex(context.get(), out.data() + text.size(), &len) == 1);
  check(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, kAeadTagLen,
                            out.data() + text.size()) == 1);
  return out;
}

inline Buffer sodium_seal(const Buffer &text, const Buffer &ad, uint64_t counter,
                          const Buffer &key) {
  Buffer out(text.size() + kAeadTagLen);
  check(crypto_aead_chacha20poly1305_ietf_encrypt(out.data(), nullptr, text.data(), text.size(),
                                                  ad.data(), ad.size(), nullptr,
                                                  nonce_of(counter).data(), key.data()) == 0);
  return out;
}

inline Buffer openssl_hash(const Buffer &text) {
  const std::unique_ptr<EVP_MD_CTX, Deleter> context(EVP_MD_CTX_new());
  Buffer out(kBlake2sHashLen);
  check(EVP_DigestInit_ex(context.get(), EVP_blake2s256(), nullptr) == 1 &&
        EVP_DigestUpdate(context.get(), text.data(), text.size()) == 1 &&
        EVP_DigestFinal_ex(context.get(), out.data(), nullptr) == 1);
  return out;
}

// name: BLAKE2SMAC, which takes a length, or HMAC, which takes a digest.
inline Buffer openssl_any_mac(const char *name, OSSL_PARAM parameter, const Buffer &key,
                              const Buffer &text, size_t len) {
  const std::unique_ptr<EVP_MAC, Deleter> mac(EVP_MAC_fetch(nullptr, name, nullptr));
  const std::unique_ptr<EVP_MAC_CTX, Deleter> context(EVP_MAC_CTX_new(mac.get()));
  const OSSL_PARAM parameters[] = {parameter, OSSL_PARAM_construct_end()};
  Buffer out(len);
  size_t written;
  check(EVP_MAC_init(context.get(), key.data(), key.size(), parameters) == 1 &&
        EVP_MAC_update(context.get(), text.data(), text.size()) == 1 &&
        EVP_MAC_final(context.get(), out.data(), &written, out.size()) == 1 && written == len);
  return out;
}

inline Buffer openssl_mac(const Buffer &key, const Buffer &text, size_t len) {
  return openssl_any_mac("BLAKE2SMAC", OSSL_PARAM_construct_size_t("size", &len), key, text, len);
}

inline Buffer openssl_hmac(const Buffer &key, const Buffer &text) {
  char digest[] = "BLAKE2S-256";
  return openssl_any_mac("HMAC", OSSL_PARAM_construct_utf8_string("digest", digest, 0), key, text,
                         kBlake2sHashLen);
}

inline Buffer openssl_x25519(const Buffer &scalar, const Buffer &point) {
  const std::unique_ptr<EVP_PKEY, Deleter> own(
      EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, scalar.data(), scalar.size()));
  const std::unique_ptr<EVP_PKEY, Deleter> far(
      EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nullptr, point.data(), point.size()));
  const std::unique_ptr<EVP_PKEY_CTX, Deleter> context(EVP_PKEY_CTX_new(own.get(), nullptr));
  Buffer out(kX25519KeyLen);
  size_t len = out.size();
  check(EVP_PKEY_derive_init(context.get()) == 1 &&
        EVP_PKEY_derive_set_peer(context.get(), far.get()) == 1 &&
        EVP_PKEY_derive(context.get(), out.data(), &len) == 1);
  return out;
}

// All zeros where the point is of low order, which the library refuses.
inline Buffer sodium_x25519(const Buffer &scalar, const Buffer &point) {
  Buffer out(kX25519KeyLen);
  if (crypto_scalarmult(out.data(), scalar.data(), point.data()) != 0) out.assign(out.size(), 0);
  return out;
}

inline Buffer sodium_x25519_base(const Buffer &scalar) {
  Buffer out(kX25519KeyLen);
  check(crypto_scalarmult_base(out.data(), scalar.data()) == 0);
  return out;
}

inline Buffer sodium_xseal(const Buffer &text, const Buffer &ad, const Buffer &nonce,
                           const Buffer &key) {
  Buffer out(text.size() + kAeadTagLen);
  check(crypto_aead_xchacha20poly1305_ietf_encrypt(out.data(), nullptr, text.data(), text.size(),
                                                   ad.data(), ad.size(), nullptr, nonce.data(),
                                                   key.data()) == 0);
  return out;
}

}  // namespace wg::others
