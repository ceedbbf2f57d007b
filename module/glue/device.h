/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A tunnel device and what it owns.
 *
 * Locks, outermost first:
 *   RTNL
 *   update_lock           configuration: peers, AllowedIPs; held for a whole request
 *   socket_update_lock    replacing the sockets
 *   identity_lock         the key pair: written by configuration, read by handshakes
 *   peer->handshake_lock  one peer's handshake, identity_lock is held for reading
 *   cookie_lock           the secret for cookies, and which key macs are made for
 *   then the spinlocks: peer staged.lock, queue, keypair, endpoint and timer locks
 */
#ifndef WG_DEVICE_H
#define WG_DEVICE_H

#include <linux/if_ether.h>
#include <linux/ipv6.h>
#include <linux/mutex.h>
#include <linux/net.h>
#include <linux/netdevice.h>
#include <linux/ptr_ring.h>
#include <linux/rwsem.h>
#include <linux/udp.h>
#include <linux/workqueue.h>

#include "allowedips.h"
#include "cookie.h"
#include "drops.h"
#include "peerlookup.h"

/* Room for the outer headers: WireGuard's, UDP, IPv6 (the larger), and the link's. */
#define WG_DATA_HEADROOM \
	(ALIGN(WGC_DATA_HEADER_LEN + sizeof(struct udphdr) + sizeof(struct ipv6hdr), 4) + \
	 NET_SKB_PAD)
/* Without this much the UDP and IP headers do not fit; the link makes room by itself. */
#define WG_MIN_HEADROOM (WGC_DATA_HEADER_LEN + sizeof(struct udphdr) + \
			 sizeof(struct ipv6hdr) + ETH_HLEN + 2)
#define WG_DATA_TAILROOM (WGC_TAG_LEN + 16)
#define WG_OUTER_OVERHEAD (WGC_DATA_OVERHEAD + sizeof(struct udphdr) + \
			   sizeof(struct ipv6hdr))

#define WG_MAX_PEERS (1U << 20)

struct wg_device;

/* A work item on one CPU that drains a queue. */
struct wg_worker {
	struct work_struct work;
	struct wg_device *wg;
};

/* Where the text of a packet is before it is sealed: head, padding, and pages between them. */
#define WG_MAX_SEGMENTS 6

/* A worker that seals, with room for what a batch consists of: too much for a stack. */
struct wg_seal_worker {
	struct wg_worker worker;
	struct wgc_segment segments[WGC_BATCH_LEN][WG_MAX_SEGMENTS];
};

/* Packets of all peers that wait for some CPU. */
struct wg_crypt_queue {
	struct ptr_ring ring;
	struct wg_worker __percpu *workers;
	int last_cpu;		/* round robin; a lost update does no harm */
};

struct wg_handshake_queue {
	struct wg_crypt_queue queue;
	atomic_t len;
	atomic64_t last_under_load_ns;
};

struct wg_device {
	struct net_device *dev;
	struct wg_crypt_queue encrypt_queue;
	struct wg_crypt_queue decrypt_queue;
	struct wg_handshake_queue handshake_queue;
	struct workqueue_struct *handshake_receive_wq;
	struct workqueue_struct *handshake_send_wq;
	struct workqueue_struct *packet_wq;

	struct sock __rcu *sock4;
	struct sock __rcu *sock6;
	struct net __rcu *creating_net;	/* no reference: cleared when it exits */
	u32 fwmark;
	u16 listen_port;
	struct mutex socket_update_lock;

	struct rw_semaphore identity_lock;
	struct wgc_identity identity;
	struct rw_semaphore cookie_lock;
	struct wgc_cookie_checker cookie_checker;

	struct wg_allowedips allowedips;
	struct wg_peer_table *peer_table;
	struct wg_index_table *index_table;

	struct mutex update_lock;
	struct list_head peers;
	unsigned int num_peers;
	unsigned int update_gen;	/* changes whenever a dump would differ */

	struct wg_drops __percpu *drops;

	struct list_head device_list;	/* RTNL */
};

extern struct rtnl_link_ops wg_link_ops;

int wg_device_init(const char *kind);
void wg_device_uninit(void);

/* Whether @dev is one of ours. */
static inline bool wg_is_device(const struct net_device *dev)
{
	return dev->rtnl_link_ops == &wg_link_ops;
}

#endif
