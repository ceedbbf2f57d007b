// SPDX-License-Identifier: GPL-2.0
// The anti-replay window of RFC 6479: a ring of words that slides by whole words, so that
// moving on clears words and never shifts bits.
#pragma once

#include "params.hh"

namespace wg {

// All zeros is a fresh window. The caller serialises.
class ReplayWindow {
 public:
  void reset();

  // Only for authenticated counters: a forged one would slide the window. WGC_OK marks it seen;
  // WGC_REPLAY: seen before; WGC_TOO_OLD: more than kReplayUsable behind the newest;
  // WGC_EXPIRED: past the message limit.
  Status accept(uint64_t counter);

 private:
  static constexpr uint64_t kWord_bits = 64;
  static constexpr uint64_t kNumWords = kReplayWindow_bits / kWord_bits;
  static_assert((kNumWords & (kNumWords - 1)) == 0, "ring positions are found by masking");

  uint64_t newest_;
  uint64_t words_[kNumWords];
};

}  // namespace wg
