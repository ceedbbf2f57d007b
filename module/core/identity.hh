// SPDX-License-Identifier: GPL-2.0
// A device's static key pair.
#pragma once

#include "params.hh"
#include "x25519.hh"

namespace wg {

// Plain bytes, so that the owner can embed it; all zeros is "none". Wiped by the owner.
struct Identity {
  uint8_t private_key[kKeyLen];
  uint8_t public_key[kKeyLen];
  uint32_t present;
};

// Takes a private key, clamped here; null or all zeros removes the identity.
void identity_set(Identity *id, const uint8_t *private_key);

// Either output may be null. False, with both zeroed, when there is none.
bool identity_get(const Identity &id, uint8_t *private_key, uint8_t *public_key);

// What id shares with each of num peers, in work.out, which the caller wipes; zeros where a key
// gives nothing, or without an identity. num is up to kX25519BatchMax.
void shared_secrets(X25519Batch &work, const Identity &id, const uint8_t *const *peer_public,
                    size_t num, bool may_use_vectors);

}  // namespace wg
