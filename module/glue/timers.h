/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One kernel timer per peer carries the core's timer policy. It may go off early, never
 * late: it is moved only when a deadline comes nearer, so steady traffic re-arms nothing.
 */
#ifndef WG_TIMERS_H
#define WG_TIMERS_H

#include <linux/spinlock.h>
#include <linux/timer.h>

#include "wgcore.h"

struct wg_peer;

struct wg_timers {
	spinlock_t lock;
	struct wgc_timers core;
	struct timer_list timer;
	u64 armed_ns;		/* when the pending timer goes off */
	bool is_running;	/* device up and peer alive */
};

void wg_timers_init(struct wg_peer *peer);

/** wg_timers_start() - the device is up: events count from here on */
void wg_timers_start(struct wg_peer *peer);

/** wg_timers_stop() - disarm and wait for a running callback. Context: process. */
void wg_timers_stop(struct wg_peer *peer);

/** wg_timers_event() - OR of enum wgc_timer_event */
void wg_timers_event(struct wg_peer *peer, u32 events);

/** wg_timers_begin_initiation() - leave to send an initiation that is no retry; see the core */
bool wg_timers_begin_initiation(struct wg_peer *peer);

/** wg_timers_forget_initiation() - the next initiation need not wait for the last one */
void wg_timers_forget_initiation(struct wg_peer *peer);

/** wg_timers_set_persistent() - Return: whether keepalives were off and are on now */
bool wg_timers_set_persistent(struct wg_peer *peer, u16 seconds);

u16 wg_timers_persistent(struct wg_peer *peer);

/* What user space may want to know of them. */
struct wg_timer_facts {
	u32 num_attempts;	/* initiations for the handshake under way */
	u64 next_ns;		/* boot time; 0 for none */
};

void wg_timers_get_facts(struct wg_peer *peer, struct wg_timer_facts *facts);

#endif
