// SPDX-License-Identifier: GPL-2.0
#include "handshake.h"

#include <linux/random.h>
#include <linux/timekeeping.h>

#include "drops.h"
#include "peer.h"
#include "ratelimiter.h"
#include "send.h"
#include "socket.h"

#define UNDER_LOAD_LEN (WG_HANDSHAKE_RING_LEN / 8)

/* Return: 0, or an error when the ring is full or may not be waited for. */
static int produce(struct wg_handshake_queue *handshakes, struct sk_buff *skb)
{
	struct ptr_ring *ring = &handshakes->queue.ring;
	int ret;

	/* A flood shall not make the CPUs that receive it wait for each other. */
	if (atomic_read(&handshakes->len) <= WG_HANDSHAKE_RING_LEN / 2)
		return ptr_ring_produce_bh(ring, skb);
	if (!spin_trylock_bh(&ring->producer_lock))
		return -EBUSY;
	ret = __ptr_ring_produce(ring, skb);
	spin_unlock_bh(&ring->producer_lock);
	return ret;
}

void wg_handshake_queue_message(struct wg_device *wg, struct sk_buff *skb)
{
	struct wg_handshake_queue *handshakes = &wg->handshake_queue;
	enum wgpp_drop reason;

	/* Keys made without entropy would be worse than a handshake that waits. */
	if (unlikely(!rng_is_initialized())) {
		reason = WGPP_DROP_NO_ENTROPY;
		goto drop;
	}
	if (unlikely(produce(handshakes, skb))) {
		reason = WGPP_DROP_HANDSHAKES_FULL;
		goto drop;
	}
	atomic_inc(&handshakes->len);
	wg_crypt_queue_kick(&handshakes->queue, wg->handshake_receive_wq);
	return;

drop:
	net_dbg_ratelimited("%s: handshake message dropped, queue full or RNG not ready\n",
			    wg->dev->name);
	wg_drop(wg, NULL, reason, 1);
	kfree_skb(skb);
}

void wg_handshake_purge_queue(struct wg_device *wg)
{
	struct sk_buff *skb;

	while ((skb = ptr_ring_consume_bh(&wg->handshake_queue.queue.ring))) {
		atomic_dec(&wg->handshake_queue.len);
		kfree_skb(skb);
	}
}

void wg_handshake_complete(struct wg_peer *peer)
{
	WRITE_ONCE(peer->last_handshake_unix_ns, ktime_get_real_ns());
	atomic64_inc(&peer->num_handshakes);
}

void wg_handshake_clear(struct wg_peer *peer)
{
	mutex_lock(&peer->handshake_lock);
	wg_index_remove(peer->wg->index_table, &peer->handshake_entry);
	wgc_handshake_clear(&peer->handshake);
	mutex_unlock(&peer->handshake_lock);
}

void wg_handshake_zero_keys_work(struct work_struct *work)
{
	struct wg_peer *peer = container_of(work, struct wg_peer, zero_keys_work);

	wg_handshake_clear(peer);
	wg_keypairs_clear(peer);
	wg_peer_put(peer);
}

/* Stays on for a second after the last overload, so that a flood does not make it flap. */
static bool is_under_load(struct wg_device *wg)
{
	struct wg_handshake_queue *handshakes = &wg->handshake_queue;
	u64 now_ns = ktime_get_coarse_boottime_ns();
	u64 last_ns;

	if (atomic_read(&handshakes->len) >= UNDER_LOAD_LEN) {
		atomic64_set(&handshakes->last_under_load_ns, now_ns);
		return true;
	}
	last_ns = atomic64_read(&handshakes->last_under_load_ns);
	return last_ns && now_ns - last_ns < NSEC_PER_SEC;
}

/* Whether a message may cost us a Diffie-Hellman. */
static bool may_process(struct wg_device *wg, struct sk_buff *skb, size_t len)
{
	bool under_load = is_under_load(wg);
	enum wgc_status status = wg_cookie_check(wg, skb, len);

	switch (status) {
	case WGC_OK:
		if (under_load && !wg_ratelimiter_allow(dev_net(wg->dev), skb)) {
			net_dbg_ratelimited("%s: handshake source is too fast\n",
					    wg->dev->name);
			wg_drop(wg, NULL, WGPP_DROP_TOO_FAST, 1);
			return false;
		}
		return true;
	case WGC_NEED_COOKIE:
		if (!under_load)
			return true;
		wg_drop(wg, NULL, WGPP_DROP_COOKIE_SENT, 1);
		wg_packet_send_cookie(wg, skb, len);
		return false;
	default:
		net_dbg_ratelimited("%s: handshake message with a wrong mac1\n",
				    wg->dev->name);
		wg_drop(wg, NULL, WGPP_DROP_BAD_MAC1, 1);
		return false;
	}
}

