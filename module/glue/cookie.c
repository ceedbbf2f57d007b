// SPDX-License-Identifier: GPL-2.0
#include "cookie.h"

#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/random.h>
#include <linux/timekeeping.h>
#include <linux/udp.h>

#include "drops.h"
#include "peer.h"

void wg_cookie_source_from_skb(struct wg_cookie_source *source, const struct sk_buff *skb)
{
	if (skb->protocol == htons(ETH_P_IP)) {
		source->len = sizeof(struct in_addr);
		memcpy(source->bytes, &ip_hdr(skb)->saddr, source->len);
	} else {
		source->len = sizeof(struct in6_addr);
		memcpy(source->bytes, &ipv6_hdr(skb)->saddr, source->len);
	}
	memcpy(source->bytes + source->len, &udp_hdr(skb)->source, sizeof(__be16));
	source->len += sizeof(__be16);
}

static void make_secret(u8 secret[WGC_KEY_LEN])
{
	get_random_bytes(secret, WGC_KEY_LEN);
}

void wg_cookie_init(struct wg_device *wg)
{
	u8 secret[WGC_KEY_LEN];

	init_rwsem(&wg->cookie_lock);
	make_secret(secret);
	wgc_cookie_checker_init(&wg->cookie_checker, secret, ktime_get_coarse_boottime_ns());
	wgc_wipe(secret, sizeof(secret));
}

void wg_cookie_set_identity(struct wg_device *wg)
{
	down_write(&wg->cookie_lock);
	wgc_cookie_checker_set_identity(&wg->cookie_checker, &wg->identity);
	up_write(&wg->cookie_lock);
}

static void renew_secret(struct wg_device *wg)
{
	u8 secret[WGC_KEY_LEN];
	u64 now_ns = ktime_get_coarse_boottime_ns();

	make_secret(secret);
	down_write(&wg->cookie_lock);
	/* Another CPU may have been first. */
	if (wgc_cookie_secret_expired(&wg->cookie_checker, now_ns))
		wgc_cookie_secret_renew(&wg->cookie_checker, secret, now_ns);
	up_write(&wg->cookie_lock);
	wgc_wipe(secret, sizeof(secret));
}

enum wgc_status wg_cookie_check(struct wg_device *wg, const struct sk_buff *skb, size_t len)
{
	struct wg_cookie_source source;
	enum wgc_status status;
	u64 now_ns = ktime_get_coarse_boottime_ns();
	bool is_expired;

	wg_cookie_source_from_skb(&source, skb);
	down_read(&wg->cookie_lock);
	status = wgc_cookie_check(&wg->cookie_checker, skb->data, len, source.bytes,
				  source.len, now_ns);
	is_expired = wgc_cookie_secret_expired(&wg->cookie_checker, now_ns);
	up_read(&wg->cookie_lock);
	/* Only a message made for us may cost us a new secret. */
	if (is_expired && status == WGC_NEED_COOKIE)
		renew_secret(wg);
	return status;
}

void wg_cookie_add_macs(struct wg_peer *peer, u8 *msg, size_t len)
{
	spin_lock_bh(&peer->cookie_lock);
	wgc_cookie_add_macs(&peer->cookie_jar, msg, len, ktime_get_coarse_boottime_ns());
	spin_unlock_bh(&peer->cookie_lock);
}

void wg_cookie_consume_reply(struct wg_device *wg, const u8 *reply)
{
	struct wg_peer *peer = NULL;
	enum wgc_status status;

	rcu_read_lock_bh();
	wg_index_find(wg->index_table, WG_INDEX_HANDSHAKE | WG_INDEX_KEYPAIR,
		      wgc_message_receiver(WGC_MSG_COOKIE_REPLY, reply), &peer);
	rcu_read_unlock_bh();
	if (!peer) {
		wg_drop(wg, NULL, WGPP_DROP_UNKNOWN_HANDSHAKE, 1);
		return;
	}
	spin_lock_bh(&peer->cookie_lock);
	status = wgc_cookie_consume_reply(&peer->cookie_jar, reply,
					  ktime_get_coarse_boottime_ns());
	spin_unlock_bh(&peer->cookie_lock);
	if (status != WGC_OK) {
		net_dbg_ratelimited("%s: peer %llu: cookie reply refused (%d)\n",
				    wg->dev->name, peer->id, status);
		wg_drop(wg, peer, WGPP_DROP_BAD_COOKIE, 1);
	}
	wg_peer_put(peer);
}
