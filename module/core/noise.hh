// SPDX-License-Identifier: GPL-2.0
// The symmetric state of Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s (Noise, 5.2; the paper, 5.4).
#pragma once

#include "params.hh"

namespace wg {

// Hash(construction), and Hash of that and the identifier: where every handshake starts.
extern const uint8_t kInitialChain[kHashLen];
extern const uint8_t kInitialHash[kHashLen];

// The paper's C (chaining key) and H (hash). Plain bytes: whoever holds one wipes it.
class SymmetricState {
 public:
  // C and H before the first message; the responder's static key is known to both sides.
  void start(const uint8_t *responder_public);

  // H := Hash(H || data)
  void mix_hash(ConstBytes data);
  // C := Kdf1(C, input), or (C, key) := Kdf2(C, input) when key is not null.
  void mix_key(uint8_t *key, ConstBytes input);
  // Token "e" with a psk in the pattern (Noise, 9.2): the ephemeral goes into both C and H.
  void mix_ephemeral(const uint8_t *ephemeral_public);
  // mix_key() of a fresh shared secret. False, with nothing mixed, for a low-order point.
  [[nodiscard]] bool mix_dh(uint8_t *key, const uint8_t *private_key, const uint8_t *public_key);
  // Token "psk": (C, t, key) := Kdf3(C, psk), H := Hash(H || t).
  void mix_psk(uint8_t *key, const uint8_t *psk);

  // dst has 16 bytes more than src. Each key is used once, so the counter is always 0.
  void encrypt_and_hash(uint8_t *dst, ConstBytes src, const uint8_t *key);
  // dst has 16 bytes fewer than src and lies apart from it. On failure H and dst stay as they were.
  [[nodiscard]] bool decrypt_and_hash(uint8_t *dst, ConstBytes src, const uint8_t *key);

  // Split (Noise, 5.2; the paper, 5.4.6): the initiator sends with the first key.
  void split(uint8_t *key1, uint8_t *key2) const;

 private:
  uint8_t chain_[kHashLen];
  uint8_t hash_[kHashLen];
};

// A symmetric state that lives in one function and is wiped when it leaves.
struct ScopedState : SymmetricState {
  ScopedState() = default;
  ScopedState(const ScopedState &) = delete;
  ScopedState &operator=(const ScopedState &) = delete;
  [[gnu::always_inline]] explicit ScopedState(const SymmetricState &from) : SymmetricState(from) {}
  [[gnu::always_inline]] ~ScopedState() { wipe(this, sizeof *this); }
};

}  // namespace wg
