// SPDX-License-Identifier: GPL-2.0
// What the core may use of this processor.
#pragma once

#include <string>

namespace wg::tool {

/**
 * Tells the core what this processor has, less what the variable WGPP_CRYPTO keeps it from:
 * "auto" (the default) is the best there is; the others are what wgc_cpu_level() names.
 *
 * Throws Error when the variable names something else, or something that the processor lacks.
 */
void choose_crypto();

/** What was chosen, and what there is: a line for people. */
std::string crypto_text();

}  // namespace wg::tool
