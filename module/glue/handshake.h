/* SPDX-License-Identifier: GPL-2.0 */
/* Handshake messages that come in. */
#ifndef WG_HANDSHAKE_H
#define WG_HANDSHAKE_H

#include <linux/workqueue.h>

struct sk_buff;
struct wg_device;
struct wg_peer;

/**
 * wg_handshake_queue_message() - queue a classified message; consumes @skb
 *
 * Dropped when the queue is full, or more than half full and contended.
 * Context: softirq.
 */
void wg_handshake_queue_message(struct wg_device *wg, struct sk_buff *skb);

/** wg_handshake_purge_queue() - free what is queued */
void wg_handshake_purge_queue(struct wg_device *wg);

/** wg_handshake_complete() - note the time of a finished handshake */
void wg_handshake_complete(struct wg_peer *peer);

/** wg_handshake_clear() - wipe a handshake in progress and its index. Process context. */
void wg_handshake_clear(struct wg_peer *peer);

/* Work functions. */
void wg_handshake_receive_work(struct work_struct *work);
void wg_handshake_zero_keys_work(struct work_struct *work);

#endif
