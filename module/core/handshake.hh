// SPDX-License-Identifier: GPL-2.0
// The handshake Noise_IKpsk2 in both roles (the paper, 5.4; Noise, 7.5):
//
//   <- s                   the initiator knows the responder's static key
//   -> e, es, s, ss        initiation, with an encrypted timestamp against replay
//   <- e, ee, se, psk      response
//
// A received message works on copies until it has proven itself, and only then changes the
// handshake: a forged one costs the sender's time and nothing else.
#pragma once

#include "identity.hh"
#include "noise.hh"
#include "session.hh"

namespace wg {

// What a received initiation says, before it is known which peer's handshake it belongs to.
// Plain bytes with secrets: the owner wipes it.
class Initiation {
 public:
  // Decrypts who is calling; msg has WGC_INITIATION_LEN bytes. On failure *this and
  // peer_public are wiped.
  Status open(uint8_t *peer_public, const Identity &id, const uint8_t *msg);

 private:
  friend class Handshake;
  Status decrypt(const Identity &id, const uint8_t *msg);

  SymmetricState noise_;
  uint8_t remote_static_[kKeyLen];
  uint8_t remote_ephemeral_[kKeyLen];
  uint8_t encrypted_timestamp_[kTimestampLen + kTagLen];
  uint32_t sender_index_;
};

// One peer's handshake. Plain bytes; the caller holds the handshake lock for every call.
class Handshake {
 public:
  // psk: 32 bytes or null for none.
  void init(const Identity &id, const uint8_t *peer_public, const uint8_t *psk);
  // shared_secret: what shared_secrets() has for this peer, or null to compute it here.
  void set_identity(const Identity &id, const uint8_t *shared_secret);
  void set_psk(const uint8_t *psk);
  void get_psk(uint8_t *psk) const;
  // Wipes what is in progress; keeps keys, psk and the last timestamp.
  void clear();

  // Initiator, message 1. Replaces what is in progress; on failure that and msg are wiped.
  Status create_initiation(uint8_t *msg, const Identity &id, uint32_t sender_index,
                           const uint8_t *ephemeral, uint64_t unix_ns);
  // Responder, message 1. On failure nothing has changed.
  Status accept_initiation(const Initiation &init, uint64_t now_ns);
  // Responder, message 2. On failure what is in progress and msg are wiped.
  Status create_response(uint8_t *msg, uint32_t sender_index, const uint8_t *ephemeral);
  // Initiator, message 2. On failure nothing has changed.
  Status consume_response(const Identity &id, const uint8_t *msg);
  // After message 2, both roles: derive keys and wipe the handshake. session is written on
  // success only.
  Status begin_session(Session *session, uint64_t now_ns);

 private:
  enum class State : uint32_t {
    kZeroed = 0,
    kCreatedInitiation,
    kConsumedInitiation,
    kCreatedResponse,
    kConsumedResponse,
  };

  // A 12-byte TAI64N label as two numbers, so that later compares greater.
  struct Timestamp {
    uint64_t seconds;
    uint32_t nanoseconds;
    bool is_after(const Timestamp &other) const;
  };

  bool has_shared_secret() const;
  Status write_initiation(uint8_t *msg, const Identity &id, uint32_t sender_index,
                          uint64_t unix_ns);
  Status write_response(uint8_t *msg, uint32_t sender_index, const uint8_t *ephemeral);

  // Kept for the peer's life.
  uint8_t remote_static_[kKeyLen];
  // Shared secret of both static keys; all zeros when there is no identity or the peer's key is
  // of low order, which no real secret is.
  uint8_t static_static_[kKeyLen];
  uint8_t psk_[kKeyLen];
  uint64_t last_accepted_ns_;
  Timestamp last_timestamp_;
  uint32_t has_accepted_;

  // Of the handshake in progress.
  struct Progress {
    State state;
    uint32_t local_index;
    uint32_t remote_index;
    SymmetricState noise;
    uint8_t ephemeral_private[kKeyLen];
    uint8_t remote_ephemeral[kKeyLen];
  } progress_;
};

}  // namespace wg
