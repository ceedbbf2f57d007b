// SPDX-License-Identifier: GPL-2.0
// The timer policy of one peer (the paper, 6): events go in, deadlines and actions come out.
#pragma once

#include "params.hh"

namespace wg {

// Plain bytes; the caller holds the peer's timer lock.
class Timers {
 public:
  void init();
  // As after init(), but the persistent keepalive interval stays.
  void stop();

  // events: OR of wgc_timer_event. Within one call, what concerns any message comes before what
  // concerns data. Returns the earliest deadline or WGC_NO_DEADLINE.
  uint64_t event(uint32_t events, uint32_t random, uint64_t now_ns);

  // Returns an OR of wgc_timer_action: everything that has come due.
  uint32_t expire(uint64_t *deadline_ns, uint64_t now_ns);

  bool begin_initiation(bool is_retry, uint64_t now_ns);
  bool may_initiate(uint64_t now_ns) const;
  // What the last initiation was for is gone: it holds up the next one no longer.
  void forget_initiation();

  void set_persistent(uint16_t seconds);
  [[gnu::always_inline]] uint16_t persistent() const { return persistent_s_; }
  uint32_t attempts() const;

 private:
  uint64_t earliest() const;
  uint32_t expire_retransmit(uint64_t now_ns);
  uint32_t expire_passive_keepalive(uint64_t now_ns);

  // Deadlines in boot time, kNever when not armed.
  uint64_t retransmit_ns_;
  uint64_t new_handshake_ns_;
  uint64_t passive_keepalive_ns_;
  uint64_t persistent_keepalive_ns_;
  uint64_t zero_keys_ns_;

  uint64_t last_handshake_sent_ns_;  // kNever: none yet
  uint32_t num_attempts_;            // retries since an initiation that was not one
  uint16_t persistent_s_;
  uint8_t needs_another_keepalive_;
};

}  // namespace wg
