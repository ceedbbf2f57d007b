// SPDX-License-Identifier: GPL-2.0
#include "receive.h"

#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/random.h>
#include <linux/timekeeping.h>
#include <linux/udp.h>
#include <net/ip_tunnels.h>

#include "drops.h"
#include "handshake.h"
#include "peer.h"
#include "send.h"
#include "socket.h"
#include "vectors.h"

/* What one poll has delivered, accounted for once at its end. */
struct delivery {
	u64 num_bytes;
	u32 events;
};

/*
 * Finds the message in a UDP datagram: checks what the outer headers claim, cuts what
 * follows the datagram, and leaves skb->data at the message.
 */
static enum wgc_status find_message(struct sk_buff *skb, enum wgc_message_type *type)
{
	unsigned int udp_offset, udp_len;

	if (!wg_packet_protocol_matches(skb) || !skb_transport_header_was_set(skb))
		return WGC_BAD_TYPE;
	udp_offset = skb_transport_offset(skb);
	if (!pskb_may_pull(skb, udp_offset + sizeof(struct udphdr)))
		return WGC_BAD_LENGTH;
	udp_len = ntohs(udp_hdr(skb)->len);
	if (udp_len < sizeof(struct udphdr) + WGC_MIN_MESSAGE_LEN ||
	    udp_len > skb->len - udp_offset)
		return WGC_BAD_LENGTH;
	if (pskb_trim(skb, udp_offset + udp_len))
		return WGC_BAD_LENGTH;
	if (!pskb_may_pull(skb, udp_offset + sizeof(struct udphdr) + WGC_DATA_HEADER_LEN))
		return WGC_BAD_LENGTH;
	skb_pull(skb, udp_offset + sizeof(struct udphdr));
	return wgc_message_classify(skb->data, skb->len, type);
}

/* The ring is full: the packet has its place in the ordered queue already. */
static void drop_pending(struct wg_device *wg, struct sk_buff *skb)
{
	wg_drop(wg, WG_PACKET_CB(skb)->peer, WGPP_DROP_RX_QUEUE_FULL, 1);
	wg_packet_queue_receive(skb, WG_PACKET_FAILED);
}

/* Consumes @skb. */
static void queue_for_opening(struct wg_device *wg, struct sk_buff *skb)
{
	struct wg_packet_cb *cb = WG_PACKET_CB(skb);
	struct wg_index_entry *entry;
	struct wg_peer *peer;

	rcu_read_lock_bh();
	entry = wg_index_find(wg->index_table, WG_INDEX_KEYPAIR,
			      wgc_message_receiver(WGC_MSG_DATA, skb->data), &peer);
	if (!entry)
		goto unknown;
	cb->peer = peer;
	cb->keypair = wg_keypair_get_rcu(container_of(entry, struct wg_keypair, entry));
	if (!cb->keypair)
		goto unknown_keypair;
	atomic_set(&cb->state, WG_PACKET_PENDING);
	skb_mark_not_on_list(skb);
	if (!wg_ordered_queue_append(&peer->receive_queue, skb))
		goto full;
	if (likely(!ptr_ring_produce_bh(&wg->decrypt_queue.ring, skb)))
		wg_crypt_queue_kick(&wg->decrypt_queue, wg->packet_wq);
	else
		drop_pending(wg, skb);
	rcu_read_unlock_bh();
	return;

full:
	wg_drop(wg, peer, WGPP_DROP_RX_QUEUE_FULL, 1);
	wg_packet_release(skb);
	goto drop;
unknown_keypair:
	wg_peer_put(peer);
unknown:
	wg_drop(wg, NULL, WGPP_DROP_UNKNOWN_SESSION, 1);
drop:
	rcu_read_unlock_bh();
	kfree_skb(skb);
}

int wg_receive(struct sock *sk, struct sk_buff *skb)
{
	struct wg_device *wg = rcu_dereference_sk_user_data(sk);
	enum wgc_message_type type;
	enum wgc_status status;

	if (unlikely(!wg))
		goto drop;
	skb = skb_share_check(skb, GFP_ATOMIC);
	if (unlikely(!skb)) {
		wg_drop(wg, NULL, WGPP_DROP_RX_NO_MEMORY, 1);
		return 0;
	}
	status = find_message(skb, &type);
	if (unlikely(status != WGC_OK)) {
		net_dbg_ratelimited("%s: datagram is no message (%d)\n", wg->dev->name, status);
		wg_drop(wg, NULL, wg_drop_of_data(status), 1);
		goto drop;
	}
	if (likely(type == WGC_MSG_DATA)) {
		WG_PACKET_CB(skb)->ds_field = ip_tunnel_get_dsfield(ip_hdr(skb), skb);
		queue_for_opening(wg, skb);
	} else {
		wg_handshake_queue_message(wg, skb);
	}
	return 0;

drop:
	kfree_skb(skb);
	return 0;
}

