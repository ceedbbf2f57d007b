// SPDX-License-Identifier: GPL-2.0
#include "queueing.h"

#include <linux/cpumask.h>
#include <linux/if_vlan.h>
#include <linux/skb_array.h>

#include "peer.h"

static_assert(sizeof(struct wg_packet_cb) <= sizeof_field(struct sk_buff, cb));

void wg_ordered_queue_init(struct wg_ordered_queue *queue)
{
	spin_lock_init(&queue->lock);
}

bool wg_ordered_queue_append(struct wg_ordered_queue *queue, struct sk_buff *entry)
{
	bool taken = false;

	entry->prev = NULL;
	spin_lock_bh(&queue->lock);
	if (!queue->is_closed && queue->len < WG_ORDERED_QUEUE_MAX) {
		if (queue->tail)
			queue->tail->prev = entry;
		else
			queue->head = entry;
		queue->tail = entry;
		++queue->len;
		taken = true;
	}
	spin_unlock_bh(&queue->lock);
	return taken;
}

static struct sk_buff *unlink_head(struct wg_ordered_queue *queue)
{
	struct sk_buff *entry = queue->head;

	queue->head = entry->prev;
	if (!queue->head)
		queue->tail = NULL;
	--queue->len;
	entry->prev = NULL;
	return entry;
}

struct sk_buff *wg_ordered_queue_pop(struct wg_ordered_queue *queue)
{
	struct sk_buff *entry = NULL;

	spin_lock_bh(&queue->lock);
	/* Pairs with the release in finish(): what the other CPU wrote to the packet is seen. */
	if (queue->head &&
	    atomic_read_acquire(&WG_PACKET_CB(queue->head)->state) != WG_PACKET_PENDING)
		entry = unlink_head(queue);
	spin_unlock_bh(&queue->lock);
	return entry;
}

void wg_ordered_queue_close(struct wg_ordered_queue *queue)
{
	spin_lock_bh(&queue->lock);
	queue->is_closed = true;
	spin_unlock_bh(&queue->lock);
}

bool wg_ordered_queue_has_pending(struct wg_ordered_queue *queue)
{
	struct sk_buff *entry;
	bool has_pending = false;

	spin_lock_bh(&queue->lock);
	for (entry = queue->head; entry && !has_pending; entry = entry->prev)
		has_pending = atomic_read(&WG_PACKET_CB(entry)->state) == WG_PACKET_PENDING;
	spin_unlock_bh(&queue->lock);
	return has_pending;
}

void wg_packet_release(struct sk_buff *entry)
{
	struct wg_keypair *keypair = WG_PACKET_CB(entry)->keypair;
	struct wg_peer *peer = WG_PACKET_CB(entry)->peer;

	wg_keypair_put(keypair);
	wg_peer_put(peer);
}

void wg_ordered_queue_purge(struct wg_ordered_queue *queue)
{
	struct sk_buff *entry;

	for (;;) {
		spin_lock_bh(&queue->lock);
		entry = queue->head ? unlink_head(queue) : NULL;
		spin_unlock_bh(&queue->lock);
		if (!entry)
			return;
		wg_packet_release(entry);
		kfree_skb_list(entry);
	}
}

int wg_crypt_queue_init(struct wg_crypt_queue *queue, struct wg_device *wg, int ring_len,
			size_t worker_len, work_func_t function)
{
	int ret, cpu;

	queue->last_cpu = -1;
	ret = ptr_ring_init(&queue->ring, ring_len, GFP_KERNEL);
	if (ret)
		return ret;
	queue->workers = (struct wg_worker __percpu *)
		__alloc_percpu(worker_len, __alignof__(struct wg_worker));
	if (!queue->workers) {
		ptr_ring_cleanup(&queue->ring, NULL);
		return -ENOMEM;
	}
	for_each_possible_cpu(cpu) {
		per_cpu_ptr(queue->workers, cpu)->wg = wg;
		INIT_WORK(&per_cpu_ptr(queue->workers, cpu)->work, function);
	}
	return 0;
}

