// SPDX-License-Identifier: GPL-2.0
// What the processor can do. The caller finds out, as only it knows what its kernel or the user
// allows, and says so once, before anything else.
#pragma once

#include "base.hh"

namespace wg {

// OR of enum wgc_cpu_feature.
void set_cpu_features(uint32_t features);

bool cpu_has_popcnt();
bool cpu_has_avx2();
bool cpu_has_adx();

}  // namespace wg
