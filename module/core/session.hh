// SPDX-License-Identifier: GPL-2.0
// A session: two transport keys, their age and limits, and the replay window (5.4.6, 6.2).
#pragma once

#include "aead.hh"
#include "params.hh"
#include "replay.hh"

namespace wg {

// Plain bytes; all zeros is a session that neither sends nor receives. After begin() only the
// flags and the window change: the flags by any CPU at any time, the window under the caller's
// receive lock. So seal() and open() may run in parallel.
class Session {
 public:
  // The keys are 32 bytes each; remote_index is what the other side calls this session.
  void begin(const uint8_t *send_key, const uint8_t *receive_key, uint32_t remote_index,
             bool is_initiator, uint64_t now_ns);

  [[gnu::always_inline]] bool is_initiator() const { return is_initiator_ != 0; }
  [[gnu::always_inline]] uint64_t birth_ns() const { return birth_ns_; }

  // WGC_EXPIRED when the session is too old, used up or stopped.
  Status may_send(uint64_t last_counter, uint64_t now_ns) const;
  // 6.2: time to look for a successor while this one still works.
  bool rekey_on_send(uint64_t next_counter, uint64_t now_ns) const;
  // The same on receiving; true once, however many CPUs ask.
  bool rekey_on_receive(uint64_t now_ns);
  void stop_sending();

  // packet: room for 16 bytes of header, the plaintext in place, room for the tag.
  void seal(uint8_t *packet, size_t plain_len, uint64_t counter) const;
  // Decrypts in place; nothing is written on failure.
  Status open(Bytes packet, uint64_t *counter, uint64_t now_ns) const;
  // One packet of a batch.
  void prepare_seal(AeadPacket *aead, const wgc_data_packet &packet) const;
  Status prepare_open(AeadPacket *aead, const wgc_data_packet &packet, uint64_t now_ns) const;
  // The replay check of an opened message's counter. Serial.
  Status accept(uint64_t counter);

 private:
  bool can_send() const;

  uint8_t send_key_[kKeyLen];
  uint8_t receive_key_[kKeyLen];
  uint64_t birth_ns_;
  uint32_t remote_index_;
  uint32_t is_initiator_;
  uint32_t can_receive_;
  // Written by other CPUs: relaxed atomics. A packet sealed while the flag goes down is
  // harmless, for the key is as good as it was the moment before.
  uint32_t can_send_;
  uint32_t asked_rekey_on_receive_;
  ReplayWindow window_;
};

}  // namespace wg
