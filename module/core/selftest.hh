// SPDX-License-Identifier: GPL-2.0
// Known-answer tests of the primitives, for the moment the code is loaded.
#pragma once

#include "x25519.hh"

namespace wg {

// Runs every primitive against a known answer, and checks that a forged message and a low-order
// point are refused. Takes about a millisecond. Returns NULL, or the name of what failed first.
const char *selftest();

// What works on several packets or points at once, against the single ones that selftest() has
// tried. Touches vector registers. Returns NULL, or the name of what failed.
const char *selftest_vectors(X25519Batch &work);

}  // namespace wg
