// SPDX-License-Identifier: GPL-2.0
#include "identity.hh"

#include "x25519.hh"

namespace wg {

void identity_set(Identity *id, const uint8_t *private_key) {
  // The caller may hand in id's own key, so the zero test comes before anything is wiped.
  const bool present = private_key != nullptr && !ct_is_zero(private_key, kKeyLen);
  if (!present) {
    wipe(id, sizeof *id);
    return;
  }
  __builtin_memmove(id->private_key, private_key, kKeyLen);
  x25519_clamp(id->private_key);
  x25519_base(id->public_key, id->private_key);
  id->present = 1;
}

bool identity_get(const Identity &id, uint8_t *private_key, uint8_t *public_key) {
  // Without an identity both keys are zeros already.
  if (private_key != nullptr) copy(private_key, id.private_key, kKeyLen);
  if (public_key != nullptr) copy(public_key, id.public_key, kKeyLen);
  return id.present != 0;
}

}  // namespace wg
