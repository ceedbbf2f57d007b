// SPDX-License-Identifier: GPL-2.0
#include "send.h"

#include <linux/random.h>
#include <linux/timekeeping.h>

#include "drops.h"
#include "peer.h"
#include "socket.h"
#include "vectors.h"

/* AF41 with ECN 0: handshakes go ahead of the data that waits for them. */
#define HANDSHAKE_DS_FIELD 0x88

void wg_packet_purge_staged(struct wg_peer *peer, enum wgpp_drop reason)
{
	struct sk_buff_head purged;

	__skb_queue_head_init(&purged);
	spin_lock_bh(&peer->staged.lock);
	wg_drop(peer->wg, peer, reason, skb_queue_len(&peer->staged));
	skb_queue_splice_init(&peer->staged, &purged);
	spin_unlock_bh(&peer->staged.lock);
	__skb_queue_purge(&purged);
}

void wg_packet_stage(struct wg_peer *peer, struct sk_buff_head *packets)
{
	struct sk_buff *skb;

	spin_lock_bh(&peer->staged.lock);
	/* The newest packets are the ones somebody still waits for. */
	while (skb_queue_len(&peer->staged) > WG_STAGED_MAX &&
	       (skb = __skb_dequeue(&peer->staged))) {
		wg_drop(peer->wg, peer, WGPP_DROP_STAGED_FULL, 1);
		kfree_skb(skb);
	}
	skb_queue_splice_tail_init(packets, &peer->staged);
	spin_unlock_bh(&peer->staged.lock);
}

/* ---- handshake messages ---------------------------------------------------- */

static void send_handshake_message(struct wg_peer *peer, u8 *msg, size_t len, u32 event)
{
	wg_cookie_add_macs(peer, msg, len);
	wg_timers_event(peer, WGC_EV_ANY_SENT | event);
	wg_socket_send_message(peer, msg, len, HANDSHAKE_DS_FIELD);
}

static void send_initiation(struct wg_peer *peer)
{
	struct wg_device *wg = peer->wg;
	enum wgc_status status = WGC_BAD_STATE;
	u8 msg[WGC_INITIATION_LEN];
	u8 ephemeral[WGC_KEY_LEN];

	/* May sleep for long just after boot: before any lock. */
	wait_for_random_bytes();
	get_random_bytes(ephemeral, sizeof(ephemeral));

	down_read(&wg->identity_lock);
	mutex_lock(&peer->handshake_lock);
	if (!peer->is_dead) {
		u32 index = wg_index_insert(wg->index_table, &peer->handshake_entry);

		status = wgc_handshake_create_initiation(&peer->handshake, msg, &wg->identity,
							 index, ephemeral,
							 ktime_get_real_ns());
		if (status != WGC_OK)
			wg_index_remove(wg->index_table, &peer->handshake_entry);
	}
	mutex_unlock(&peer->handshake_lock);
	up_read(&wg->identity_lock);
	wgc_wipe(ephemeral, sizeof(ephemeral));

	if (status == WGC_OK)
		send_handshake_message(peer, msg, sizeof(msg), WGC_EV_INITIATION_SENT);
	else
		net_dbg_ratelimited("%s: peer %llu: no initiation made (%d)\n", wg->dev->name,
				    peer->id, status);
}

void wg_packet_initiation_work(struct work_struct *work)
{
	struct wg_peer *peer = container_of(work, struct wg_peer, initiation_work);

	send_initiation(peer);
	wg_peer_put(peer);
}

void wg_packet_schedule_initiation(struct wg_peer *peer)
{
	wg_peer_get(peer);
	if (!queue_work(peer->wg->handshake_send_wq, &peer->initiation_work))
		wg_peer_put(peer);
}

void wg_packet_queue_initiation(struct wg_peer *peer)
{
	if (wg_timers_begin_initiation(peer))
		wg_packet_schedule_initiation(peer);
}

void wg_packet_send_response(struct wg_peer *peer)
{
	struct wg_device *wg = peer->wg;
	enum wgc_status status = WGC_BAD_STATE;
	u8 msg[WGC_RESPONSE_LEN];
	u8 ephemeral[WGC_KEY_LEN];
	bool has_session = false;

	get_random_bytes(ephemeral, sizeof(ephemeral));
	mutex_lock(&peer->handshake_lock);
	if (!peer->is_dead) {
		u32 index = wg_index_insert(wg->index_table, &peer->handshake_entry);

		status = wgc_handshake_create_response(&peer->handshake, msg, index, ephemeral);
		if (status == WGC_OK)
			has_session = wg_keypairs_begin_session(peer);
		if (!has_session)
			wg_index_remove(wg->index_table, &peer->handshake_entry);
	}
	mutex_unlock(&peer->handshake_lock);
	wgc_wipe(ephemeral, sizeof(ephemeral));

	if (!has_session) {
		net_dbg_ratelimited("%s: peer %llu: no response made (%d)\n", wg->dev->name,
				    peer->id, status);
		return;
	}
	send_handshake_message(peer, msg, sizeof(msg),
			       WGC_EV_RESPONSE_SENT | WGC_EV_SESSION_DERIVED);
}

