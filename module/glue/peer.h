/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A peer: found by public key, by index or by AllowedIPs under RCU, kept by reference.
 * Packets in its queues, scheduled work and lookups in use hold a reference; its
 * keypairs and its timer do not, they are gone before the peer's own reference is.
 */
#ifndef WG_PEER_H
#define WG_PEER_H

#include <linux/kref.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <net/dst_cache.h>

#include "device.h"
#include "keypairs.h"
#include "queueing.h"
#include "timers.h"

struct wg_endpoint {
	union {
		struct sockaddr addr;
		struct sockaddr_in addr4;
		struct sockaddr_in6 addr6;
	};
	/* Where the last packet was addressed to: the source of the next one. */
	union {
		struct {
			struct in_addr src4;
			int src_if4;	/* interface it came in by; 0 if not known */
		};
		struct in6_addr src6;
	};
};

/* One that the peer had, or has. */
struct wg_past_endpoint {
	union {
		struct sockaddr addr;
		struct sockaddr_in addr4;
		struct sockaddr_in6 addr6;
	};
	u64 since_ns;	/* 0 for none */
};

#define WG_NUM_PAST_ENDPOINTS 4

struct wg_peer {
	struct wg_device *wg;
	u8 public_key[WGC_KEY_LEN];
	u64 id;

	struct sk_buff_head staged;	/* its lock orders nonces too */
	struct wg_ordered_queue send_queue;
	struct wg_ordered_queue receive_queue;
	struct napi_struct napi;
	struct work_struct send_work;
	int send_cpu;

	struct wg_keypairs keypairs;
	struct mutex handshake_lock;
	struct wgc_handshake handshake;
	struct wg_index_entry handshake_entry;
	struct work_struct initiation_work;
	struct work_struct zero_keys_work;
	u64 last_handshake_unix_ns;	/* wall clock; 0 for never */

	rwlock_t endpoint_lock;
	struct wg_endpoint endpoint;
	struct dst_cache endpoint_cache;
	struct wg_past_endpoint past_endpoints[WG_NUM_PAST_ENDPOINTS];	/* newest first */

	spinlock_t cookie_lock;
	struct wgc_cookie_jar cookie_jar;

	struct wg_timers timers;

	atomic64_t rx_bytes;
	atomic64_t tx_bytes;
	atomic64_t num_handshakes;
	struct wg_peer_drops drops;

	struct list_head peer_list;		/* wg->peers */
	struct list_head allowedips_list;
	struct hlist_node pubkey_hash;
	struct kref refcount;
	struct rcu_head rcu;
	bool is_dead;	/* written under keypairs.lock and handshake_lock */
};

/**
 * wg_peer_create() - add a peer
 * @psk: 32 bytes
 *
 * Context: update_lock, identity_lock not held.
 *
 * Return: the peer, kept alive by the device, or ERR_PTR(-ENOMEM).
 */
struct wg_peer *wg_peer_create(struct wg_device *wg, const u8 public_key[WGC_KEY_LEN],
			       const u8 *psk);

/** wg_peer_remove() - take a peer out; waits for its packets. Context: update_lock. */
void wg_peer_remove(struct wg_peer *peer);

/** wg_peer_remove_all() - the same for all, with one grace period. Context: update_lock. */
void wg_peer_remove_all(struct wg_device *wg);

/**
 * wg_peer_expire_sessions() - what was agreed on seals nothing more
 *
 * Sessions go on receiving until they end. The next packet makes a handshake at once.
 * Context: update_lock.
 */
void wg_peer_expire_sessions(struct wg_peer *peer);

/** wg_peer_get_rcu() - take a reference if there is one left. Context: RCU read side. */
struct wg_peer *wg_peer_get_rcu(struct wg_peer *peer);

static inline struct wg_peer *wg_peer_get(struct wg_peer *peer)
{
	kref_get(&peer->refcount);
	return peer;
}

void wg_peer_put(struct wg_peer *peer);

int wg_peer_init(void);
void wg_peer_uninit(void);

#endif
