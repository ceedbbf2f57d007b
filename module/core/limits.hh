// SPDX-License-Identifier: GPL-2.0
// Token bucket per source of handshake messages (the paper, 5.3). Tokens are counted as the time
// in nanoseconds in which they fill up.
#pragma once

#include "params.hh"

namespace wg {

// A full bucket, from which the first token is already taken.
void bucket_init(wgc_bucket *bucket, uint64_t now_ns);

// False when there is no whole token.
bool bucket_take(wgc_bucket *bucket, uint64_t now_ns);

// Unused for so long that it is full again.
bool bucket_idle(const wgc_bucket &bucket, uint64_t now_ns);

}  // namespace wg
