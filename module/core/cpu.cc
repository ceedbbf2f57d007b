// SPDX-License-Identifier: GPL-2.0
#include "cpu.hh"

#include "wgcore.h"

namespace wg {
namespace {

// The one variable of the core. The kernel makes its section read-only when the module is loaded.
[[gnu::section(".data..ro_after_init")]] uint32_t cpu_features = 0;

}  // namespace

void set_cpu_features(uint32_t features) {
  cpu_features = features;
}

bool cpu_has_popcnt() {
  return (cpu_features & WGC_CPU_POPCNT) != 0;
}

bool cpu_has_avx2() {
  return (cpu_features & WGC_CPU_AVX2) != 0;
}

bool cpu_has_adx() {
  return (cpu_features & WGC_CPU_ADX) != 0;
}

}  // namespace wg
