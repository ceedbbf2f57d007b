// SPDX-License-Identifier: GPL-2.0
#include "device.h"

#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/if_arp.h>
#include <linux/inetdevice.h>
#include <linux/random.h>
#include <linux/suspend.h>
#include <linux/timekeeping.h>
#include <net/addrconf.h>
#include <net/dst_metadata.h>
#include <net/icmp.h>
#include <net/ip_tunnels.h>
#include <net/netns/generic.h>
#include <net/rtnetlink.h>

#include "compat.h"
#include "drops.h"
#include "handshake.h"
#include "peer.h"
#include "queueing.h"
#include "ratelimiter.h"
#include "receive.h"
#include "send.h"
#include "socket.h"

static LIST_HEAD(device_list);	/* RTNL */

/* ---- up and down ------------------------------------------------------------ */

static int device_open(struct net_device *dev)
{
	struct wg_device *wg = netdev_priv(dev);
	struct inet6_dev *dev_v6 = __in6_dev_get(dev);
	struct in_device *dev_v4 = __in_dev_get_rtnl(dev);
	struct wg_peer *peer;
	int ret;

	if (dev_v4) {
		/* Peers on one link reach each other through us: nothing to redirect. */
		IN_DEV_CONF_SET(dev_v4, SEND_REDIRECTS, false);
		IPV4_DEVCONF_ALL(dev_net(dev), SEND_REDIRECTS) = false;
	}
	if (dev_v6)
		dev_v6->cnf.addr_gen_mode = IN6_ADDR_GEN_MODE_NONE;

	mutex_lock(&wg->update_lock);
	ret = wg_socket_open(wg, wg->listen_port);
	if (ret)
		goto out;
	list_for_each_entry(peer, &wg->peers, peer_list) {
		wg_timers_start(peer);
		wg_packet_send_staged(peer);
		if (wg_timers_persistent(peer))
			wg_packet_send_keepalive(peer);
	}
out:
	mutex_unlock(&wg->update_lock);
	return ret;
}

static int device_stop(struct net_device *dev)
{
	struct wg_device *wg = netdev_priv(dev);
	struct wg_peer *peer;

	/* No message comes in from here on, so no session begins after its keys are gone. */
	wg_socket_replace(wg, NULL, NULL);
	wg_handshake_purge_queue(wg);
	flush_workqueue(wg->handshake_receive_wq);

	mutex_lock(&wg->update_lock);
	list_for_each_entry(peer, &wg->peers, peer_list) {
		wg_packet_purge_staged(peer, WGPP_DROP_CLOSED);
		wg_timers_stop(peer);
		wg_handshake_clear(peer);
		wg_keypairs_clear(peer);
	}
	mutex_unlock(&wg->update_lock);
	return 0;
}

/*
 * The device leaves, and the kernel frees its per-CPU counters before it calls our
 * destructor: what may still count has to end here. Peers that a late request adds
 * afterwards find no sockets, so they neither send nor receive.
 */
static void device_uninit(struct net_device *dev)
{
	struct wg_device *wg = netdev_priv(dev);

	mutex_lock(&wg->update_lock);
	wg_peer_remove_all(wg);
	mutex_unlock(&wg->update_lock);
}

/* ---- transmission ----------------------------------------------------------- */

static void send_unreachable(struct sk_buff *skb)
{
	if (skb->protocol == htons(ETH_P_IP))
		icmp_ndo_send(skb, ICMP_DEST_UNREACH, ICMP_HOST_UNREACH, 0);
	else if (skb->protocol == htons(ETH_P_IPV6))
		icmpv6_ndo_send(skb, ICMPV6_DEST_UNREACH, ICMPV6_ADDR_UNREACH, 0);
}

/* The peer that owns the destination. The kernel transmits on the RCU read side. */
static struct wg_peer *peer_for(struct wg_device *wg, struct sk_buff *skb)
{
	if (skb->protocol == htons(ETH_P_IP))
		return wg_allowedips_lookup(&wg->allowedips, (const u8 *)&ip_hdr(skb)->daddr,
					    sizeof(struct in_addr));
	return wg_allowedips_lookup(&wg->allowedips, (const u8 *)&ipv6_hdr(skb)->daddr,
				    sizeof(struct in6_addr));
}

