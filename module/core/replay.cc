// SPDX-License-Identifier: GPL-2.0
#include "replay.hh"

namespace wg {

void ReplayWindow::reset() {
  newest_ = 0;
  __builtin_memset(words_, 0, sizeof words_);
}

Status ReplayWindow::accept(uint64_t counter) {
  if (counter >= kRejectAfterMessages) return WGC_EXPIRED;
  const uint64_t word = counter / kWord_bits;
  if (counter > newest_) {
    // RFC 6479, 2.2: words between the old and the new position held counters a lap ago.
    const uint64_t newest_word = newest_ / kWord_bits;
    const uint64_t num_stale = min(word - newest_word, kNumWords);
    for (uint64_t i = 1; i <= num_stale; ++i) words_[(newest_word + i) % kNumWords] = 0;
    newest_ = counter;
  } else if (newest_ - counter > kReplayUsable) {
    return WGC_TOO_OLD;
  }
  const uint64_t bit = uint64_t{1} << (counter % kWord_bits);
  uint64_t &seen = words_[word % kNumWords];
  if (seen & bit) return WGC_REPLAY;
  seen |= bit;
  return WGC_OK;
}

}  // namespace wg
