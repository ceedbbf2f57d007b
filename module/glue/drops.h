/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Every packet that is dropped is counted by its reason, for its device and, where it is known,
 * for its peer; the counters of `ip -s link' follow from the reason.
 */
#ifndef WG_DROPS_H
#define WG_DROPS_H

#include <linux/skbuff.h>

#include "wgcore.h"
#include "wgpp.h"

struct wg_device;
struct wg_peer;

/* Of a device, on one CPU. */
struct wg_drops {
	unsigned long num[WGPP_NUM_DROPS];
};

/*
 * Of a peer. Shared by all CPUs: a peer's packets are received by one of them at a time, and a
 * million peers with counters for each CPU would take gigabytes.
 */
struct wg_peer_drops {
	atomic_long_t num[WGPP_NUM_DROPS];
	u64 last_ns;
	u32 last;	/* of enum wgpp_drop; of no meaning while last_ns is 0 */
	int last_error;
};

/**
 * wg_drop() - count packets that are dropped
 * @peer: NULL where it is not known
 */
void wg_drop(struct wg_device *wg, struct wg_peer *peer, enum wgpp_drop reason,
	     unsigned int num);

/** wg_drop_list() - count a list of packets that ends in NULL; the caller frees it */
void wg_drop_list(struct wg_peer *peer, enum wgpp_drop reason, const struct sk_buff *first);

/** wg_drop_send_error() - count a packet of @peer that could not be sent: @error is negative */
void wg_drop_send_error(struct wg_peer *peer, int error);

/** wg_drop_of_data() - the reason why a datagram or a data message is refused */
enum wgpp_drop wg_drop_of_data(enum wgc_status status);

/** wg_drop_of_initiation() - the reason why an initiation is refused */
enum wgpp_drop wg_drop_of_initiation(enum wgc_status status);

/** wg_drop_of_response() - the reason why a response is refused */
enum wgpp_drop wg_drop_of_response(enum wgc_status status);

/** wg_drops_total() - of a device, over all CPUs */
u64 wg_drops_total(const struct wg_device *wg, enum wgpp_drop reason);

#endif
