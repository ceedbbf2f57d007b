// SPDX-License-Identifier: GPL-2.0
// Rotation of a peer's three keypairs (the paper, 6.2 and 6.3; slots as in 5.4.6). The pointers
// are the caller's: nothing here looks at what they point to.
#pragma once

#include "params.hh"

namespace wg {

// An initiator has heard from the responder, so it sends with the new key at once. A responder's
// key waits in next until data under it proves that the initiator has it too.
void keyslots_install(wgc_keyslots *slots, wgc_dropped *dropped, void *key, bool is_initiator);

// Data came in under key. True when that made next the current one.
bool keyslots_confirm(wgc_keyslots *slots, wgc_dropped *dropped, void *key);

void keyslots_clear(wgc_keyslots *slots, wgc_dropped *dropped);

}  // namespace wg