void wg_packet_send_cookie(struct wg_device *wg, struct sk_buff *skb, size_t msg_len)
{
	struct wg_cookie_source source;
	u8 reply[WGC_COOKIE_REPLY_LEN];
	u8 nonce[WGC_COOKIE_NONCE_LEN];

	wg_cookie_source_from_skb(&source, skb);
	get_random_bytes(nonce, sizeof(nonce));
	down_read(&wg->cookie_lock);
	wgc_cookie_create_reply(&wg->cookie_checker, reply, skb->data, msg_len, source.bytes,
				source.len, nonce);
	up_read(&wg->cookie_lock);
	wg_socket_send_reply(wg, skb, reply, sizeof(reply));
}

/* ---- data ------------------------------------------------------------------- */

/* The initiator renews the session while it sends; the paper, 6.2. */
static void keep_key_fresh(struct wg_peer *peer)
{
	struct wg_keypair *keypair;
	bool is_due = false;

	rcu_read_lock_bh();
	keypair = rcu_dereference_bh(peer->keypairs.current_key);
	if (keypair)
		is_due = wgc_session_rekey_on_send(&keypair->session,
						   READ_ONCE(keypair->next_counter),
						   ktime_get_coarse_boottime_ns());
	rcu_read_unlock_bh();
	if (unlikely(is_due))
		wg_packet_queue_initiation(peer);
}

/*
 * Makes the head of @skb its own, with room for header and tag: at most one allocation.
 * @tail_len: bytes to append
 */
static int make_room(struct sk_buff *skb, unsigned int tail_len)
{
	int head = skb_headroom(skb) < WG_MIN_HEADROOM ? SKB_DATA_ALIGN(WG_DATA_HEADROOM) : 0;
	int tail = skb->data_len + tail_len - (skb_end_pointer(skb) - skb_tail_pointer(skb));

	if (!skb_cloned(skb) && !head && tail <= 0)
		return 0;
	return pskb_expand_head(skb, head, max(tail, 0), GFP_ATOMIC);
}

/*
 * Notes where the text of @skb is, pages and all: it is sealed from there into the head, which
 * saves a copy. The padding is there already.
 *
 * Return: false when the pages are too many, or not in the kernel's address space.
 */
static bool find_segments(const struct sk_buff *skb, unsigned int padding_len,
			  struct wgc_segment *segments)
{
	const struct skb_shared_info *shinfo = skb_shinfo(skb);
	unsigned int i;

	if (shinfo->nr_frags > WG_MAX_SEGMENTS - 2 || skb_has_frag_list(skb))
		return false;
	segments[0].data = skb->data;
	segments[0].len = skb_headlen(skb);
	for (i = 0; i < shinfo->nr_frags; ++i) {
		const skb_frag_t *frag = &shinfo->frags[i];
		const struct page *page = skb_frag_page(frag);

		/* NULL is a device's own memory. */
		if (!page || PageHighMem(page))
			return false;
		segments[i + 1].data = skb_frag_address(frag);
		segments[i + 1].len = skb_frag_size(frag);
	}
	segments[i + 1].data = skb_tail_pointer(skb) + skb->data_len;
	segments[i + 1].len = padding_len;
	return true;
}

/*
 * Makes @skb what is to be sealed, with room for header, padding and tag.
 * @segments: WG_MAX_SEGMENTS of them, to be left alone until it is sealed
 */
static bool prepare(struct sk_buff *skb, struct wgc_data_packet *packet,
		    struct wgc_segment *segments)
{
	unsigned int padding_len = wgc_padding_len(skb->len, WG_PACKET_CB(skb)->mtu);

	/* Spread the outer packets by the inner flow, which cannot be seen afterwards. */
	skb_get_hash(skb);
	/* Before the data changes: the checksum covers the inner packet. */
	if (skb->ip_summed == CHECKSUM_PARTIAL && skb_checksum_help(skb))
		return false;
	if (make_room(skb, padding_len + WGC_TAG_LEN))
		return false;

