// SPDX-License-Identifier: GPL-2.0
#include "noise.hh"

#include "aead.hh"
#include "blake2s.hh"
#include "hkdf.hh"
#include "x25519.hh"

namespace wg {

// Written out so that nothing has to be computed at load; noise_test.cc derives them again.
const uint8_t kInitialChain[kHashLen] = {
    0x60, 0xe2, 0x6d, 0xae, 0xf3, 0x27, 0xef, 0xc0, 0x2e, 0xc3, 0x35, 0xe2, 0xa0, 0x25, 0xd2, 0xd0,
    0x16, 0xeb, 0x42, 0x06, 0xf8, 0x72, 0x77, 0xf5, 0x2d, 0x38, 0xd1, 0x98, 0x8b, 0x78, 0xcd, 0x36};
const uint8_t kInitialHash[kHashLen] = {
    0x22, 0x11, 0xb3, 0x61, 0x08, 0x1a, 0xc5, 0x66, 0x69, 0x12, 0x43, 0xdb, 0x45, 0x8a, 0xd5, 0x32,
    0x2d, 0x9c, 0x6c, 0x66, 0x22, 0x93, 0xe8, 0xb7, 0x0e, 0xe1, 0x9c, 0x65, 0xba, 0x07, 0x9e, 0xf3};

void SymmetricState::start(const uint8_t *responder_public) {
  copy(chain_, kInitialChain, kHashLen);
  copy(hash_, kInitialHash, kHashLen);
  mix_hash({responder_public, kKeyLen});
}

void SymmetricState::mix_hash(ConstBytes data) {
  Blake2s blake;
  blake.update(hash_);
  blake.update(data);
  blake.final(hash_);
}

void SymmetricState::mix_key(uint8_t *key, ConstBytes input) {
  hkdf(chain_, key, nullptr, chain_, input);
}

void SymmetricState::mix_ephemeral(const uint8_t *ephemeral_public) {
  mix_key(nullptr, {ephemeral_public, kKeyLen});
  mix_hash({ephemeral_public, kKeyLen});
}

bool SymmetricState::mix_dh(uint8_t *key, const uint8_t *private_key, const uint8_t *public_key) {
  Secret<kKeyLen> shared;
  if (!x25519(shared.bytes, private_key, public_key)) return false;
  mix_key(key, shared);
  return true;
}

void SymmetricState::mix_psk(uint8_t *key, const uint8_t *psk) {
  Secret<kHashLen> temporary;
  hkdf(chain_, temporary.bytes, key, chain_, {psk, kKeyLen});
  mix_hash(temporary);
}

void SymmetricState::encrypt_and_hash(uint8_t *dst, ConstBytes src, const uint8_t *key) {
  aead_seal(dst, src, hash_, 0, key);
  mix_hash({dst, src.size() + kTagLen});
}

bool SymmetricState::decrypt_and_hash(uint8_t *dst, ConstBytes src, const uint8_t *key) {
  if (!aead_open(dst, src, hash_, 0, key)) return false;
  mix_hash(src);
  return true;
}

void SymmetricState::split(uint8_t *key1, uint8_t *key2) const {
  hkdf(key1, key2, nullptr, chain_, {});
}

}  // namespace wg
