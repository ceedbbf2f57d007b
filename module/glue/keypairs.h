/* SPDX-License-Identifier: GPL-2.0 */
/* Transport keypairs of a peer and their three slots; which goes where is the core's say. */
#ifndef WG_KEYPAIRS_H
#define WG_KEYPAIRS_H

#include <linux/kref.h>
#include <linux/spinlock.h>

#include "peerlookup.h"
#include "wgcore.h"

struct wg_peer;

struct wg_keypair {
	struct wg_index_entry entry;
	struct wgc_session session;
	u64 next_counter;		/* peer->staged.lock */
	spinlock_t receive_lock;	/* the session's replay window */
	struct kref refcount;
	struct rcu_head rcu;
};

struct wg_keypairs {
	spinlock_t lock;	/* writers; readers use RCU */
	struct wg_keypair __rcu *next_key;
	struct wg_keypair __rcu *current_key;
	struct wg_keypair __rcu *previous_key;
};

void wg_keypairs_init(struct wg_keypairs *keypairs);

/**
 * wg_keypairs_begin_session() - turn a finished handshake into a keypair
 *
 * The keypair takes over the handshake's index. Context: peer->handshake_lock.
 *
 * Return: false when out of memory, when the handshake is not finished, or the peer dead.
 */
bool wg_keypairs_begin_session(struct wg_peer *peer);

/** wg_keypairs_confirm() - data came in under @keypair. Return: true if it was the first. */
bool wg_keypairs_confirm(struct wg_peer *peer, struct wg_keypair *keypair);

/** wg_keypairs_clear() - drop all keypairs */
void wg_keypairs_clear(struct wg_peer *peer);

/** wg_keypairs_stop_sending() - keep receiving, but seal nothing more */
void wg_keypairs_stop_sending(struct wg_peer *peer);

/** wg_keypair_get_rcu() - NULL for NULL or a keypair on its way out. Context: RCU read side. */
struct wg_keypair *wg_keypair_get_rcu(struct wg_keypair *keypair);

void wg_keypair_put(struct wg_keypair *keypair);

#endif
