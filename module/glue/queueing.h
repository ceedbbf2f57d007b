/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Parallel work, ordered delivery.
 *
 * A unit of work is one entry: on the way out a batch (a list of packets of one peer
 * under one keypair with consecutive counters), on the way in one packet. It stands in
 * two queues at once: in its peer's ordered queue, which fixes the order of delivery,
 * and in the device's ring, from which any CPU takes it for sealing or opening. When
 * that is done the entry's state changes, and the peer's consumer, which takes entries
 * from the front of the ordered queue only, may go on.
 *
 * An entry holds a reference to its peer and to its keypair until it is consumed.
 */
#ifndef WG_QUEUEING_H
#define WG_QUEUEING_H

#include <linux/skbuff.h>
#include <net/ip_tunnels.h>

#include "device.h"

struct wg_peer;
struct wg_keypair;

enum wg_packet_state {
	WG_PACKET_PENDING,	/* not yet sealed or opened */
	WG_PACKET_DONE,
	WG_PACKET_FAILED,	/* to be freed by the consumer */
};

struct wg_packet_cb {
	u64 counter;
	struct wg_keypair *keypair;
	struct wg_peer *peer;
	atomic_t state;
	u32 mtu;
	u8 ds_field;
};

#define WG_PACKET_CB(skb) ((struct wg_packet_cb *)((skb)->cb))

/* One consumer, any number of producers; entries are linked through skb->prev. */
struct wg_ordered_queue {
	spinlock_t lock;
	struct sk_buff *head;
	struct sk_buff *tail;
	u32 len;
	bool is_closed;
};

#define WG_ORDERED_QUEUE_MAX 1024
#define WG_CRYPT_RING_LEN 1024
#define WG_STAGED_MAX 128
#define WG_HANDSHAKE_RING_LEN 4096
/*
 * Entries that one run of a work item takes. Then it queues itself again: under steady
 * traffic it would never return otherwise, and a flush would never end.
 */
#define WG_WORK_BUDGET 256

void wg_ordered_queue_init(struct wg_ordered_queue *queue);

/** wg_ordered_queue_append() - Return: false when full or closed, then nothing is taken over */
bool wg_ordered_queue_append(struct wg_ordered_queue *queue, struct sk_buff *entry);

/** wg_ordered_queue_pop() - the entry at the front if it is no longer pending, else NULL */
struct sk_buff *wg_ordered_queue_pop(struct wg_ordered_queue *queue);

/** wg_ordered_queue_close() - take no further entries; a grace period later none is on its way */
void wg_ordered_queue_close(struct wg_ordered_queue *queue);

/** wg_ordered_queue_has_pending() - whether some CPU still works on an entry, or will */
bool wg_ordered_queue_has_pending(struct wg_ordered_queue *queue);

/** wg_ordered_queue_purge() - free what is left; nobody else works on it any more */
void wg_ordered_queue_purge(struct wg_ordered_queue *queue);

/** wg_packet_release() - give back the references that an entry holds */
void wg_packet_release(struct sk_buff *entry);

/**
 * wg_crypt_queue_init() - a ring of @ring_len entries, and a worker on each CPU
 * @worker_len: of a structure that begins with struct wg_worker
 */
int wg_crypt_queue_init(struct wg_crypt_queue *queue, struct wg_device *wg, int ring_len,
			size_t worker_len, work_func_t function);
void wg_crypt_queue_free(struct wg_crypt_queue *queue);

/** wg_crypt_queue_kick() - have the next CPU in turn drain the ring */
void wg_crypt_queue_kick(struct wg_crypt_queue *queue, struct workqueue_struct *wq);

/** wg_packet_queue_send() - a sealed (or failed) batch is ready for its peer's sender */
void wg_packet_queue_send(struct sk_buff *first, enum wg_packet_state state);

/** wg_packet_queue_receive() - an opened (or failed) packet is ready for its peer's poll */
void wg_packet_queue_receive(struct sk_buff *skb, enum wg_packet_state state);

/**
 * wg_packet_scrub() - strip what belongs to the other side of the tunnel
 * @encapsulating: the flow hash is kept then, so that the outer packet is spread by it
 */
void wg_packet_scrub(struct sk_buff *skb, bool encapsulating);

/** wg_packet_protocol_matches() - skb->protocol agrees with the IP version in the header */
static inline bool wg_packet_protocol_matches(const struct sk_buff *skb)
{
	__be16 protocol = ip_tunnel_parse_protocol(skb);

	return protocol && skb->protocol == protocol;
}

#endif
