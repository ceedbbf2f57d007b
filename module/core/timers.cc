// SPDX-License-Identifier: GPL-2.0
#include "timers.hh"

namespace wg {
namespace {

constexpr uint64_t kNever = WGC_NO_DEADLINE;

[[gnu::always_inline]] inline bool is_armed(uint64_t deadline_ns) {
  return deadline_ns != kNever;
}

[[gnu::always_inline]] inline bool is_due(uint64_t deadline_ns, uint64_t now_ns) {
  return is_armed(deadline_ns) && deadline_ns <= now_ns;
}

// Spreads 32 random bits over [0, kMaxJitter_ns).
[[gnu::always_inline]] inline uint64_t jitter_ns(uint32_t random) {
  return (random * kMaxJitter_ns) >> 32;
}
static_assert(kMaxJitter_ns < (uint64_t{1} << 32), "the product has to fit 64 bits");

}  // namespace

void Timers::init() {
  persistent_s_ = 0;
  stop();
}

void Timers::stop() {
  retransmit_ns_ = kNever;
  new_handshake_ns_ = kNever;
  passive_keepalive_ns_ = kNever;
  persistent_keepalive_ns_ = kNever;
  zero_keys_ns_ = kNever;
  last_handshake_sent_ns_ = kNever;
  num_attempts_ = 0;
  needs_another_keepalive_ = 0;
}

uint64_t Timers::event(uint32_t events, uint32_t random, uint64_t now_ns) {
  if (events & WGC_EV_ANY_SENT) {
    // 6.5: whatever we send tells the peer what a keepalive would.
    passive_keepalive_ns_ = kNever;
    needs_another_keepalive_ = 0;
  }
  if (events & WGC_EV_ANY_RECEIVED) new_handshake_ns_ = kNever;
  if ((events & (WGC_EV_ANY_SENT | WGC_EV_ANY_RECEIVED)) && persistent_s_ != 0)
    persistent_keepalive_ns_ = now_ns + persistent_s_ * kNsPerSecond;

  if (events & WGC_EV_INITIATION_SENT)
    retransmit_ns_ = now_ns + kRekeyTimeout_ns + jitter_ns(random);
  if (events & WGC_EV_RESPONSE_SENT) last_handshake_sent_ns_ = now_ns;
  if (events & WGC_EV_HANDSHAKE_COMPLETE) {
    retransmit_ns_ = kNever;
    num_attempts_ = 0;
  }
  if (events & WGC_EV_SESSION_DERIVED) zero_keys_ns_ = now_ns + kZeroKeysAfter_ns;

  if ((events & WGC_EV_DATA_SENT) && !is_armed(new_handshake_ns_))
    new_handshake_ns_ = now_ns + kNewHandshakeAfter_ns + jitter_ns(random);
  if (events & WGC_EV_DATA_RECEIVED) {
    if (!is_armed(passive_keepalive_ns_))
      passive_keepalive_ns_ = now_ns + kKeepaliveTimeout_ns;
    else
      needs_another_keepalive_ = 1;
  }
  return earliest();
}

uint64_t Timers::earliest() const {
  uint64_t deadline_ns = min(retransmit_ns_, new_handshake_ns_);
  deadline_ns = min(deadline_ns, passive_keepalive_ns_);
  deadline_ns = min(deadline_ns, persistent_keepalive_ns_);
  return min(deadline_ns, zero_keys_ns_);
}

uint32_t Timers::expire(uint64_t *deadline_ns, uint64_t now_ns) {
  uint32_t actions = 0;
  if (is_due(retransmit_ns_, now_ns)) actions |= expire_retransmit(now_ns);
  if (is_due(new_handshake_ns_, now_ns)) {
    new_handshake_ns_ = kNever;
    actions |= WGC_ACT_CLEAR_SOURCE | WGC_ACT_INITIATE;
  }
  if (is_due(passive_keepalive_ns_, now_ns)) actions |= expire_passive_keepalive(now_ns);
  if (is_due(persistent_keepalive_ns_, now_ns)) {
    // Armed again by the keepalive on its way out.
    persistent_keepalive_ns_ = kNever;
    actions |= WGC_ACT_KEEPALIVE;
  }
  if (is_due(zero_keys_ns_, now_ns)) {
    zero_keys_ns_ = kNever;
    actions |= WGC_ACT_ZERO_KEYS;
  }
  *deadline_ns = earliest();
  return actions;
}

// 6.4
uint32_t Timers::attempts() const {
  return is_armed(retransmit_ns_) ? num_attempts_ + 1 : 0;
}

uint32_t Timers::expire_retransmit(uint64_t now_ns) {
  if (!may_initiate(now_ns)) {
    // Both sides called at the same moment, and we answered after calling. Leave would be refused
    // now; if it was on both sides and both left it at that, nobody would call again. A whole turn
    // later, so that a side that was not refused has the link to itself.
    retransmit_ns_ = now_ns + kRekeyTimeout_ns;
    return 0;
  }
  retransmit_ns_ = kNever;
  if (num_attempts_ > kMaxHandshakeAttempts) {
    // Nobody is there: stop talking, and let the keys go in their time.
    passive_keepalive_ns_ = kNever;
    needs_another_keepalive_ = 0;
    if (!is_armed(zero_keys_ns_)) zero_keys_ns_ = now_ns + kZeroKeysAfter_ns;
    return WGC_ACT_PURGE_STAGED;
  }
  ++num_attempts_;
  return WGC_ACT_CLEAR_SOURCE | WGC_ACT_INITIATE | WGC_ACT_RETRY;
}

// 6.5
uint32_t Timers::expire_passive_keepalive(uint64_t now_ns) {
  passive_keepalive_ns_ = needs_another_keepalive_ ? now_ns + kKeepaliveTimeout_ns : kNever;
  needs_another_keepalive_ = 0;
  return WGC_ACT_KEEPALIVE;
}

bool Timers::begin_initiation(bool is_retry, uint64_t now_ns) {
  // Even when the leave is refused: somebody wants the peer, so do not give up on it yet.
  if (!is_retry) num_attempts_ = 0;
  if (!may_initiate(now_ns)) return false;
  last_handshake_sent_ns_ = now_ns;
  return true;
}

bool Timers::may_initiate(uint64_t now_ns) const {
  return last_handshake_sent_ns_ == kNever ||
         age_ns(last_handshake_sent_ns_, now_ns) >= kRekeyTimeout_ns;
}

void Timers::forget_initiation() {
  last_handshake_sent_ns_ = kNever;
}

void Timers::set_persistent(uint16_t seconds) {
  persistent_s_ = seconds;
  if (seconds == 0) persistent_keepalive_ns_ = kNever;
}

}  // namespace wg