static netdev_tx_t device_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct wg_device *wg = netdev_priv(dev);
	struct wg_peer *peer = NULL;
	struct sk_buff_head packets;
	enum wgpp_drop reason;
	struct sk_buff *next;
	sa_family_t family;
	u32 mtu;
	int ret;

	if (unlikely(!pskb_inet_may_pull(skb) || !wg_packet_protocol_matches(skb))) {
		ret = -EPROTONOSUPPORT;
		reason = WGPP_DROP_NOT_IP;
		net_dbg_ratelimited("%s: packet is not IP\n", dev->name);
		goto err;
	}
	peer = peer_for(wg, skb);
	if (unlikely(!peer)) {
		ret = -ENOKEY;
		reason = WGPP_DROP_NO_PEER;
		if (skb->protocol == htons(ETH_P_IP))
			net_dbg_ratelimited("%s: no peer for %pI4\n", dev->name,
					    &ip_hdr(skb)->daddr);
		else
			net_dbg_ratelimited("%s: no peer for %pI6\n", dev->name,
					    &ipv6_hdr(skb)->daddr);
		goto err_unreachable;
	}
	family = READ_ONCE(peer->endpoint.addr.sa_family);
	if (unlikely(family != AF_INET && family != AF_INET6)) {
		ret = -EDESTADDRREQ;
		reason = WGPP_DROP_NO_ENDPOINT;
		net_dbg_ratelimited("%s: peer %llu has no endpoint\n", dev->name, peer->id);
		goto err_unreachable;
	}

	/* Before the route is dropped; padding must not outgrow it. */
	mtu = skb_valid_dst(skb) ? dst_mtu(skb_dst(skb)) : dev->mtu;

	__skb_queue_head_init(&packets);
	if (!skb_is_gso(skb)) {
		skb_mark_not_on_list(skb);
	} else {
		struct sk_buff *segments = skb_gso_segment(skb, 0);

		if (IS_ERR_OR_NULL(segments)) {
			ret = segments ? PTR_ERR(segments) : -EINVAL;
			reason = WGPP_DROP_BAD_GSO;
			goto err_unreachable;
		}
		dev_kfree_skb(skb);
		skb = segments;
	}
	skb_list_walk_safe(skb, skb, next) {
		skb_mark_not_on_list(skb);
		skb = skb_share_check(skb, GFP_ATOMIC);
		if (unlikely(!skb)) {
			wg_drop(wg, peer, WGPP_DROP_TX_NO_MEMORY, 1);
			continue;
		}
		/* Held no longer than needed: the packet may wait for a handshake. */
		skb_dst_drop(skb);
		WG_PACKET_CB(skb)->mtu = mtu;
		__skb_queue_tail(&packets, skb);
	}
	wg_packet_stage(peer, &packets);
	wg_packet_send_staged(peer);
	return NETDEV_TX_OK;

err_unreachable:
	send_unreachable(skb);
err:
	wg_drop(wg, peer, reason, 1);
	kfree_skb(skb);
	return ret;
}

static const struct net_device_ops device_ops = {
	.ndo_open = device_open,
	.ndo_stop = device_stop,
	.ndo_uninit = device_uninit,
	.ndo_start_xmit = device_xmit,
	.ndo_get_stats64 = dev_get_tstats64,
};

/* ---- life -------------------------------------------------------------------- */

static void free_device_parts(struct wg_device *wg)
{
	/* In the order in which one may queue work on the next. */
	if (wg->handshake_receive_wq)
		destroy_workqueue(wg->handshake_receive_wq);
	if (wg->handshake_send_wq)
		destroy_workqueue(wg->handshake_send_wq);
	if (wg->packet_wq)
		destroy_workqueue(wg->packet_wq);
	if (wg->handshake_queue.queue.workers)
		wg_crypt_queue_free(&wg->handshake_queue.queue);
	if (wg->decrypt_queue.workers)
		wg_crypt_queue_free(&wg->decrypt_queue);
	if (wg->encrypt_queue.workers)
		wg_crypt_queue_free(&wg->encrypt_queue);
	/* The last references went with the work; their memory goes after a grace period. */
	rcu_barrier();
	kvfree(wg->index_table);
	kvfree(wg->peer_table);
	free_percpu(wg->drops);
	wg_free_tstats(wg->dev);
	wgc_wipe(&wg->identity, sizeof(wg->identity));
	wgc_wipe(&wg->cookie_checker, sizeof(wg->cookie_checker));
}

