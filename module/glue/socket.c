// SPDX-License-Identifier: GPL-2.0
#include "socket.h"

#include <linux/ctype.h>
#include <linux/if_vlan.h>
#include <linux/inetdevice.h>
#include <linux/net.h>
#include <linux/timekeeping.h>
#include <net/ip_tunnels.h>
#include <net/ipv6.h>
#include <net/udp_tunnel.h>

#include "compat.h"
#include "drops.h"
#include "peer.h"
#include "receive.h"

/*
 * The source that an endpoint remembers may be wrong by now: the address is gone, or the
 * route leaves by another interface. The packet then goes out with the source that
 * routing prefers, and *@is_stale tells the caller, who may not write to the endpoint
 * here, to forget it.
 */
static struct rtable *route4(struct wg_device *wg, struct sock *sock,
			     const struct wg_endpoint *endpoint, struct flowi4 *flow,
			     bool *is_stale)
{
	struct net *net = sock_net(sock);
	struct rtable *route;

	security_sk_classify_flow(sock, flowi4_to_flowi_common(flow));
	if (flow->saddr &&
	    unlikely(!inet_confirm_addr(net, NULL, 0, flow->saddr, RT_SCOPE_HOST))) {
		flow->saddr = 0;
		*is_stale = true;
	}
	route = ip_route_output_flow(net, flow, sock);
	if (flow->saddr && endpoint->src_if4 &&
	    ((IS_ERR(route) && PTR_ERR(route) == -EINVAL) ||
	     (!IS_ERR(route) && route->dst.dev->ifindex != endpoint->src_if4))) {
		if (!IS_ERR(route))
			ip_rt_put(route);
		flow->saddr = 0;
		*is_stale = true;
		route = ip_route_output_flow(net, flow, sock);
	}
	return route;
}

/* Consumes @skb. Context: BH off; endpoint stable; @cache may be NULL. */
static int send4(struct wg_device *wg, struct sk_buff *skb, const struct wg_endpoint *endpoint,
		 u8 ds_field, struct dst_cache *cache, bool *is_stale)
{
	struct flowi4 flow = {
		.saddr = endpoint->src4.s_addr,
		.daddr = endpoint->addr4.sin_addr.s_addr,
		.fl4_dport = endpoint->addr4.sin_port,
		.flowi4_mark = READ_ONCE(wg->fwmark),
		.flowi4_proto = IPPROTO_UDP,
	};
	struct rtable *route = NULL;
	struct sock *sock;
	int ret;

	skb_mark_not_on_list(skb);
	skb->dev = wg->dev;
	skb->mark = flow.flowi4_mark;

	sock = rcu_dereference_bh(wg->sock4);
	if (unlikely(!sock)) {
		ret = -ENONET;
		goto drop;
	}
	flow.fl4_sport = inet_sk(sock)->inet_sport;

	if (cache)
		route = dst_cache_get_ip4(cache, &flow.saddr);
	if (!route) {
		route = route4(wg, sock, endpoint, &flow, is_stale);
		if (IS_ERR(route)) {
			ret = PTR_ERR(route);
			net_dbg_ratelimited("%s: no route to %pISpfsc: error %d\n",
					    wg->dev->name, &endpoint->addr, ret);
			goto drop;
		}
		if (cache && !*is_stale)
			dst_cache_set_ip4(cache, &route->dst, flow.saddr);
	}

	skb->ignore_df = 1;
	wg_udp_tunnel_xmit_skb(route, sock, skb, flow.saddr, flow.daddr, ds_field,
			       ip4_dst_hoplimit(&route->dst), 0, flow.fl4_sport,
			       flow.fl4_dport, false, false);
	return 0;

drop:
	kfree_skb(skb);
	return ret;
}

