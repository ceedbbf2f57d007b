/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where kernels differ, and all of it: what an interface is called here is what Linux 7.2
 * offers. module/Kbuild asks the kernel's headers (WG_HAVE_...) and never its version, as
 * long-term kernels take over interfaces from later ones.
 */
#ifndef WG_COMPAT_H
#define WG_COMPAT_H

#include <linux/netdevice.h>
#include <linux/timer.h>
#include <linux/workqueue.h>
#include <net/genetlink.h>
#include <net/ip_tunnels.h>
#include <net/ipv6.h>
#include <net/net_namespace.h>
#include <net/rtnetlink.h>
#include <net/udp_tunnel.h>
#ifdef WG_HAVE_GSO_H
#include <net/gso.h>
#endif
#ifdef WG_HAVE_IPV6_STUB
#include <net/ipv6_stubs.h>
#endif

#ifndef timer_container_of
#define timer_container_of from_timer
#endif

/* Before it had a name, a queue that is not unbound was just that. */
#ifndef WG_HAVE_WQ_PERCPU
#define WQ_PERCPU 0
#endif

/* ---- devices ----------------------------------------------------------------- */

/*
 * WG_DEFINE_NEWLINK() - define rtnl_link_ops.newlink as @name
 * @create: int (*)(struct net *link_net, struct net_device *dev); link_net is the namespace
 *	    that the request names for the outer side, else that of the requester
 */
#ifdef WG_HAVE_NEWLINK_PARAMS
#define WG_DEFINE_NEWLINK(name, create)							\
	static int name(struct net_device *dev, struct rtnl_newlink_params *params,	\
			struct netlink_ext_ack *extack)					\
	{										\
		return create(rtnl_newlink_link_net(params), dev);			\
	}
#else
#define WG_DEFINE_NEWLINK(name, create)							\
	static int name(struct net *link_net, struct net_device *dev,			\
			struct nlattr *tb[], struct nlattr *data[],			\
			struct netlink_ext_ack *extack)					\
	{										\
		return create(link_net, dev);						\
	}
#endif

/*
 * WG_DEFINE_PERNET_EXIT() - define pernet_operations.wg_pernet_exit as @name
 * @action: void (*)(struct net *net), called with RTNL held
 */
#ifdef WG_HAVE_EXIT_RTNL
#define wg_pernet_exit exit_rtnl
#define WG_DEFINE_PERNET_EXIT(name, action)						\
	static void name(struct net *net, struct list_head *dev_kill_list)		\
	{										\
		action(net);								\
	}
#else
#define wg_pernet_exit pre_exit
#define WG_DEFINE_PERNET_EXIT(name, action)						\
	static void name(struct net *net)						\
	{										\
		rtnl_lock();								\
		action(net);								\
		rtnl_unlock();								\
	}
#endif

static inline void wg_set_lltx(struct net_device *dev)
{
#ifdef WG_HAVE_LLTX
	dev->lltx = true;
#else
	dev->features |= NETIF_F_LLTX;
#endif
}

/*
 * Per-CPU counters: the core allocates them when the device is registered, and frees them
 * before the device's destructor runs. Where it does not, the driver has to.
 */
#ifdef WG_HAVE_PCPU_STAT_TYPE
static inline void wg_set_tstats(struct net_device *dev)
{
	dev->pcpu_stat_type = NETDEV_PCPU_STAT_TSTATS;
}

static inline bool wg_alloc_tstats(struct net_device *dev)
{
	return true;
}

static inline void wg_free_tstats(struct net_device *dev)
{
}
#else
static inline void wg_set_tstats(struct net_device *dev)
{
}

static inline bool wg_alloc_tstats(struct net_device *dev)
{
	dev->tstats = netdev_alloc_pcpu_stats(struct pcpu_sw_netstats);
	return dev->tstats;
}

static inline void wg_free_tstats(struct net_device *dev)
{
	free_percpu(dev->tstats);
}
#endif

/*
 * One thread per NAPI instance, so that the scheduler spreads the peers over the CPUs.
 * Kernels before netif_threaded_enable() could lose a wake-up of such a thread, and its
 * peer received nothing more (CVE-2026-52945): they stay with softirqs.
 */
static inline void wg_enable_threaded_napi(struct net_device *dev)
{
#ifdef WG_HAVE_NETIF_THREADED
	netif_threaded_enable(dev);
#endif
}

/* ---- outer sockets ------------------------------------------------------------- */

static inline void wg_setup_udp_tunnel_sock(struct net *net, struct sock *sock,
					    struct udp_tunnel_sock_cfg *cfg)
{
#ifdef WG_HAVE_TUNNEL_SOCK
	setup_udp_tunnel_sock(net, sock, cfg);
#else
	setup_udp_tunnel_sock(net, sock->sk_socket, cfg);
#endif
}

static inline void wg_udp_tunnel_sock_release(struct sock *sock)
{
#ifdef WG_HAVE_TUNNEL_SOCK
	udp_tunnel_sock_release(sock);
#else
	udp_tunnel_sock_release(sock->sk_socket);
#endif
}

/* No flags for the control block of the outer packet, where there is an argument for them. */
#ifdef WG_HAVE_IPCB_FLAGS
#define wg_udp_tunnel_xmit_skb(...) udp_tunnel_xmit_skb(__VA_ARGS__, 0)
#define wg_udp_tunnel6_xmit_skb(...) udp_tunnel6_xmit_skb(__VA_ARGS__, 0)
#else
#define wg_udp_tunnel_xmit_skb(...) udp_tunnel_xmit_skb(__VA_ARGS__)
#define wg_udp_tunnel6_xmit_skb(...) udp_tunnel6_xmit_skb(__VA_ARGS__)
#endif

/* While IPv6 could be a module, it was reached through a table that it filled in. */
#ifdef WG_HAVE_IPV6_STUB
#define wg_ip6_dst_lookup_flow(...) ipv6_stub->ipv6_dst_lookup_flow(__VA_ARGS__)
#else
#define wg_ip6_dst_lookup_flow(...) ip6_dst_lookup_flow(__VA_ARGS__)
#endif

/* ---- netlink --------------------------------------------------------------------- */

static inline struct nlattr **wg_dump_attrs(struct netlink_callback *cb)
{
#ifdef WG_HAVE_GENL_INFO_DUMP
	return genl_info_dump(cb)->attrs;
#else
	return genl_dumpit_info(cb)->attrs;
#endif
}

#endif
