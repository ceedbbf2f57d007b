// SPDX-License-Identifier: GPL-2.0
// What the processor of a program can do. For programs and tests: the core itself asks nobody.
#pragma once

#include <cstdint>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include "wgcore.h"

namespace wg {

// OR of enum wgc_cpu_feature.
inline uint32_t host_cpu_features() {
  uint32_t found = 0;
#if defined(__x86_64__)
  // The compiler's library asks the system, too, whether it saves the registers.
  if (__builtin_cpu_supports("popcnt") != 0) found |= WGC_CPU_POPCNT;
  if (__builtin_cpu_supports("bmi2") == 0) return found;
  if (__builtin_cpu_supports("avx2") != 0) found |= WGC_CPU_AVX2;
  if (__builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512vl") != 0) {
    found |= WGC_CPU_AVX512;
    if (__builtin_cpu_supports("avx512ifma") != 0) found |= WGC_CPU_IFMA;
  }
  // The library of clang 14 does not know this one.
  unsigned a, b, c, d;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b & bit_ADX) != 0) found |= WGC_CPU_ADX;
#elif defined(__aarch64__)
  found |= WGC_CPU_NEON;  // every processor that programs are made for
#endif
  return found;
}

}  // namespace wg