static void device_destruct(struct net_device *dev)
{
	struct wg_device *wg = netdev_priv(dev);

	rtnl_lock();
	list_del(&wg->device_list);
	rtnl_unlock();
	mutex_lock(&wg->update_lock);
	rcu_assign_pointer(wg->creating_net, NULL);
	wg->listen_port = 0;
	wg_socket_replace(wg, NULL, NULL);
	/* For wg_receive() on a socket that was just released. */
	synchronize_net();
	wg_peer_remove_all(wg);
	mutex_unlock(&wg->update_lock);
	free_device_parts(wg);
	free_netdev(dev);
}

static const struct device_type device_type = { .name = KBUILD_MODNAME };

static void device_setup(struct net_device *dev)
{
	static const netdev_features_t features = NETIF_F_HW_CSUM | NETIF_F_RXCSUM |
						  NETIF_F_SG | NETIF_F_GSO |
						  NETIF_F_GSO_SOFTWARE | NETIF_F_HIGHDMA;
	const int overhead = WG_OUTER_OVERHEAD;

	dev->netdev_ops = &device_ops;
	dev->header_ops = &ip_tunnel_header_ops;
	dev->hard_header_len = 0;
	dev->addr_len = 0;
	dev->needed_headroom = WG_DATA_HEADROOM;
	dev->needed_tailroom = WG_DATA_TAILROOM;
	dev->type = ARPHRD_NONE;
	dev->flags = IFF_POINTOPOINT | IFF_NOARP;
	dev->priv_flags |= IFF_NO_QUEUE;
	dev->features |= features;
	dev->hw_features |= features;
	dev->hw_enc_features |= features;
	wg_set_lltx(dev);
	wg_set_tstats(dev);
	netif_set_tso_max_size(dev, GSO_MAX_SIZE);
	dev->mtu = ETH_DATA_LEN - overhead;
	dev->max_mtu = round_down(INT_MAX, 16) - overhead;

	SET_NETDEV_DEVTYPE(dev, &device_type);
	/* Its route tells the MTU of the inner packet. */
	netif_keep_dst(dev);
}

static int create_device_parts(struct wg_device *wg)
{
	struct net_device *dev = wg->dev;
	int ret = -ENOMEM;

	if (!wg_alloc_tstats(dev))
		return ret;
	wg->drops = alloc_percpu(struct wg_drops);
	wg->peer_table = wg_peer_table_alloc();
	wg->index_table = wg_index_table_alloc();
	wg->handshake_receive_wq = alloc_workqueue("wgpp-hs-rx-%s",
						   WQ_CPU_INTENSIVE | WQ_FREEZABLE | WQ_PERCPU,
						   0, dev->name);
	wg->handshake_send_wq = alloc_workqueue("wgpp-hs-tx-%s", WQ_UNBOUND | WQ_FREEZABLE, 0,
						dev->name);
	wg->packet_wq = alloc_workqueue("wgpp-crypt-%s",
					WQ_CPU_INTENSIVE | WQ_MEM_RECLAIM | WQ_PERCPU, 0,
					dev->name);
	if (!wg->drops || !wg->peer_table || !wg->index_table || !wg->handshake_receive_wq ||
	    !wg->handshake_send_wq || !wg->packet_wq)
		return ret;
	ret = wg_crypt_queue_init(&wg->encrypt_queue, wg, WG_CRYPT_RING_LEN,
				  sizeof(struct wg_seal_worker), wg_packet_encrypt_work);
	if (!ret)
		ret = wg_crypt_queue_init(&wg->decrypt_queue, wg, WG_CRYPT_RING_LEN,
					  sizeof(struct wg_worker), wg_packet_decrypt_work);
	if (!ret)
		ret = wg_crypt_queue_init(&wg->handshake_queue.queue, wg,
					  WG_HANDSHAKE_RING_LEN, sizeof(struct wg_worker),
					  wg_handshake_receive_work);
	return ret;
}