	packet->segments = NULL;
	if (skb_is_nonlinear(skb)) {
		if (likely(find_segments(skb, padding_len, segments)))
			packet->segments = segments;
		else if (!__pskb_pull_tail(skb, skb->data_len))
			return false;
	}
	WG_PACKET_CB(skb)->ds_field = skb->len ? ip_tunnel_ecn_encap(0, ip_hdr(skb), skb) : 0;
	memset(skb_tail_pointer(skb) + skb->data_len, 0, padding_len);
	packet->text = skb->data;
	packet->text_len = skb->len + padding_len;
	packet->message = skb_push(skb, WGC_DATA_HEADER_LEN);
	return true;
}

static void seal_batch(struct sk_buff **skbs, const struct wgc_data_packet *packets, u32 num)
{
	bool begun = wg_vectors_begin();
	u32 i;

	wgc_session_seal_batch(packets, num, begun);
	wg_vectors_end(begun);
	for (i = 0; i < num; ++i) {
		struct sk_buff *skb = skbs[i];

		/* All of the message is in the head now: the pages go. */
		if (packets[i].segments)
			pskb_trim_unique(skb, skb_headlen(skb));
		skb_put(skb, packets[i].text_len + WGC_DATA_OVERHEAD - skb->len);
	}
}

/* Packets of one keypair with consecutive counters, as many at a time as the core can use. */
static void seal_list(struct wg_seal_worker *worker, struct sk_buff *first)
{
	struct wg_keypair *keypair = WG_PACKET_CB(first)->keypair;
	u64 counter = WG_PACKET_CB(first)->counter;
	enum wg_packet_state state = WG_PACKET_DONE;
	struct wgc_data_packet packets[WGC_BATCH_LEN];
	struct sk_buff *skbs[WGC_BATCH_LEN];
	struct sk_buff *skb, *next;
	unsigned int num_bytes = 0;
	u32 num = 0;

	skb_list_walk_safe(first, skb, next) {
		if (unlikely(!prepare(skb, &packets[num], worker->segments[num]))) {
			state = WG_PACKET_FAILED;
			break;
		}
		packets[num].session = &keypair->session;
		packets[num].counter = counter++;
		skbs[num] = skb;
		num_bytes += skb->len;
		if (++num < WGC_BATCH_LEN && num_bytes < WG_BATCH_MAX_BYTES && next)
			continue;
		seal_batch(skbs, packets, num);
		num = 0;
		num_bytes = 0;
	}
	if (unlikely(state == WG_PACKET_FAILED))
		wg_drop_list(WG_PACKET_CB(first)->peer, WGPP_DROP_TX_NO_MEMORY, first);
	skb_list_walk_safe(first, skb, next)
		wg_packet_scrub(skb, true);
	wg_packet_queue_send(first, state);
}

void wg_packet_encrypt_work(struct work_struct *work)
{
	struct wg_seal_worker *worker = container_of(work, struct wg_seal_worker, worker.work);
	struct wg_device *wg = worker->worker.wg;
	struct sk_buff *first;
	int budget = WG_WORK_BUDGET;

	while (budget-- && (first = ptr_ring_consume_bh(&wg->encrypt_queue.ring))) {
		seal_list(worker, first);
		cond_resched();
	}
	if (budget < 0)
		queue_work(wg->packet_wq, work);
}

static void send_batch(struct wg_peer *peer, struct sk_buff *first)
{
	u32 events = WGC_EV_ANY_SENT;
	struct sk_buff *skb, *next;
	u64 num_sent_bytes;

	skb_list_walk_safe(first, skb, next) {
		if (skb->len != WGC_DATA_OVERHEAD)
			events |= WGC_EV_DATA_SENT;
	}
	wg_timers_event(peer, events);
	wg_socket_send_list(peer, first, &num_sent_bytes);
	keep_key_fresh(peer);
}

void wg_packet_send_work(struct work_struct *work)
{
	struct wg_peer *peer = container_of(work, struct wg_peer, send_work);
	struct sk_buff *first;
	int budget = WG_WORK_BUDGET;

	while (budget-- && (first = wg_ordered_queue_pop(&peer->send_queue))) {
		enum wg_packet_state state = atomic_read(&WG_PACKET_CB(first)->state);
		struct wg_keypair *keypair = WG_PACKET_CB(first)->keypair;

		if (likely(state == WG_PACKET_DONE)) {
			send_batch(peer, first);
		} else {
			kfree_skb_list(first);
		}
		wg_keypair_put(keypair);
		/* Not the last: removal cancels this work before it drops its own. */
		wg_peer_put(peer);
		cond_resched();
	}
	if (budget < 0)
		queue_work(peer->wg->packet_wq, work);
}

