// SPDX-License-Identifier: GPL-2.0
// The timer policy against the table on the protocol page: each deadline is one entry of a map,
// and what is due is what the map says. On top of it, what has to hold however events come:
// attempts are bounded, leave is never given twice within 5 s, nothing is armed after a stop.
#include <map>
#include <string>

#include "input.hh"
#include "ops.hh"
#include "wgcore.h"

namespace {

using wgfuzz::Input;
using wgfuzz::TimerOp;

constexpr uint64_t kSecond = 1000000000;
constexpr unsigned kMaxRetries = 19;  // 20 initiations, the first of which is none

class Model {
 public:
  uint64_t deadline_ns() const {
    uint64_t earliest = WGC_NO_DEADLINE;
    for (const auto &[name, due_ns] : due_) earliest = due_ns < earliest ? due_ns : earliest;
    return earliest;
  }

  void event(uint32_t events, uint32_t random, uint64_t now_ns) {
    const auto has = [events](uint32_t event) { return (events & event) != 0; };
    const uint64_t jitter_ns = (uint64_t{random} * (kSecond / 3)) >> 32;
    if (has(WGC_EV_ANY_SENT)) forget_passive();
    if (has(WGC_EV_ANY_RECEIVED)) due_.erase("new handshake");
    if (has(WGC_EV_ANY_SENT | WGC_EV_ANY_RECEIVED) && interval_s != 0) {
      due_["persistent"] = now_ns + interval_s * kSecond;
    }
    if (has(WGC_EV_INITIATION_SENT)) due_["retransmit"] = now_ns + 5 * kSecond + jitter_ns;
    if (has(WGC_EV_RESPONSE_SENT)) sent_ns_ = now_ns, was_sent_ = true;
    if (has(WGC_EV_HANDSHAKE_COMPLETE)) {
      due_.erase("retransmit");
      num_retries_ = 0;
    }
    if (has(WGC_EV_SESSION_DERIVED)) due_["zero"] = now_ns + 540 * kSecond;
    if (has(WGC_EV_DATA_SENT)) due_.emplace("new handshake", now_ns + 15 * kSecond + jitter_ns);
    if (has(WGC_EV_DATA_RECEIVED)) {
      const bool is_first = due_.emplace("passive", now_ns + 10 * kSecond).second;
      if (!is_first) owes_another_ = true;
    }
  }

  uint32_t expire(uint64_t now_ns) {
    uint32_t actions = 0;
    if (take("retransmit", now_ns)) actions |= retransmit(now_ns);
    if (take("new handshake", now_ns)) actions |= WGC_ACT_CLEAR_SOURCE | WGC_ACT_INITIATE;
    if (take("passive", now_ns)) {
      actions |= WGC_ACT_KEEPALIVE;
      if (owes_another_) due_["passive"] = now_ns + 10 * kSecond;
      owes_another_ = false;
    }
    if (take("persistent", now_ns)) actions |= WGC_ACT_KEEPALIVE;
    if (take("zero", now_ns)) actions |= WGC_ACT_ZERO_KEYS;
    return actions;
  }

  bool begin(bool is_retry, uint64_t now_ns) {
    if (!is_retry) num_retries_ = 0;
    if (!may_initiate(now_ns)) return false;
    sent_ns_ = now_ns;
    was_sent_ = true;
    return true;
  }
  bool may_initiate(uint64_t now_ns) const {
    return !was_sent_ || now_ns - sent_ns_ >= 5 * kSecond;
  }

  void stop() {
    due_.clear();
    owes_another_ = was_sent_ = false;
    num_retries_ = 0;
  }
  void set_persistent(uint16_t seconds) {
    interval_s = seconds;
    if (seconds == 0) due_.erase("persistent");
  }

  uint16_t interval_s = 0;

 private:
  bool take(const char *name, uint64_t now_ns) {
    const auto it = due_.find(name);
    if (it == due_.end() || it->second > now_ns) return false;
    due_.erase(it);
    return true;
  }
  void forget_passive() {
    due_.erase("passive");
    owes_another_ = false;
  }
  uint32_t retransmit(uint64_t now_ns) {
    if (!may_initiate(now_ns)) {
      due_["retransmit"] = now_ns + 5 * kSecond;
      return 0;
    }
    if (num_retries_ == kMaxRetries) {
      forget_passive();
      due_.emplace("zero", now_ns + 540 * kSecond);
      return WGC_ACT_PURGE_STAGED;
    }
    ++num_retries_;
    return WGC_ACT_CLEAR_SOURCE | WGC_ACT_INITIATE | WGC_ACT_RETRY;
  }

  std::map<std::string, uint64_t> due_;
  uint64_t sent_ns_ = 0;
  bool was_sent_ = false;
  bool owes_another_ = false;
  unsigned num_retries_ = 0;
};

class Run {
 public:
  Run() { wgc_timers_init(&timers_); }

