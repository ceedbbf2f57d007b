// SPDX-License-Identifier: GPL-2.0
#include "cpu.hh"

#include "wgcore.h"

namespace wg {
namespace {

// The one variable of the core. The kernel makes its section read-only when the module is loaded.
[[gnu::section(".data..ro_after_init")]] uint32_t cpu_features = 0;

constexpr bool contains(uint32_t features, uint32_t needed) {
  return (features & needed) == needed;
}

struct Level {
  char name[8];
  uint32_t needed;
  uint32_t used;
};

// From the slowest to the fastest. No level but scalar goes without the rest that there is.
constexpr Level kLevels[] = {
    {"scalar", 0, WGC_CPU_POPCNT},
    {"neon", WGC_CPU_NEON, ~uint32_t{0}},
    {"avx2", WGC_CPU_AVX2, ~uint32_t{WGC_CPU_AVX512}},
    {"avx512", WGC_CPU_AVX2 | WGC_CPU_AVX512, ~uint32_t{0}},
};

bool is_same(const char *a, const char *b) {
  for (; *a != '\0' && *a == *b; ++a) ++b;
  return *a == *b;
}

}  // namespace

void set_cpu_features(uint32_t features) {
  cpu_features = features;
}

bool choose_cpu_level(uint32_t features, const char *level) {
  if (is_same(level, "auto")) {
    cpu_features = features;
    return true;
  }
  for (const Level &known : kLevels) {
    if (!is_same(level, known.name) || !contains(features, known.needed)) continue;
    cpu_features = features & known.used;
    return true;
  }
  return false;
}

const char *cpu_level(uint32_t features, size_t index) {
  for (const Level &known : kLevels) {
    if (!contains(features, known.needed)) continue;
    if (index == 0) return known.name;
    --index;
  }
  return nullptr;
}

bool cpu_has_popcnt() {
  return contains(cpu_features, WGC_CPU_POPCNT);
}

bool cpu_has_avx2() {
  return contains(cpu_features, WGC_CPU_AVX2);
}

bool cpu_has_avx512() {
  return contains(cpu_features, WGC_CPU_AVX2 | WGC_CPU_AVX512);
}

bool cpu_has_ifma() {
  return cpu_has_avx512() && contains(cpu_features, WGC_CPU_IFMA);
}

bool cpu_has_adx() {
  return contains(cpu_features, WGC_CPU_ADX);
}

bool cpu_has_neon() {
  return contains(cpu_features, WGC_CPU_NEON);
}

}  // namespace wg
