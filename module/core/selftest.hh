// SPDX-License-Identifier: GPL-2.0
// Known-answer tests of the primitives, for the moment the code is loaded.
#pragma once

namespace wg {

// Runs every primitive against a known answer, and checks that a forged message and a low-order
// point are refused. Takes about a millisecond. Returns NULL, or the name of what failed first.
const char *selftest();

// What packets are sealed and opened with in batches, against the single packets that selftest()
// has tried. Touches vector registers. Returns NULL, or the name of what failed.
const char *selftest_vectors();

}  // namespace wg