  void event(uint32_t events, uint32_t random) {
    const uint64_t deadline_ns = wgc_timers_event(&timers_, events, random, now_ns_);
    model_.event(events, random, now_ns_);
    REQUIRE(deadline_ns == model_.deadline_ns());
    if ((events & WGC_EV_HANDSHAKE_COMPLETE) != 0) num_retries_ = 0;
    if ((events & WGC_EV_SESSION_DERIVED) != 0) has_keys_ = true, derived_ns_ = now_ns_;
  }

  void wait(uint64_t ns) { now_ns_ += ns; }

  // To just before, at or just after the next deadline.
  void wait_for_deadline(uint8_t where) {
    const uint64_t deadline_ns = model_.deadline_ns();
    if (deadline_ns == WGC_NO_DEADLINE || deadline_ns <= now_ns_) return;
    now_ns_ = deadline_ns + where % 3U - 1;
  }

  // As the glue does, but what it carries out may fail: then no event comes back.
  void expire(bool is_carried_out, uint32_t random) {
    const bool was_due = model_.deadline_ns() <= now_ns_;
    uint64_t deadline_ns = 0;
    const uint32_t actions = wgc_timers_expire(&timers_, &deadline_ns, now_ns_);
    REQUIRE(actions == model_.expire(now_ns_));
    REQUIRE(deadline_ns == model_.deadline_ns());
    REQUIRE(was_due || actions == 0);
    REQUIRE(deadline_ns > now_ns_);
    uint64_t again_ns = 0;
    REQUIRE(wgc_timers_expire(&timers_, &again_ns, now_ns_) == 0 && again_ns == deadline_ns);

    if ((actions & WGC_ACT_RETRY) != 0) {
      REQUIRE((actions & WGC_ACT_INITIATE) != 0);
      REQUIRE(++num_retries_ <= kMaxRetries);
    }
    if ((actions & WGC_ACT_ZERO_KEYS) != 0) has_keys_ = false;
    // Keys do not outlive three times their use.
    REQUIRE(!has_keys_ || now_ns_ - derived_ns_ < 540 * kSecond);
    if (!is_carried_out) return;
    if ((actions & WGC_ACT_INITIATE) != 0 && begin((actions & WGC_ACT_RETRY) != 0)) {
      event(WGC_EV_ANY_SENT | WGC_EV_INITIATION_SENT, random);
    }
    if ((actions & WGC_ACT_KEEPALIVE) != 0) event(WGC_EV_ANY_SENT, random);
  }

  bool begin(bool is_retry) {
    REQUIRE(wgc_timers_may_initiate(&timers_, now_ns_) == model_.may_initiate(now_ns_));
    const bool has_leave = wgc_timers_begin_initiation(&timers_, is_retry, now_ns_);
    REQUIRE(has_leave == model_.begin(is_retry, now_ns_));
    if (!is_retry) num_retries_ = 0;
    if (!has_leave) return false;
    REQUIRE(!had_leave_ || now_ns_ - leave_ns_ >= 5 * kSecond);
    had_leave_ = true;
    leave_ns_ = now_ns_;
    return true;
  }

  void set_persistent(uint16_t seconds) {
    wgc_timers_set_persistent(&timers_, seconds);
    model_.set_persistent(seconds);
    REQUIRE(wgc_timers_persistent(&timers_) == seconds);
  }

  // The peer is gone or the device down.
  void stop() {
    wgc_timers_stop(&timers_);
    model_.stop();
    had_leave_ = has_keys_ = false;
    num_retries_ = 0;
    REQUIRE(wgc_timers_event(&timers_, 0, 0, now_ns_) == WGC_NO_DEADLINE);
    uint64_t deadline_ns = 0;
    REQUIRE(wgc_timers_expire(&timers_, &deadline_ns, now_ns_ + 3600 * kSecond) == 0);
    REQUIRE(deadline_ns == WGC_NO_DEADLINE);
    REQUIRE(wgc_timers_persistent(&timers_) == model_.interval_s);
  }

 private:
  wgc_timers timers_{};
  Model model_;
  uint64_t now_ns_ = kSecond;
  uint64_t leave_ns_ = 0;
  uint64_t derived_ns_ = 0;
  bool had_leave_ = false;
  bool has_keys_ = false;
  unsigned num_retries_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
  Input in(data, len);
  Run run;
  while (!in.empty()) {
    switch (static_cast<TimerOp>(in.below(static_cast<unsigned>(TimerOp::kNumOps)))) {
      case TimerOp::kEvent: {
        const uint8_t events = in.u8();
        run.event(events, in.u16() * 0x10001U);
        break;
      }
      case TimerOp::kWait: {
        const uint8_t how = in.u8();
        if (how < 64) {
          run.wait_for_deadline(how);
        } else {
          run.wait(how < 192 ? (how - 64U) * kSecond / 10 : (how - 191U) * 10 * kSecond);
        }
        break;
      }
      case TimerOp::kExpire: {
        const uint8_t how = in.u8();
        run.expire((how & 1) != 0, how * 0x01010101U);
        break;
      }
      case TimerOp::kBegin:
        run.begin(in.flag());
        break;
      case TimerOp::kPersistent:
        run.set_persistent(in.flag() ? in.u16() : in.u8());
        break;
      default:
        run.stop();
        break;
    }
  }
  return 0;
}