/* In place, so it must be ours alone; most packets are linear and unshared. */
static bool prepare(struct wg_device *wg, struct sk_buff *skb, struct wgc_data_packet *packet)
{
	if (unlikely(skb_cloned(skb) || skb_is_nonlinear(skb))) {
		int ret = skb_cloned(skb) ? pskb_expand_head(skb, 0, 0, GFP_ATOMIC) : 0;

		if (ret || skb_linearize(skb)) {
			wg_drop(wg, WG_PACKET_CB(skb)->peer, WGPP_DROP_RX_NO_MEMORY, 1);
			return false;
		}
	}
	packet->session = &WG_PACKET_CB(skb)->keypair->session;
	packet->message = skb->data;
	packet->text = skb->data + WGC_DATA_HEADER_LEN;
	packet->text_len = skb->len - WGC_DATA_OVERHEAD;
	return true;
}

/* Opens @num packets, which stand in their peers' queues, and lets these go on. */
static void open_batch(struct wg_device *wg, struct sk_buff **skbs,
		       struct wgc_data_packet *packets, u32 num)
{
	bool begun = wg_vectors_begin();
	u32 i;

	wgc_session_open_batch(packets, num, ktime_get_coarse_boottime_ns(), begun);
	wg_vectors_end(begun);
	for (i = 0; i < num; ++i) {
		if (likely(packets[i].status == WGC_OK)) {
			WG_PACKET_CB(skbs[i])->counter = packets[i].counter;
			wg_packet_queue_receive(skbs[i], WG_PACKET_DONE);
		} else {
			wg_drop(wg, WG_PACKET_CB(skbs[i])->peer,
				wg_drop_of_data(packets[i].status), 1);
			wg_packet_queue_receive(skbs[i], WG_PACKET_FAILED);
		}
	}
}

/* Takes what is there, up to what is worth a batch. Return: the number of packets taken. */
static int open_some(struct wg_device *wg)
{
	struct wgc_data_packet packets[WGC_BATCH_LEN];
	struct sk_buff *skbs[WGC_BATCH_LEN];
	unsigned int num_bytes = 0;
	int num_taken = 0;
	u32 num = 0;

	while (num_taken < WGC_BATCH_LEN && num_bytes < WG_BATCH_MAX_BYTES &&
	       (skbs[num] = ptr_ring_consume_bh(&wg->decrypt_queue.ring))) {
		++num_taken;
		if (unlikely(!prepare(wg, skbs[num], &packets[num]))) {
			wg_packet_queue_receive(skbs[num], WG_PACKET_FAILED);
			continue;
		}
		num_bytes += skbs[num]->len;
		++num;
	}
	if (num)
		open_batch(wg, skbs, packets, num);
	return num_taken;
}

void wg_packet_decrypt_work(struct work_struct *work)
{
	struct wg_device *wg = container_of(work, struct wg_worker, work)->wg;
	int budget = WG_WORK_BUDGET;
	int num_taken;

	while (budget > 0 && (num_taken = open_some(wg))) {
		budget -= num_taken;
		cond_resched();
	}
	if (budget <= 0)
		queue_work(wg->packet_wq, work);
}

/* The initiator renews the session when it only receives, too; the paper, 6.2. */
static void keep_key_fresh(struct wg_peer *peer)
{
	struct wg_keypair *keypair;
	bool is_due = false;

	rcu_read_lock_bh();
	keypair = rcu_dereference_bh(peer->keypairs.current_key);
	if (keypair)
		is_due = wgc_session_rekey_on_receive(&keypair->session,
						      ktime_get_coarse_boottime_ns());
	rcu_read_unlock_bh();
	if (unlikely(is_due))
		wg_packet_queue_initiation(peer);
}

/*
 * Makes the plaintext at skb->data a packet that came in by the tunnel device, if it is
 * one and its source belongs to the peer. On failure the errors have been counted.
 */