static int create_device(struct net *link_net, struct net_device *dev)
{
	struct wg_device *wg = netdev_priv(dev);
	int ret;

	wg->dev = dev;
	rcu_assign_pointer(wg->creating_net, link_net);
	init_rwsem(&wg->identity_lock);
	mutex_init(&wg->socket_update_lock);
	mutex_init(&wg->update_lock);
	INIT_LIST_HEAD(&wg->peers);
	wg_allowedips_init(&wg->allowedips);
	wg_cookie_init(wg);
	wg->update_gen = 1;

	ret = create_device_parts(wg);
	if (ret)
		goto err;
	wg_enable_threaded_napi(dev);
	ret = register_netdevice(dev);
	if (ret)
		goto err;
	list_add(&wg->device_list, &device_list);
	/* Only now: until here the caller frees the device when we fail. */
	dev->priv_destructor = device_destruct;
	return 0;

err:
	free_device_parts(wg);
	return ret;
}

WG_DEFINE_NEWLINK(device_new, create_device)

struct rtnl_link_ops wg_link_ops __read_mostly = {
	.priv_size = sizeof(struct wg_device),
	.setup = device_setup,
	.newlink = device_new,
};

/* ---- namespaces, suspend, cloned machines -------------------------------------- */

/* The sockets go with their namespace; the device may live on in another. */
static void close_sockets_of(struct net *net)
{
	struct wg_device *wg;
	struct wg_peer *peer;

	list_for_each_entry(wg, &device_list, device_list) {
		if (rcu_access_pointer(wg->creating_net) != net)
			continue;
		netif_carrier_off(wg->dev);
		mutex_lock(&wg->update_lock);
		rcu_assign_pointer(wg->creating_net, NULL);
		wg_socket_replace(wg, NULL, NULL);
		list_for_each_entry(peer, &wg->peers, peer_list)
			wg_socket_clear_source(peer);
		mutex_unlock(&wg->update_lock);
	}
}

WG_DEFINE_PERNET_EXIT(netns_exit, close_sockets_of)

static struct pernet_operations pernet_ops = {
	.wg_pernet_exit = netns_exit,
};

static void for_each_peer(void (*action)(struct wg_peer *peer))
{
	struct wg_device *wg;
	struct wg_peer *peer;

	rtnl_lock();
	list_for_each_entry(wg, &device_list, device_list) {
		mutex_lock(&wg->update_lock);
		list_for_each_entry(peer, &wg->peers, peer_list)
			action(peer);
		mutex_unlock(&wg->update_lock);
	}
	rtnl_unlock();
}

static void zero_keys(struct wg_peer *peer)
{
	wg_handshake_clear(peer);
	wg_keypairs_clear(peer);
}

/* Keys shall not lie in the memory image of a machine that sleeps. */
static int pm_notified(struct notifier_block *nb, unsigned long action, void *data)
{
	/* Where suspend is the idle state, as on phones, tunnels must outlive it. */
	if (IS_ENABLED(CONFIG_PM_AUTOSLEEP) || IS_ENABLED(CONFIG_PM_USERSPACE_AUTOSLEEP))
		return 0;
	if (action == PM_HIBERNATION_PREPARE || action == PM_SUSPEND_PREPARE) {
		for_each_peer(zero_keys);
		rcu_barrier();
	}
	return 0;
}

static struct notifier_block pm_notifier = { .notifier_call = pm_notified };

/* Both copies of a cloned machine would seal with the same counters. */
static int vm_forked(struct notifier_block *nb, unsigned long action, void *data)
{
	for_each_peer(wg_peer_expire_sessions);
	return 0;
}

static struct notifier_block vm_fork_notifier = { .notifier_call = vm_forked };

int wg_device_init(const char *kind)
{
	int ret;

	wg_link_ops.kind = kind;
	ret = register_pm_notifier(&pm_notifier);
	if (ret)
		return ret;
	ret = register_random_vmfork_notifier(&vm_fork_notifier);
	if (ret)
		goto err_pm;
	ret = register_pernet_device(&pernet_ops);
	if (ret)
		goto err_vm_fork;
	ret = rtnl_link_register(&wg_link_ops);
	if (ret)
		goto err_pernet;
	return 0;

err_pernet:
	unregister_pernet_device(&pernet_ops);
err_vm_fork:
	unregister_random_vmfork_notifier(&vm_fork_notifier);
err_pm:
	unregister_pm_notifier(&pm_notifier);
	return ret;
}

void wg_device_uninit(void)
{
	rtnl_link_unregister(&wg_link_ops);
	unregister_pernet_device(&pernet_ops);
	unregister_random_vmfork_notifier(&vm_fork_notifier);
	unregister_pm_notifier(&pm_notifier);
	rcu_barrier();
}