static void free_queued_skb(void *skb)
{
	kfree_skb(skb);
}

void wg_crypt_queue_free(struct wg_crypt_queue *queue)
{
	free_percpu(queue->workers);
	/* Handshakes may be left; packets are not, since their peers are gone. */
	ptr_ring_cleanup(&queue->ring, free_queued_skb);
}

void wg_crypt_queue_kick(struct wg_crypt_queue *queue, struct workqueue_struct *wq)
{
	int cpu = cpumask_next(READ_ONCE(queue->last_cpu), cpu_online_mask);

	if (cpu >= nr_cpu_ids)
		cpu = cpumask_first(cpu_online_mask);
	WRITE_ONCE(queue->last_cpu, cpu);
	queue_work_on(cpu, wq, &per_cpu_ptr(queue->workers, cpu)->work);
}

/*
 * As soon as the state is set the consumer may free the packet and drop its references,
 * so the caller of this keeps the peer alive by one of its own.
 */
static void finish(struct sk_buff *entry, enum wg_packet_state state)
{
	atomic_set_release(&WG_PACKET_CB(entry)->state, state);
}

/* One sender per peer keeps order; peers spread over the CPUs by their number. */
static int send_cpu(struct wg_peer *peer)
{
	int cpu = READ_ONCE(peer->send_cpu);
	unsigned int nth;

	if (likely(cpu >= 0 && cpu < nr_cpu_ids && cpu_online(cpu)))
		return cpu;
	nth = peer->id % num_online_cpus();
	cpu = cpumask_first(cpu_online_mask);
	while (nth--) {
		int next = cpumask_next(cpu, cpu_online_mask);

		cpu = next < nr_cpu_ids ? next : cpumask_first(cpu_online_mask);
	}
	WRITE_ONCE(peer->send_cpu, cpu);
	return cpu;
}

void wg_packet_queue_send(struct sk_buff *first, enum wg_packet_state state)
{
	struct wg_peer *peer = wg_peer_get(WG_PACKET_CB(first)->peer);

	finish(first, state);
	queue_work_on(send_cpu(peer), peer->wg->packet_wq, &peer->send_work);
	wg_peer_put(peer);
}

void wg_packet_queue_receive(struct sk_buff *skb, enum wg_packet_state state)
{
	struct wg_peer *peer = wg_peer_get(WG_PACKET_CB(skb)->peer);

	/* With bottom halves off, enabling them again runs the poll at once. */
	local_bh_disable();
	finish(skb, state);
	napi_schedule(&peer->napi);
	local_bh_enable();
	wg_peer_put(peer);
}

void wg_packet_scrub(struct sk_buff *skb, bool encapsulating)
{
	u32 hash = skb->hash;
	u8 l4_hash = skb->l4_hash;
	u8 sw_hash = skb->sw_hash;

	skb_scrub_packet(skb, true);
	skb_reset_redirect(skb);
	skb_clear_hash(skb);
	if (encapsulating) {
		skb->l4_hash = l4_hash;
		skb->sw_hash = sw_hash;
		skb->hash = hash;
	}
	skb->queue_mapping = 0;
	skb->nohdr = 0;
	skb->peeked = 0;
	skb->mac_len = 0;
	skb->encapsulation = 0;
	skb->inner_protocol = 0;
	__vlan_hwaccel_clear_tag(skb);
	skb->ip_summed = CHECKSUM_NONE;
	skb->priority = 0;
	skb_init_secmark(skb);
	skb_set_dst_pending_confirm(skb, 0);
#ifdef CONFIG_NET_SCHED
	skb->tc_index = 0;
#endif
	skb->csum_start = 0;
	skb->csum_offset = 0;
	skb->csum_level = 0;
#if IS_ENABLED(CONFIG_IP_SCTP)
	skb->csum_not_inet = 0;
#endif
	skb->csum_complete_sw = 0;
	skb->hdr_len = skb_headroom(skb);
	skb_reset_mac_header(skb);
	skb_reset_network_header(skb);
	skb_reset_transport_header(skb);
	skb_reset_inner_headers(skb);
}