static bool make_inner_packet(struct wg_peer *peer, struct sk_buff *skb)
{
	struct net_device *dev = peer->wg->dev;
	u8 outer_ds_field = WG_PACKET_CB(skb)->ds_field;
	enum wgc_status status;
	struct wgc_inner inner;

	status = wgc_inner_parse(skb->data, skb->len, skb->len, &inner);
	if (unlikely(status == WGC_BAD_INNER_VERSION)) {
		net_dbg_ratelimited("%s: peer %llu: packet is not IP\n", dev->name, peer->id);
		wg_drop(peer->wg, peer, wg_drop_of_data(status), 1);
		return false;
	}
	if (unlikely(status != WGC_OK)) {
		net_dbg_ratelimited("%s: peer %llu: packet has the wrong length\n", dev->name,
				    peer->id);
		wg_drop(peer->wg, peer, wg_drop_of_data(status), 1);
		return false;
	}
	/* Cuts the padding. The packet is linear, so this cannot fail. */
	skb_trim(skb, inner.total_len);
	/* NAPI runs on the RCU read side. */
	if (unlikely(wg_allowedips_lookup(&peer->wg->allowedips, inner.source,
					  inner.addr_len) != peer)) {
		net_dbg_ratelimited("%s: peer %llu: source address is not in its AllowedIPs\n",
				    dev->name, peer->id);
		wg_drop(peer->wg, peer, WGPP_DROP_BAD_SOURCE, 1);
		return false;
	}

	skb->dev = dev;
	/* Authenticated as a whole; checksums inside were right when it was sealed. */
	skb->ip_summed = CHECKSUM_UNNECESSARY;
	skb->csum_level = ~0;
	if (inner.addr_len == sizeof(struct in_addr)) {
		skb->protocol = htons(ETH_P_IP);
		if (INET_ECN_is_ce(outer_ds_field))
			IP_ECN_set_ce(ip_hdr(skb));
	} else {
		skb->protocol = htons(ETH_P_IPV6);
		if (INET_ECN_is_ce(outer_ds_field))
			IP6_ECN_set_ce(skb, ipv6_hdr(skb));
	}
	return true;
}

static void count_delivered(struct wg_peer *peer, unsigned int msg_len, struct delivery *delivery)
{
	delivery->num_bytes += msg_len;
	dev_sw_netstats_rx_add(peer->wg->dev, msg_len);
}

/* Delivers or frees one opened packet. */
static void deliver(struct wg_peer *peer, struct sk_buff *skb, struct delivery *delivery)
{
	struct wg_packet_cb *cb = WG_PACKET_CB(skb);
	struct wg_keypair *keypair = cb->keypair;
	unsigned int msg_len = skb->len;
	enum wgc_status status;

	spin_lock(&keypair->receive_lock);
	status = wgc_session_accept(&keypair->session, cb->counter);
	spin_unlock(&keypair->receive_lock);
	if (unlikely(status != WGC_OK)) {
		net_dbg_ratelimited("%s: peer %llu: counter %llu refused (%d)\n",
				    peer->wg->dev->name, peer->id, cb->counter, status);
		wg_drop(peer->wg, peer, wg_drop_of_data(status), 1);
		goto drop;
	}

	wg_socket_set_endpoint_from_skb(peer, skb);
	delivery->events |= WGC_EV_ANY_RECEIVED;
	if (unlikely(wg_keypairs_confirm(peer, keypair))) {
		delivery->events |= WGC_EV_HANDSHAKE_COMPLETE;
		wg_handshake_complete(peer);
		wg_packet_send_staged(peer);
	}

	skb_pull(skb, WGC_DATA_HEADER_LEN);
	skb_trim(skb, skb->len - WGC_TAG_LEN);
	wg_packet_scrub(skb, false);
	if (!skb->len) {
		/* A keepalive has done its work. */
		count_delivered(peer, msg_len, delivery);
		consume_skb(skb);
		return;
	}
	delivery->events |= WGC_EV_DATA_RECEIVED;
	if (unlikely(!make_inner_packet(peer, skb)))
		goto drop;	/* an error, and not a packet received as well */
	count_delivered(peer, msg_len, delivery);
	napi_gro_receive(&peer->napi, skb);
	return;

drop:
	kfree_skb(skb);
}

int wg_packet_poll(struct napi_struct *napi, int budget)
{
	struct wg_peer *peer = container_of(napi, struct wg_peer, napi);
	struct delivery delivery = {};
	struct sk_buff *skb;
	int num_done = 0;

	while (num_done < budget && (skb = wg_ordered_queue_pop(&peer->receive_queue))) {
		struct wg_keypair *keypair = WG_PACKET_CB(skb)->keypair;

		if (likely(atomic_read(&WG_PACKET_CB(skb)->state) == WG_PACKET_DONE))
			deliver(peer, skb, &delivery);
		else
			kfree_skb(skb);
		wg_keypair_put(keypair);
		/* Not the last: removal disables NAPI before it drops its own. */
		wg_peer_put(peer);
		++num_done;
	}

	if (delivery.events) {
		atomic64_add(delivery.num_bytes, &peer->rx_bytes);
		wg_timers_event(peer, delivery.events);
		keep_key_fresh(peer);
	}
	if (num_done < budget)
		napi_complete_done(napi, num_done);
	return num_done;
}