static int send6(struct wg_device *wg, struct sk_buff *skb, const struct wg_endpoint *endpoint,
		 u8 ds_field, struct dst_cache *cache, bool *is_stale)
{
#if IS_ENABLED(CONFIG_IPV6)
	struct flowi6 flow = {
		.saddr = endpoint->src6,
		.daddr = endpoint->addr6.sin6_addr,
		.fl6_dport = endpoint->addr6.sin6_port,
		.flowi6_mark = READ_ONCE(wg->fwmark),
		.flowi6_oif = endpoint->addr6.sin6_scope_id,
		.flowi6_proto = IPPROTO_UDP,
	};
	struct dst_entry *dst = NULL;
	struct sock *sock;
	int ret;

	skb_mark_not_on_list(skb);
	skb->dev = wg->dev;
	skb->mark = flow.flowi6_mark;

	sock = rcu_dereference_bh(wg->sock6);
	if (unlikely(!sock)) {
		ret = -ENONET;
		goto drop;
	}
	flow.fl6_sport = inet_sk(sock)->inet_sport;

	if (cache)
		dst = dst_cache_get_ip6(cache, &flow.saddr);
	if (!dst) {
		security_sk_classify_flow(sock, flowi6_to_flowi_common(&flow));
		if (unlikely(!ipv6_addr_any(&flow.saddr) &&
			     !ipv6_chk_addr(sock_net(sock), &flow.saddr, NULL, 0))) {
			flow.saddr = in6addr_any;
			*is_stale = true;
		}
		dst = wg_ip6_dst_lookup_flow(sock_net(sock), sock, &flow, NULL);
		if (IS_ERR(dst)) {
			ret = PTR_ERR(dst);
			net_dbg_ratelimited("%s: no route to %pISpfsc: error %d\n",
					    wg->dev->name, &endpoint->addr, ret);
			goto drop;
		}
		if (cache && !*is_stale)
			dst_cache_set_ip6(cache, dst, &flow.saddr);
	}

	skb->ignore_df = 1;
	wg_udp_tunnel6_xmit_skb(dst, sock, skb, skb->dev, &flow.saddr, &flow.daddr, ds_field,
				ip6_dst_hoplimit(dst), 0, flow.fl6_sport, flow.fl6_dport,
				false);
	return 0;

drop:
	kfree_skb(skb);
	return ret;
#else
	kfree_skb(skb);
	return -EAFNOSUPPORT;
#endif
}

static int send_one(struct wg_device *wg, struct sk_buff *skb,
		    const struct wg_endpoint *endpoint, u8 ds_field, struct dst_cache *cache,
		    bool *is_stale)
{
	switch (endpoint->addr.sa_family) {
	case AF_INET:
		return send4(wg, skb, endpoint, ds_field, cache, is_stale);
	case AF_INET6:
		return send6(wg, skb, endpoint, ds_field, cache, is_stale);
	default:
		kfree_skb(skb);
		return -EDESTADDRREQ;
	}
}

int wg_socket_send_list(struct wg_peer *peer, struct sk_buff *first, u64 *num_sent_bytes)
{
	struct sk_buff *skb, *next;
	bool is_stale = false;
	int ret = 0;

	*num_sent_bytes = 0;
	rcu_read_lock_bh();
	/* Keeps endpoint and cached route a pair for the whole list. */
	read_lock(&peer->endpoint_lock);
	skb_list_walk_safe(first, skb, next) {
		unsigned int len = skb->len;
		int err;

		skb->prev = NULL;
		err = send_one(peer->wg, skb, &peer->endpoint, WG_PACKET_CB(skb)->ds_field,
			       &peer->endpoint_cache, &is_stale);

		if (likely(!err)) {
			*num_sent_bytes += len;
		} else {
			wg_drop_send_error(peer, err);
			ret = err;
		}
	}
	read_unlock(&peer->endpoint_lock);
	rcu_read_unlock_bh();
	if (unlikely(is_stale))
		wg_socket_clear_source(peer);
	atomic64_add(*num_sent_bytes, &peer->tx_bytes);
	return ret;
}

static struct sk_buff *message_to_skb(const void *msg, size_t len)
{
	struct sk_buff *skb = alloc_skb(len + WG_DATA_HEADROOM, GFP_ATOMIC);

	if (!skb)
		return NULL;
	skb_reserve(skb, WG_DATA_HEADROOM);
	/* The byte counters of the outer path look at it. */
	skb_set_inner_network_header(skb, 0);
	skb_put_data(skb, msg, len);
	return skb;
}

int wg_socket_send_message(struct wg_peer *peer, const void *msg, size_t len, u8 ds_field)
{
	struct sk_buff *skb = message_to_skb(msg, len);
	u64 num_sent_bytes;

	if (!skb)
		return -ENOMEM;
	WG_PACKET_CB(skb)->ds_field = ds_field;
	return wg_socket_send_list(peer, skb, &num_sent_bytes);
}

