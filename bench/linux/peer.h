/* SPDX-License-Identifier: GPL-2.0 */
#ifndef WGPP_BENCH_PEER_H
#define WGPP_BENCH_PEER_H
#include "kernel.h"

struct wg_peer { struct list_head allowedips_list; };

/* The reference is what the comparison leaves out. */
static inline struct wg_peer *wg_peer_get_maybe_zero(struct wg_peer *peer) { return peer; }
static inline void wg_peer_put(struct wg_peer *peer) { (void)peer; }
#endif
