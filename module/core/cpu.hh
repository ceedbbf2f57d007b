// SPDX-License-Identifier: GPL-2.0
// What the processor can do. The caller finds out, as only it knows what its kernel or the user
// allows, and says so once, before anything else.
#pragma once

#include "base.hh"

namespace wg {

// OR of enum wgc_cpu_feature.
void set_cpu_features(uint32_t features);

// Of those, what a level of the cryptography works with: a name that cpu_level() gives, or "auto",
// which is the best one.
// False, and nothing has changed, when there is no such level with these features.
[[nodiscard]] bool choose_cpu_level(uint32_t features, const char *level);

// The levels that there are with these features, each faster than the one before; null when index
// is too large.
const char *cpu_level(uint32_t features, size_t index);

bool cpu_has_popcnt();
bool cpu_has_avx2();
bool cpu_has_avx512();
bool cpu_has_ifma();
bool cpu_has_adx();
bool cpu_has_neon();

}  // namespace wg