/*
 * Turns all staged packets into one batch, with counters, at the end of the send queue.
 * One lock makes the order of packets, of counters and of the queue the same.
 *
 * Return: the batch, or NULL when there is nothing to do or no way to send it;
 * *@is_expired then tells that the keypair is used up and packets are still staged.
 */
static struct sk_buff *take_batch(struct wg_peer *peer, struct wg_keypair *keypair,
				  bool *is_expired)
{
	struct sk_buff *first = NULL;
	struct wg_packet_cb *cb;
	u32 len;

	*is_expired = false;
	spin_lock_bh(&peer->staged.lock);
	len = skb_queue_len(&peer->staged);
	if (!len)
		goto out;
	if (wgc_session_may_send(&keypair->session, keypair->next_counter + len - 1,
				 ktime_get_coarse_boottime_ns()) != WGC_OK) {
		*is_expired = true;
		goto out;
	}

	first = skb_peek(&peer->staged);
	cb = WG_PACKET_CB(first);
	cb->counter = keypair->next_counter;
	cb->keypair = keypair;
	cb->peer = peer;
	atomic_set(&cb->state, WG_PACKET_PENDING);
	/* From a ring of packets with a head to a list that ends in NULL. */
	skb_peek_tail(&peer->staged)->next = NULL;
	__skb_queue_head_init(&peer->staged);
	/* Queued or not, the batch holds these; wg_packet_release() gives them back. */
	kref_get(&keypair->refcount);
	wg_peer_get(peer);

	if (likely(wg_ordered_queue_append(&peer->send_queue, first))) {
		WRITE_ONCE(keypair->next_counter, keypair->next_counter + len);
		goto out;
	}
	spin_unlock_bh(&peer->staged.lock);
	wg_drop_list(peer, WGPP_DROP_TX_QUEUE_FULL, first);
	wg_packet_release(first);
	kfree_skb_list(first);
	return NULL;
out:
	spin_unlock_bh(&peer->staged.lock);
	return first;
}

/* Until there is a session nobody's socket shall be held up by what waits here. */
static void orphan_staged(struct wg_peer *peer)
{
	struct sk_buff *skb;

	spin_lock_bh(&peer->staged.lock);
	skb_queue_walk(&peer->staged, skb)
		skb_orphan(skb);
	spin_unlock_bh(&peer->staged.lock);
}

/* It has its place in the ordered queue already, where it is freed. */
static void refuse_batch(struct wg_peer *peer, enum wgpp_drop reason, struct sk_buff *first)
{
	wg_drop_list(peer, reason, first);
	wg_packet_queue_send(first, WG_PACKET_FAILED);
}

void wg_packet_send_staged(struct wg_peer *peer)
{
	struct wg_device *wg = peer->wg;
	struct wg_keypair *keypair;
	struct sk_buff *first = NULL;
	bool needs_handshake = true;

	/* Also what wg_ordered_queue_close() waits for. */
	rcu_read_lock_bh();
	keypair = wg_keypair_get_rcu(rcu_dereference_bh(peer->keypairs.current_key));
	if (keypair) {
		first = take_batch(peer, keypair, &needs_handshake);
		wg_keypair_put(keypair);
	} else if (skb_queue_empty_lockless(&peer->staged)) {
		needs_handshake = false;
	}
	if (first) {
		if (likely(!ptr_ring_produce_bh(&wg->encrypt_queue.ring, first)))
			wg_crypt_queue_kick(&wg->encrypt_queue, wg->packet_wq);
		else
			refuse_batch(peer, WGPP_DROP_TX_QUEUE_FULL, first);
	}
	rcu_read_unlock_bh();

	if (unlikely(needs_handshake)) {
		orphan_staged(peer);
		wg_packet_queue_initiation(peer);
	}
}

void wg_packet_send_keepalive(struct wg_peer *peer)
{
	struct sk_buff *skb;

	if (skb_queue_empty_lockless(&peer->staged)) {
		skb = alloc_skb(WG_DATA_HEADROOM + WG_DATA_TAILROOM, GFP_ATOMIC);
		if (unlikely(!skb))
			return;
		skb_reserve(skb, WG_DATA_HEADROOM);
		skb->dev = peer->wg->dev;
		WG_PACKET_CB(skb)->mtu = skb->dev->mtu;
		skb_queue_tail(&peer->staged, skb);
	}
	wg_packet_send_staged(peer);
}