int wg_socket_send_reply(struct wg_device *wg, struct sk_buff *in_skb, const void *msg,
			 size_t len)
{
	struct wg_endpoint endpoint;
	struct sk_buff *skb;
	bool is_stale = false;
	int ret;

	if (wg_endpoint_from_skb(&endpoint, in_skb))
		return -EINVAL;
	skb = message_to_skb(msg, len);
	if (!skb)
		return -ENOMEM;
	rcu_read_lock_bh();
	ret = send_one(wg, skb, &endpoint, 0, NULL, &is_stale);
	rcu_read_unlock_bh();
	return ret;
}

int wg_endpoint_from_skb(struct wg_endpoint *endpoint, const struct sk_buff *skb)
{
	memset(endpoint, 0, sizeof(*endpoint));
	if (skb->protocol == htons(ETH_P_IP)) {
		endpoint->addr4.sin_family = AF_INET;
		endpoint->addr4.sin_port = udp_hdr(skb)->source;
		endpoint->addr4.sin_addr.s_addr = ip_hdr(skb)->saddr;
		endpoint->src4.s_addr = ip_hdr(skb)->daddr;
		endpoint->src_if4 = skb->skb_iif;
		return 0;
	}
	if (IS_ENABLED(CONFIG_IPV6) && skb->protocol == htons(ETH_P_IPV6)) {
		endpoint->addr6.sin6_family = AF_INET6;
		endpoint->addr6.sin6_port = udp_hdr(skb)->source;
		endpoint->addr6.sin6_addr = ipv6_hdr(skb)->saddr;
		endpoint->addr6.sin6_scope_id =
			ipv6_iface_scope_id(&ipv6_hdr(skb)->saddr, skb->skb_iif);
		endpoint->src6 = ipv6_hdr(skb)->daddr;
		return 0;
	}
	return -EINVAL;
}

static bool same_address(const struct sockaddr *a, const struct sockaddr *b)
{
	const struct sockaddr_in6 *a6 = (const struct sockaddr_in6 *)a;
	const struct sockaddr_in6 *b6 = (const struct sockaddr_in6 *)b;
	const struct sockaddr_in *a4 = (const struct sockaddr_in *)a;
	const struct sockaddr_in *b4 = (const struct sockaddr_in *)b;

	if (a->sa_family != b->sa_family)
		return false;
	switch (a->sa_family) {
	case AF_INET:
		return a4->sin_port == b4->sin_port &&
		       a4->sin_addr.s_addr == b4->sin_addr.s_addr;
	case AF_INET6:
		return a6->sin6_port == b6->sin6_port &&
		       ipv6_addr_equal(&a6->sin6_addr, &b6->sin6_addr) &&
		       a6->sin6_scope_id == b6->sin6_scope_id;
	default:
		return true;	/* both unset */
	}
}

static bool same_endpoint(const struct wg_endpoint *a, const struct wg_endpoint *b)
{
	if (!same_address(&a->addr, &b->addr))
		return false;
	switch (a->addr.sa_family) {
	case AF_INET:
		return a->src4.s_addr == b->src4.s_addr && a->src_if4 == b->src_if4;
	case AF_INET6:
		return ipv6_addr_equal(&a->src6, &b->src6);
	default:
		return true;
	}
}

/* What changed may be the source only: then it is no other endpoint. Context: endpoint_lock. */
static void remember_endpoint(struct wg_peer *peer, const struct wg_endpoint *endpoint)
{
	struct wg_past_endpoint *past = peer->past_endpoints;

	if (past->since_ns && same_address(&past->addr, &endpoint->addr))
		return;
	memmove(past + 1, past, (WG_NUM_PAST_ENDPOINTS - 1) * sizeof(*past));
	if (endpoint->addr.sa_family == AF_INET)
		past->addr4 = endpoint->addr4;
	else
		past->addr6 = endpoint->addr6;
	past->since_ns = ktime_get_coarse_boottime_ns();
}

void wg_socket_set_endpoint(struct wg_peer *peer, const struct wg_endpoint *endpoint)
{
	bool is_same;

	/* For every packet received: look first, as nearly all change nothing. */
	read_lock_bh(&peer->endpoint_lock);
	is_same = same_endpoint(endpoint, &peer->endpoint);
	read_unlock_bh(&peer->endpoint_lock);
	if (likely(is_same))
		return;

	write_lock_bh(&peer->endpoint_lock);
	remember_endpoint(peer, endpoint);
	peer->endpoint = *endpoint;
	dst_cache_reset(&peer->endpoint_cache);
	write_unlock_bh(&peer->endpoint_lock);
}

