// SPDX-License-Identifier: GPL-2.0
#include "identity.hh"

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

void shared_secrets(X25519Batch &work, const Identity &id, const uint8_t *const *peer_public,
                    size_t num, bool may_use_vectors) {
  if (id.present == 0) {
    wipe(work.out, sizeof work.out);
    return;
  }
  for (size_t i = 0; i < num; ++i) {
    work.scalar[i] = id.private_key;
    work.point[i] = peer_public[i];
  }
  x25519_batch(work, num, may_use_vectors);
}

}  // namespace wg