static void count_received(struct wg_peer *peer, size_t len)
{
	/* The counters belong to the CPU, and the poll on it adds to them, too. */
	local_bh_disable();
	dev_sw_netstats_rx_add(peer->wg->dev, len);
	local_bh_enable();
	atomic64_add(len, &peer->rx_bytes);
}

static void receive_initiation(struct wg_device *wg, struct sk_buff *skb)
{
	struct wgc_initiation initiation;
	u8 public_key[WGC_KEY_LEN];
	struct wg_peer *peer = NULL;
	enum wgc_status status;

	down_read(&wg->identity_lock);
	status = wgc_initiation_open(&initiation, public_key, &wg->identity, skb->data);
	if (status == WGC_OK)
		peer = wg_peer_table_find(wg->peer_table, public_key);
	if (peer) {
		mutex_lock(&peer->handshake_lock);
		status = wgc_initiation_accept(&peer->handshake, &initiation,
					       ktime_get_coarse_boottime_ns());
		mutex_unlock(&peer->handshake_lock);
	}
	up_read(&wg->identity_lock);
	wgc_wipe(&initiation, sizeof(initiation));

	if (!peer || status != WGC_OK) {
		net_dbg_ratelimited("%s: initiation refused (%d, peer %s)\n", wg->dev->name,
				    status, peer ? "known" : "unknown");
		wg_drop(wg, peer, status == WGC_OK ? WGPP_DROP_UNKNOWN_PEER :
			wg_drop_of_initiation(status), 1);
		goto out;
	}
	wg_socket_set_endpoint_from_skb(peer, skb);
	count_received(peer, skb->len);
	wg_timers_event(peer, WGC_EV_ANY_RECEIVED);
	wg_packet_send_response(peer);
out:
	if (peer)
		wg_peer_put(peer);
}

static void receive_response(struct wg_device *wg, struct sk_buff *skb)
{
	enum wgc_status status;
	struct wg_peer *peer = NULL;
	bool has_session = false;

	rcu_read_lock_bh();
	wg_index_find(wg->index_table, WG_INDEX_HANDSHAKE,
		      wgc_message_receiver(WGC_MSG_RESPONSE, skb->data), &peer);
	rcu_read_unlock_bh();
	if (!peer) {
		wg_drop(wg, NULL, WGPP_DROP_UNKNOWN_HANDSHAKE, 1);
		return;
	}

	down_read(&wg->identity_lock);
	mutex_lock(&peer->handshake_lock);
	status = wgc_handshake_consume_response(&peer->handshake, &wg->identity, skb->data);
	if (status == WGC_OK)
		has_session = wg_keypairs_begin_session(peer);
	mutex_unlock(&peer->handshake_lock);
	up_read(&wg->identity_lock);

	if (status != WGC_OK) {
		net_dbg_ratelimited("%s: peer %llu: response refused (%d)\n", wg->dev->name,
				    peer->id, status);
		wg_drop(wg, peer, wg_drop_of_response(status), 1);
		goto out;
	}
	wg_socket_set_endpoint_from_skb(peer, skb);
	count_received(peer, skb->len);
	wg_timers_event(peer, WGC_EV_ANY_RECEIVED |
			(has_session ? WGC_EV_SESSION_DERIVED | WGC_EV_HANDSHAKE_COMPLETE : 0));
	if (has_session) {
		wg_handshake_complete(peer);
		/* The responder may send only after it has heard from us. */
		wg_packet_send_keepalive(peer);
	}
out:
	wg_peer_put(peer);
}

static void receive_message(struct wg_device *wg, struct sk_buff *skb)
{
	enum wgc_message_type type;

	/* Checked before queueing; short, so linear costs nothing worth saving. */
	if (skb_linearize(skb)) {
		wg_drop(wg, NULL, WGPP_DROP_RX_NO_MEMORY, 1);
		return;
	}
	if (wgc_message_classify(skb->data, skb->len, &type) != WGC_OK)
		return;
	if (type == WGC_MSG_COOKIE_REPLY) {
		wg_cookie_consume_reply(wg, skb->data);
		return;
	}
	if (!may_process(wg, skb, skb->len))
		return;
	if (type == WGC_MSG_INITIATION)
		receive_initiation(wg, skb);
	else if (type == WGC_MSG_RESPONSE)
		receive_response(wg, skb);
}

void wg_handshake_receive_work(struct work_struct *work)
{
	struct wg_device *wg = container_of(work, struct wg_worker, work)->wg;
	struct sk_buff *skb;

	while ((skb = ptr_ring_consume_bh(&wg->handshake_queue.queue.ring))) {
		receive_message(wg, skb);
		consume_skb(skb);
		atomic_dec(&wg->handshake_queue.len);
		cond_resched();
	}
}
