// SPDX-License-Identifier: GPL-2.0
// Protocol constants. Section numbers are the WireGuard paper's; times are in nanoseconds.
#pragma once

#include "base.hh"
#include "wgcore.h"

namespace wg {

using Status = ::wgc_status;

inline constexpr size_t kKeyLen = 32;
inline constexpr size_t kHashLen = 32;
inline constexpr size_t kTagLen = 16;
inline constexpr size_t kMacLen = 16;     // 5.4.4: keyed BLAKE2s-128
inline constexpr size_t kCookieLen = 16;  // 5.4.7
inline constexpr size_t kTimestampLen = 12;

inline constexpr uint64_t kNsPerSecond = 1000000000;
inline constexpr uint64_t kNsPerMs = 1000000;

// 6.1, table of constants.
inline constexpr uint64_t kRekeyAfterTime_ns = 120 * kNsPerSecond;
inline constexpr uint64_t kRejectAfterTime_ns = 180 * kNsPerSecond;
inline constexpr uint64_t kRekeyTimeout_ns = 5 * kNsPerSecond;
inline constexpr uint64_t kRekeyAttemptTime_ns = 90 * kNsPerSecond;
inline constexpr uint64_t kKeepaliveTimeout_ns = 10 * kNsPerSecond;
inline constexpr uint64_t kRekeyAfterMessages = uint64_t{1} << 60;

// 5.4.6 and RFC 6479: bits in the window, and how far behind the newest counter one may be.
// The word that the newest counter lies in is partly in the future, hence one word less.
inline constexpr uint64_t kReplayWindow_bits = 8192;
inline constexpr uint64_t kReplayUsable = kReplayWindow_bits - 64;

// Counters from here on are refused in both directions, a window before they would wrap.
inline constexpr uint64_t kRejectAfterMessages = ~uint64_t{0} - kReplayUsable - 1;

// 6.2: an initiator that receives with a key this old rekeys while the key still works.
inline constexpr uint64_t kLastMinute_ns =
    kRejectAfterTime_ns - kKeepaliveTimeout_ns - kRekeyTimeout_ns;

// 6.1: spreads the handshakes of peers that started together; jitter is below this.
inline constexpr uint64_t kMaxJitter_ns = kNsPerSecond / 3;

// 6.4: the first initiation is attempt 0; one more than this many retries are made.
inline constexpr uint32_t kMaxHandshakeAttempts = kRekeyAttemptTime_ns / kRekeyTimeout_ns;

// 6.3: keys are wiped when nothing replaced them for three lifetimes.
inline constexpr uint64_t kZeroKeysAfter_ns = 3 * kRejectAfterTime_ns;

// 6.5: data went out and nothing authenticated came back.
inline constexpr uint64_t kNewHandshakeAfter_ns = kKeepaliveTimeout_ns + kRekeyTimeout_ns;

// 5.4.7: lifetime of the secret behind cookies; a sender stops 5 s earlier, for the way there.
inline constexpr uint64_t kCookieSecretLifetime_ns = 120 * kNsPerSecond;
inline constexpr uint64_t kCookieLifetime_ns = kCookieSecretLifetime_ns - 5 * kNsPerSecond;

// 5.3 asks for a limit per peer without a figure; mainline accepts 50 initiations a second.
inline constexpr uint64_t kMinInitiationGap_ns = kNsPerSecond / 50;

// 5.3 asks for a limit per source; mainline's figures: 20 a second, 5 at once.
inline constexpr uint64_t kTokenCost_ns = kNsPerSecond / 20;
inline constexpr uint64_t kTokenMax_ns = 5 * kTokenCost_ns;
inline constexpr uint64_t kBucketIdle_ns = kNsPerSecond;

// 5.4.2: TAI64N label of 1970, and how much of the nanoseconds is hidden from observers.
inline constexpr uint64_t kTai64Epoch = 0x400000000000000a;
inline constexpr uint32_t kTimestampWhitening_ns = 1u << 24;

// 5.4.6: payloads are padded to a multiple of this.
inline constexpr uint32_t kPaddingMultiple = 16;

// Age of something born at birth_ns. Clocks read on two CPUs may be a tick apart: never negative.
[[gnu::always_inline]] constexpr uint64_t age_ns(uint64_t birth_ns, uint64_t now_ns) {
  return now_ns > birth_ns ? now_ns - birth_ns : 0;
}

}  // namespace wg