void wg_socket_set_endpoint_from_skb(struct wg_peer *peer, const struct sk_buff *skb)
{
	struct wg_endpoint endpoint;

	if (!wg_endpoint_from_skb(&endpoint, skb))
		wg_socket_set_endpoint(peer, &endpoint);
}

void wg_socket_clear_source(struct wg_peer *peer)
{
	write_lock_bh(&peer->endpoint_lock);
	memset(&peer->endpoint.src6, 0, sizeof(peer->endpoint.src6));
	/*
	 * At once, not on the next use: the namespace that the route belongs to may be about to
	 * go, and nobody sends from there again. The lock keeps senders out.
	 */
	dst_cache_reset_now(&peer->endpoint_cache);
	write_unlock_bh(&peer->endpoint_lock);
}

static void release_sock_of_tunnel(struct sock *sock)
{
	if (!sock)
		return;
	sk_clear_memalloc(sock);
	wg_udp_tunnel_sock_release(sock);
}

static void setup_sock(struct wg_device *wg, struct net *net, struct sock *sock)
{
	struct udp_tunnel_sock_cfg cfg = {
		.sk_user_data = wg,
		.encap_type = 1,
		.encap_rcv = wg_receive,
	};

	/* Packets come from softirq; they were accounted for inside the tunnel already. */
	sock->sk_allocation = GFP_ATOMIC;
	sock->sk_sndbuf = INT_MAX;
	sk_set_memalloc(sock);
	wg_setup_udp_tunnel_sock(net, sock, &cfg);
}

/* One try at both families. On failure nothing stays open. */
static int bind_sockets(struct wg_device *wg, struct net *net, __be16 port,
			struct socket **socket4, struct socket **socket6)
{
	struct udp_port_cfg port4 = {
		.family = AF_INET,
		.local_ip.s_addr = htonl(INADDR_ANY),
		.local_udp_port = port,
		.use_udp_checksums = true,
	};
	int ret;

	*socket6 = NULL;
	ret = udp_sock_create(net, &port4, socket4);
	if (ret < 0)
		return ret;
#if IS_ENABLED(CONFIG_IPV6)
	if (ipv6_mod_enabled()) {
		struct udp_port_cfg port6 = {
			.family = AF_INET6,
			.local_ip6 = IN6ADDR_ANY_INIT,
			.local_udp_port = inet_sk((*socket4)->sk)->inet_sport,
			.use_udp6_tx_checksums = true,
			.use_udp6_rx_checksums = true,
			.ipv6_v6only = true,
		};

		ret = udp_sock_create(net, &port6, socket6);
		if (ret < 0) {
			wg_udp_tunnel_sock_release((*socket4)->sk);
			return ret;
		}
	}
#endif
	return 0;
}

int wg_socket_open(struct wg_device *wg, u16 port)
{
	struct socket *socket4, *socket6;
	struct net *net;
	int ret, tries = port ? 1 : 100;

	rcu_read_lock();
	net = rcu_dereference(wg->creating_net);
	net = net ? maybe_get_net(net) : NULL;
	rcu_read_unlock();
	if (!net)
		return -ENONET;

	/* A port that is free for IPv4 may be taken for IPv6: then another one. */
	do {
		ret = bind_sockets(wg, net, htons(port), &socket4, &socket6);
	} while (ret == -EADDRINUSE && --tries);
	if (ret) {
		put_net(net);
		return ret;
	}
	setup_sock(wg, net, socket4->sk);
	if (socket6)
		setup_sock(wg, net, socket6->sk);
	wg_socket_replace(wg, socket4->sk, socket6 ? socket6->sk : NULL);
	put_net(net);
	return 0;
}

void wg_socket_replace(struct wg_device *wg, struct sock *sock4, struct sock *sock6)
{
	struct sock *old4, *old6;

	mutex_lock(&wg->socket_update_lock);
	old4 = rcu_dereference_protected(wg->sock4, lockdep_is_held(&wg->socket_update_lock));
	old6 = rcu_dereference_protected(wg->sock6, lockdep_is_held(&wg->socket_update_lock));
	rcu_assign_pointer(wg->sock4, sock4);
	rcu_assign_pointer(wg->sock6, sock6);
	if (sock4)
		wg->listen_port = ntohs(inet_sk(sock4)->inet_sport);
	mutex_unlock(&wg->socket_update_lock);
	synchronize_net();
	release_sock_of_tunnel(old4);
	release_sock_of_tunnel(old6);
}
