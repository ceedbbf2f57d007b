// SPDX-License-Identifier: GPL-2.0
#include "keyslots.hh"

namespace wg {
namespace {

// Empties a slot into the list of what the caller has to release.
void drop(wgc_dropped *dropped, void **slot) {
  if (*slot != nullptr) dropped->keys[dropped->num_keys++] = *slot;
  *slot = nullptr;
}

// Moves one slot into another that is empty.
void shift(void **to, void **from) {
  *to = *from;
  *from = nullptr;
}

}  // namespace

void keyslots_install(wgc_keyslots *slots, wgc_dropped *dropped, void *key, bool is_initiator) {
  dropped->num_keys = 0;
  drop(dropped, &slots->previous_key);
  if (!is_initiator) {
    drop(dropped, &slots->next_key);
    slots->next_key = key;
    return;
  }
  if (slots->next_key != nullptr) {
    // Both sides started a handshake. The other one may be sending with next already, which is
    // newer than current: keep that one for receiving.
    drop(dropped, &slots->current_key);
    shift(&slots->previous_key, &slots->next_key);
  } else {
    shift(&slots->previous_key, &slots->current_key);
  }
  slots->current_key = key;
}

bool keyslots_confirm(wgc_keyslots *slots, wgc_dropped *dropped, void *key) {
  dropped->num_keys = 0;
  if (key == nullptr || slots->next_key != key) return false;
  drop(dropped, &slots->previous_key);
  shift(&slots->previous_key, &slots->current_key);
  shift(&slots->current_key, &slots->next_key);
  return true;
}

void keyslots_clear(wgc_keyslots *slots, wgc_dropped *dropped) {
  dropped->num_keys = 0;
  // next first: a reader that confirms it meanwhile would bring it back as current.
  drop(dropped, &slots->next_key);
  drop(dropped, &slots->previous_key);
  drop(dropped, &slots->current_key);
}

}  // namespace wg
