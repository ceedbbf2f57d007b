// SPDX-License-Identifier: GPL-2.0
// Time in cycles of the core, whatever the clock of the time stamp counter is, and however fast the
// processor runs at the moment.
#pragma once

#include <cstdint>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace wgbench {

// Time stamps, in order with what is before and after.
inline uint64_t ticks() {
#if defined(__x86_64__)
  unsigned processor;
  _mm_lfence();
  const uint64_t now = __rdtscp(&processor);
  _mm_lfence();
  return now;
#else
  uint64_t now;
  __asm__ volatile("isb; mrs %0, cntvct_el0" : "=r"(now) : : "memory");
  return now;
#endif
}

// Core cycles in a tick, now: a chain of additions takes one cycle each.
inline double cycles_per_tick() {
  constexpr int kLen = 8192;
  double best = 0;
  for (int attempt = 0; attempt < 3; ++attempt) {
    const uint64_t begin = ticks();
    uint64_t x = 1;
    for (int i = 0; i < kLen / 128; ++i) {
#if defined(__x86_64__)
      __asm__ volatile(".rept 128\n\tlea 1(%0), %0\n\t.endr" : "+r"(x));
#else
      __asm__ volatile(".rept 128\n\tadd %0, %0, #1\n\t.endr" : "+r"(x));
#endif
    }
    const double ratio = kLen / static_cast<double>(ticks() - begin);
    if (ratio > best) best = ratio;
  }
  return best;
}

}  // namespace wgbench
