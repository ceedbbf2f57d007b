// SPDX-License-Identifier: GPL-2.0
#include "netlink.h"

#include <linux/if.h>
#include <linux/random.h>
#include <net/genetlink.h>
#include <net/sock.h>

#include "compat.h"
#include "handshake.h"
#include "peer.h"
#include "send.h"
#include "socket.h"
#include "vectors.h"
#include "wgnl.h"

static struct genl_family family;

/*
 * What requests are measured by is what the kernel's own module measures them by. Where its
 * policies are made from the specification of the family, everything nested is checked before
 * anything is applied, an unknown flag is -EINVAL, and a get has no more than a name. Where
 * they are not, a flag is checked when its part is applied, and is -EOPNOTSUPP.
 */
#ifdef WG_HAVE_SPEC_POLICY
#define WG_POLICY_FLAGS(all) NLA_POLICY_MASK(NLA_U32, all)
#define WG_POLICY_LIST(policy) NLA_POLICY_NESTED_ARRAY(policy)
#define WG_GET_ATTR_MAX WGNL_DEVICE_IFNAME
#else
#define WG_POLICY_FLAGS(all) { .type = NLA_U32 }
#define WG_POLICY_LIST(policy) { .type = NLA_NESTED }
#define WG_GET_ATTR_MAX WGNL_DEVICE_ATTR_MAX
#endif

static const struct nla_policy allowedip_policy[WGNL_ALLOWEDIP_ATTR_MAX + 1] = {
	[WGNL_ALLOWEDIP_FAMILY] = { .type = NLA_U16 },
	[WGNL_ALLOWEDIP_IPADDR] = NLA_POLICY_MIN_LEN(sizeof(struct in_addr)),
	[WGNL_ALLOWEDIP_CIDR_MASK] = { .type = NLA_U8 },
	[WGNL_ALLOWEDIP_FLAGS] = WG_POLICY_FLAGS(WGNL_ALLOWEDIP_F_ALL),
};

static const struct nla_policy peer_policy[WGNL_PEER_ATTR_MAX + 1] = {
	[WGNL_PEER_PUBLIC_KEY] = NLA_POLICY_EXACT_LEN(WGNL_KEY_LEN),
	[WGNL_PEER_PRESHARED_KEY] = NLA_POLICY_EXACT_LEN(WGNL_KEY_LEN),
	[WGNL_PEER_FLAGS] = WG_POLICY_FLAGS(WGNL_PEER_F_ALL),
	[WGNL_PEER_ENDPOINT] = NLA_POLICY_MIN_LEN(sizeof(struct sockaddr)),
	[WGNL_PEER_KEEPALIVE_INTERVAL] = { .type = NLA_U16 },
	[WGNL_PEER_LAST_HANDSHAKE_TIME] =
		NLA_POLICY_EXACT_LEN(sizeof(struct __kernel_timespec)),
	[WGNL_PEER_RX_BYTES] = { .type = NLA_U64 },
	[WGNL_PEER_TX_BYTES] = { .type = NLA_U64 },
	[WGNL_PEER_ALLOWEDIPS] = WG_POLICY_LIST(allowedip_policy),
	[WGNL_PEER_PROTOCOL_VERSION] = { .type = NLA_U32 },
};

static const struct nla_policy device_policy[WGNL_DEVICE_ATTR_MAX + 1] = {
	[WGNL_DEVICE_IFINDEX] = { .type = NLA_U32 },
	[WGNL_DEVICE_IFNAME] = { .type = NLA_NUL_STRING, .len = IFNAMSIZ - 1 },
	[WGNL_DEVICE_PRIVATE_KEY] = NLA_POLICY_EXACT_LEN(WGNL_KEY_LEN),
	[WGNL_DEVICE_PUBLIC_KEY] = NLA_POLICY_EXACT_LEN(WGNL_KEY_LEN),
	[WGNL_DEVICE_FLAGS] = WG_POLICY_FLAGS(WGNL_DEVICE_F_ALL),
	[WGNL_DEVICE_LISTEN_PORT] = { .type = NLA_U16 },
	[WGNL_DEVICE_FWMARK] = { .type = NLA_U32 },
	[WGNL_DEVICE_PEERS] = WG_POLICY_LIST(peer_policy),
};

struct wg_device *wg_netlink_find_device(struct nlattr **attrs, struct sk_buff *request,
					 struct netlink_ext_ack *extack)
{
	struct net *net = sock_net(request->sk);
	struct net_device *dev;

	if (!attrs[WGNL_DEVICE_IFINDEX] == !attrs[WGNL_DEVICE_IFNAME]) {
		NL_SET_ERR_MSG(extack, "name one device, by index or by name");
		return ERR_PTR(-EBADR);
	}
	if (attrs[WGNL_DEVICE_IFINDEX])
		dev = dev_get_by_index(net, nla_get_u32(attrs[WGNL_DEVICE_IFINDEX]));
	else
		dev = dev_get_by_name(net, nla_data(attrs[WGNL_DEVICE_IFNAME]));
	if (!dev) {
		NL_SET_ERR_MSG(extack, "no such device");
		return ERR_PTR(-ENODEV);
	}
	if (!wg_is_device(dev)) {
		dev_put(dev);
		NL_SET_ERR_MSG(extack, "the device is of another kind");
		return ERR_PTR(-EOPNOTSUPP);
	}
	return netdev_priv(dev);
}

/* ---- get: a dump that resumes ------------------------------------------------- */

/* Where a dump goes on: in netlink_callback.args, so no allocation. */
struct dump_cursor {
	struct wg_device *wg;
	struct wg_peer *next_peer;	/* with a reference */
	u64 allowedips_seq;
	struct wg_allowedip *next_allowedip;	/* valid while the seq is the same */
};

static struct dump_cursor *dump_cursor(struct netlink_callback *cb)
{
	BUILD_BUG_ON(sizeof(struct dump_cursor) > sizeof(cb->args));
	return (struct dump_cursor *)cb->args;
}

static int put_allowedip(struct sk_buff *skb, const struct wg_allowedip *allowedip)
{
	struct wgc_prefix prefix;
	struct nlattr *nest = nla_nest_start(skb, 0);

	if (!nest)
		return -EMSGSIZE;
	wgc_trie_entry_prefix(&allowedip->entry, &prefix);
	if (nla_put_u8(skb, WGNL_ALLOWEDIP_CIDR_MASK, prefix.cidr) ||
	    nla_put_u16(skb, WGNL_ALLOWEDIP_FAMILY,
			prefix.addr_len == sizeof(struct in_addr) ? AF_INET : AF_INET6) ||
	    nla_put(skb, WGNL_ALLOWEDIP_IPADDR, prefix.addr_len, prefix.addr)) {
		nla_nest_cancel(skb, nest);
		return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	return 0;
}

static int put_endpoint(struct sk_buff *skb, struct wg_peer *peer)
{
	struct wg_endpoint endpoint;

	read_lock_bh(&peer->endpoint_lock);
	endpoint = peer->endpoint;
	read_unlock_bh(&peer->endpoint_lock);
	switch (endpoint.addr.sa_family) {
	case AF_INET:
		return nla_put(skb, WGNL_PEER_ENDPOINT, sizeof(endpoint.addr4),
			       &endpoint.addr4);
	case AF_INET6:
		return nla_put(skb, WGNL_PEER_ENDPOINT, sizeof(endpoint.addr6),
			       &endpoint.addr6);
	default:
		return 0;
	}
}

static int put_peer_facts(struct sk_buff *skb, struct wg_peer *peer)
{
	const struct timespec64 time = ns_to_timespec64(READ_ONCE(peer->last_handshake_unix_ns));
	const struct __kernel_timespec last_handshake = {
		.tv_sec = time.tv_sec,
		.tv_nsec = time.tv_nsec,
	};
	u8 psk[WGC_KEY_LEN];
	int ret;

	mutex_lock(&peer->handshake_lock);
	wgc_handshake_get_psk(&peer->handshake, psk);
	mutex_unlock(&peer->handshake_lock);
	ret = nla_put(skb, WGNL_PEER_PRESHARED_KEY, WGC_KEY_LEN, psk);
	wgc_wipe(psk, sizeof(psk));

	if (ret || put_endpoint(skb, peer) ||
	    nla_put(skb, WGNL_PEER_LAST_HANDSHAKE_TIME, sizeof(last_handshake),
		    &last_handshake) ||
	    nla_put_u16(skb, WGNL_PEER_KEEPALIVE_INTERVAL, wg_timers_persistent(peer)) ||
	    nla_put_u64_64bit(skb, WGNL_PEER_TX_BYTES, atomic64_read(&peer->tx_bytes),
			      WGNL_PEER_UNSPEC) ||
	    nla_put_u64_64bit(skb, WGNL_PEER_RX_BYTES, atomic64_read(&peer->rx_bytes),
			      WGNL_PEER_UNSPEC) ||
	    nla_put_u32(skb, WGNL_PEER_PROTOCOL_VERSION, 1))
		return -EMSGSIZE;
	return 0;
}

/*
 * Puts a peer, or the rest of one. Return: -EMSGSIZE when it goes on in the next
 * message; the cursor then says where.
 */
static int put_peer(struct sk_buff *skb, struct wg_peer *peer, struct dump_cursor *cursor)
{
	struct wg_allowedips *table = &peer->wg->allowedips;
	struct wg_allowedip *allowedip = cursor->next_allowedip;
	struct nlattr *peer_nest, *ips_nest;
	bool is_continued = allowedip;

	peer_nest = nla_nest_start(skb, 0);
	if (!peer_nest)
		return -EMSGSIZE;
	if (nla_put(skb, WGNL_PEER_PUBLIC_KEY, WGC_KEY_LEN, peer->public_key))
		goto cancel;
	if (!is_continued) {
		if (put_peer_facts(skb, peer))
			goto cancel;
		allowedip = list_first_entry_or_null(&peer->allowedips_list,
						     struct wg_allowedip, peer_list);
		if (!allowedip)
			goto done;
	} else if (cursor->allowedips_seq != table->seq) {
		/* The entry may be gone. The caller marks the dump as interrupted. */
		goto done;
	}

	ips_nest = nla_nest_start(skb, WGNL_PEER_ALLOWEDIPS);
	if (!ips_nest)
		goto cancel;
	list_for_each_entry_from(allowedip, &peer->allowedips_list, peer_list) {
		if (put_allowedip(skb, allowedip)) {
			nla_nest_end(skb, ips_nest);
			nla_nest_end(skb, peer_nest);
			cursor->next_allowedip = allowedip;
			cursor->allowedips_seq = table->seq;
			return -EMSGSIZE;
		}
	}
	nla_nest_end(skb, ips_nest);
done:
	nla_nest_end(skb, peer_nest);
	cursor->next_allowedip = NULL;
	cursor->allowedips_seq = 0;
	return 0;

cancel:
	nla_nest_cancel(skb, peer_nest);
	return -EMSGSIZE;
}

static int put_device_facts(struct sk_buff *skb, struct wg_device *wg)
{
	u8 private_key[WGC_KEY_LEN], public_key[WGC_KEY_LEN];
	int ret = 0;

	if (nla_put_u16(skb, WGNL_DEVICE_LISTEN_PORT, wg->listen_port) ||
	    nla_put_u32(skb, WGNL_DEVICE_FWMARK, wg->fwmark) ||
	    nla_put_u32(skb, WGNL_DEVICE_IFINDEX, wg->dev->ifindex) ||
	    nla_put_string(skb, WGNL_DEVICE_IFNAME, wg->dev->name))
		return -EMSGSIZE;
	down_read(&wg->identity_lock);
	if (wgc_identity_get(&wg->identity, private_key, public_key) &&
	    (nla_put(skb, WGNL_DEVICE_PRIVATE_KEY, WGC_KEY_LEN, private_key) ||
	     nla_put(skb, WGNL_DEVICE_PUBLIC_KEY, WGC_KEY_LEN, public_key)))
		ret = -EMSGSIZE;
	up_read(&wg->identity_lock);
	wgc_wipe(private_key, sizeof(private_key));
	return ret;
}

/* Peers from the cursor on. Return: true when all are in, false when the message is full. */
static bool put_peers(struct sk_buff *skb, struct dump_cursor *cursor)
{
	struct wg_device *wg = cursor->wg;
	struct wg_peer *peer = cursor->next_peer;
	bool is_full = false;

	/* A removed peer has no successor: the end of the dump, not an error. */
	if (list_empty(&wg->peers) || (peer && peer->is_dead))
		peer = NULL;
	else if (!peer)
		peer = list_first_entry(&wg->peers, struct wg_peer, peer_list);
	if (peer) {
		list_for_each_entry_from(peer, &wg->peers, peer_list) {
			if (put_peer(skb, peer, cursor)) {
				is_full = true;
				break;
			}
		}
	}
	if (is_full)
		wg_peer_get(peer);
	if (cursor->next_peer)
		wg_peer_put(cursor->next_peer);
	cursor->next_peer = is_full ? peer : NULL;
	return !is_full;
}

static int dump_start(struct netlink_callback *cb)
{
	struct wg_device *wg = wg_netlink_find_device(wg_dump_attrs(cb), cb->skb, cb->extack);

	if (IS_ERR(wg))
		return PTR_ERR(wg);
	dump_cursor(cb)->wg = wg;
	return 0;
}

/*
 * Replies hold keys, and netlink frees them as they are. What was to be called at the end waits
 * in a field that only packets with user pages use. All of the buffer: a peer that did not fit
 * was taken off again, its key was not.
 */
static void wipe_reply(struct sk_buff *skb)
{
	void (*destructor)(struct sk_buff *skb) = skb_shinfo(skb)->destructor_arg;

	/* A monitor of netlink has a right to what it was sent. */
	if (!skb_cloned(skb))
		wgc_wipe(skb->head, skb_end_offset(skb));
	skb_shinfo(skb)->destructor_arg = NULL;
	skb->destructor = destructor;
	if (destructor)
		destructor(skb);
	/* The last thing, and a jump: there is nothing left to run here when the module may go. */
	module_put(THIS_MODULE);
}

static void wipe_when_freed(struct sk_buff *skb)
{
	/* Held from within a dump: it cannot fail. */
	__module_get(THIS_MODULE);
	skb_shinfo(skb)->destructor_arg = skb->destructor;
	skb->destructor = wipe_reply;
}

/*
 * The first message has the device's facts; later ones start at a peer. Three states:
 * prev_seq is 0 before the first message, next_peer is set while peers are left, and
 * neither once all is said.
 */
static int dump_device(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct dump_cursor *cursor = dump_cursor(cb);
	struct wg_device *wg = cursor->wg;
	struct nlattr *peers_nest;
	bool is_first = !cb->prev_seq;
	int ret = -EMSGSIZE;
	void *header;

	wipe_when_freed(skb);
	rtnl_lock();
	mutex_lock(&wg->update_lock);
	cb->seq = wg->update_gen;
	if (!is_first && !cursor->next_peer) {
		ret = 0;
		goto out;
	}

	header = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq, &family,
			     NLM_F_MULTI, WGNL_CMD_GET_DEVICE);
	if (!header)
		goto out;
	genl_dump_check_consistent(cb, header);
	if (is_first && put_device_facts(skb, wg))
		goto cancel;
	peers_nest = nla_nest_start(skb, WGNL_DEVICE_PEERS);
	if (!peers_nest)
		goto cancel;
	put_peers(skb, cursor);
	nla_nest_end(skb, peers_nest);
	genlmsg_end(skb, header);
	ret = skb->len;
	goto out;

cancel:
	genlmsg_cancel(skb, header);
out:
	mutex_unlock(&wg->update_lock);
	rtnl_unlock();
	/* netlink core compares it with the next call's seq and marks a changed dump. */
	cb->prev_seq = cb->seq;
	return ret;
}

static int dump_done(struct netlink_callback *cb)
{
	struct dump_cursor *cursor = dump_cursor(cb);

	if (cursor->next_peer)
		wg_peer_put(cursor->next_peer);
	if (cursor->wg)
		dev_put(cursor->wg->dev);
	return 0;
}

/* ---- set ------------------------------------------------------------------------ */

static int set_port(struct wg_device *wg, u16 port)
{
	struct wg_peer *peer;

	if (wg->listen_port == port)
		return 0;
	list_for_each_entry(peer, &wg->peers, peer_list)
		wg_socket_clear_source(peer);
	if (!netif_running(wg->dev)) {
		wg->listen_port = port;
		return 0;
	}
	return wg_socket_open(wg, port);
}

static void set_fwmark(struct wg_device *wg, u32 fwmark)
{
	struct wg_peer *peer;

	if (wg->fwmark == fwmark)
		return;
	WRITE_ONCE(wg->fwmark, fwmark);
	/* Cached routes were looked up with the old mark. */
	list_for_each_entry(peer, &wg->peers, peer_list)
		wg_socket_clear_source(peer);
}

/* Checks everything that can be checked without changing anything. */
static int parse_allowedip(struct nlattr *attr, struct wgc_prefix *prefix, u32 *flags,
			   struct netlink_ext_ack *extack)
{
	struct nlattr *attrs[WGNL_ALLOWEDIP_ATTR_MAX + 1];
	u16 ip_family;
	int ret;

	ret = nla_parse_nested(attrs, WGNL_ALLOWEDIP_ATTR_MAX, attr, allowedip_policy, extack);
	if (ret)
		return ret;
	if (!attrs[WGNL_ALLOWEDIP_FAMILY] || !attrs[WGNL_ALLOWEDIP_IPADDR] ||
	    !attrs[WGNL_ALLOWEDIP_CIDR_MASK]) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "an AllowedIP needs family, address and mask");
		return -EINVAL;
	}
	*flags = attrs[WGNL_ALLOWEDIP_FLAGS] ? nla_get_u32(attrs[WGNL_ALLOWEDIP_FLAGS]) : 0;
	if (*flags & ~WGNL_ALLOWEDIP_F_ALL) {
		NL_SET_ERR_MSG_ATTR(extack, attrs[WGNL_ALLOWEDIP_FLAGS],
				    "unknown AllowedIP flag");
		return -EOPNOTSUPP;
	}
	ip_family = nla_get_u16(attrs[WGNL_ALLOWEDIP_FAMILY]);
	prefix->cidr = nla_get_u8(attrs[WGNL_ALLOWEDIP_CIDR_MASK]);
	if (ip_family == AF_INET)
		prefix->addr_len = sizeof(struct in_addr);
	else if (ip_family == AF_INET6)
		prefix->addr_len = sizeof(struct in6_addr);
	else
		prefix->addr_len = 0;
	if (!prefix->addr_len || prefix->cidr > prefix->addr_len * 8 ||
	    nla_len(attrs[WGNL_ALLOWEDIP_IPADDR]) != prefix->addr_len) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "family, address length and mask do not agree");
		return -EINVAL;
	}
	memcpy(prefix->addr, nla_data(attrs[WGNL_ALLOWEDIP_IPADDR]), prefix->addr_len);
	return 0;
}

/*
 * Without a @peer the list is only checked: nothing of a peer is applied unless all of it
 * is well formed.
 */
static int set_allowedips(struct wg_peer *peer, struct nlattr *list,
			  struct netlink_ext_ack *extack)
{
	struct wg_allowedips *table;
	struct wgc_prefix prefix;
	struct nlattr *attr;
	int rem, ret;
	u32 flags;

	nla_for_each_nested(attr, list, rem) {
		ret = parse_allowedip(attr, &prefix, &flags, extack);
		if (ret)
			return ret;
		if (!peer)
			continue;
		table = &peer->wg->allowedips;
		if (flags & WGNL_ALLOWEDIP_F_REMOVE_ME)
			wg_allowedips_remove(table, &prefix, peer);
		else
			ret = wg_allowedips_insert(table, &prefix, peer);
		if (ret)
			return ret;
	}
	return 0;
}

/* Anything but a complete IPv4 or IPv6 address is ignored, by contract. */
static void set_endpoint(struct wg_peer *peer, const struct nlattr *attr)
{
	const struct sockaddr *addr = nla_data(attr);
	struct wg_endpoint endpoint = {};
	size_t len = nla_len(attr);

	if (len == sizeof(struct sockaddr_in) && addr->sa_family == AF_INET) {
		memcpy(&endpoint.addr4, addr, len);
	} else if (len == sizeof(struct sockaddr_in6) && addr->sa_family == AF_INET6) {
		memcpy(&endpoint.addr6, addr, len);
		endpoint.addr6.sin6_flowinfo = 0;
	} else {
		return;
	}
	wg_socket_set_endpoint(peer, &endpoint);
}

static bool is_own_key(struct wg_device *wg, const u8 *public_key)
{
	u8 own[WGC_KEY_LEN];
	bool is_own;

	down_read(&wg->identity_lock);
	is_own = wgc_identity_get(&wg->identity, NULL, own) &&
		 !memcmp(own, public_key, WGC_KEY_LEN);
	up_read(&wg->identity_lock);
	return is_own;
}

static void set_psk(struct wg_peer *peer, const u8 *psk)
{
	mutex_lock(&peer->handshake_lock);
	wgc_handshake_set_psk(&peer->handshake, psk);
	mutex_unlock(&peer->handshake_lock);
}

/* What is well formed and allowed, for one peer that is there. */
static int update_peer(struct wg_peer *peer, struct nlattr **attrs, u32 flags,
		       struct netlink_ext_ack *extack)
{
	struct wg_device *wg = peer->wg;
	int ret;

	if (attrs[WGNL_PEER_PRESHARED_KEY])
		set_psk(peer, nla_data(attrs[WGNL_PEER_PRESHARED_KEY]));
	if (attrs[WGNL_PEER_ENDPOINT])
		set_endpoint(peer, attrs[WGNL_PEER_ENDPOINT]);
	if (flags & WGNL_PEER_F_REPLACE_ALLOWEDIPS)
		wg_allowedips_remove_peer(&wg->allowedips, peer);
	if (attrs[WGNL_PEER_ALLOWEDIPS]) {
		ret = set_allowedips(peer, attrs[WGNL_PEER_ALLOWEDIPS], extack);
		if (ret)
			return ret;
	}
	if (attrs[WGNL_PEER_KEEPALIVE_INTERVAL]) {
		u16 seconds = nla_get_u16(attrs[WGNL_PEER_KEEPALIVE_INTERVAL]);

		if (wg_timers_set_persistent(peer, seconds) && netif_running(wg->dev))
			wg_packet_send_keepalive(peer);
	}
	if (netif_running(wg->dev))
		wg_packet_send_staged(peer);
	return 0;
}

static int set_peer(struct wg_device *wg, struct nlattr *nest, struct netlink_ext_ack *extack)
{
	struct nlattr *attrs[WGNL_PEER_ATTR_MAX + 1];
	struct wg_peer *peer;
	const u8 *public_key;
	u32 flags;
	int ret;

	ret = nla_parse_nested(attrs, WGNL_PEER_ATTR_MAX, nest, peer_policy, extack);
	if (ret)
		return ret;
	if (!attrs[WGNL_PEER_PUBLIC_KEY]) {
		NL_SET_ERR_MSG_ATTR(extack, nest, "a peer needs its public key");
		return -EINVAL;
	}
	public_key = nla_data(attrs[WGNL_PEER_PUBLIC_KEY]);
	flags = attrs[WGNL_PEER_FLAGS] ? nla_get_u32(attrs[WGNL_PEER_FLAGS]) : 0;
	if (flags & ~WGNL_PEER_F_ALL) {
		NL_SET_ERR_MSG_ATTR(extack, attrs[WGNL_PEER_FLAGS], "unknown peer flag");
		return -EOPNOTSUPP;
	}
	if (attrs[WGNL_PEER_PROTOCOL_VERSION] &&
	    nla_get_u32(attrs[WGNL_PEER_PROTOCOL_VERSION]) != 1) {
		NL_SET_ERR_MSG_ATTR(extack, attrs[WGNL_PEER_PROTOCOL_VERSION],
				    "only protocol version 1 is known");
		return -EPFNOSUPPORT;
	}
	if (attrs[WGNL_PEER_ALLOWEDIPS]) {
		ret = set_allowedips(NULL, attrs[WGNL_PEER_ALLOWEDIPS], extack);
		if (ret)
			return ret;
	}

	peer = wg_peer_table_find(wg->peer_table, public_key);
	if (!peer) {
		if (flags & (WGNL_PEER_F_REMOVE_ME | WGNL_PEER_F_UPDATE_ONLY))
			return 0;
		/* One list of peers can serve all hosts: each ignores itself. */
		if (is_own_key(wg, public_key))
			return 0;
		peer = wg_peer_create(wg, public_key, NULL);
		if (IS_ERR(peer))
			return PTR_ERR(peer);
		wg_peer_get(peer);
	}
	if (flags & WGNL_PEER_F_REMOVE_ME)
		wg_peer_remove(peer);
	else
		ret = update_peer(peer, attrs, flags, extack);
	wg_peer_put(peer);
	return ret;
}

/*
 * What the peers share with the new identity is computed together; without @work, for each by
 * itself. A handshake under way was the former identity's, and so were the sessions.
 */
static void renew_peers(struct wg_device *wg, struct wg_peer **peers, size_t num,
			struct wgc_shared_secrets_work *work)
{
	const u8 *keys[WGC_SHARED_SECRETS_MAX];
	bool begun;
	size_t i;

	if (num && work) {
		for (i = 0; i < num; ++i)
			keys[i] = peers[i]->public_key;
		begun = wgc_shared_secrets_want_vectors(num) && wg_vectors_begin();
		wgc_shared_secrets(work, &wg->identity, keys, num, begun);
		wg_vectors_end(begun);
	}
	for (i = 0; i < num; ++i) {
		mutex_lock(&peers[i]->handshake_lock);
		wgc_handshake_set_identity(&peers[i]->handshake, &wg->identity,
					   work ? work->secret[i] : NULL);
		mutex_unlock(&peers[i]->handshake_lock);
		wg_peer_expire_sessions(peers[i]);
	}
	/* There may be very many. */
	cond_resched();
}

static void renew_all_peers(struct wg_device *wg)
{
	struct wgc_shared_secrets_work *work = kmalloc(sizeof(*work), GFP_KERNEL);
	struct wg_peer *peers[WGC_SHARED_SECRETS_MAX], *peer;
	size_t num = 0;

	/* kmalloc() aligns such sizes as registers of 512 bits want it. */
	BUILD_BUG_ON_NOT_POWER_OF_2(sizeof(*work));
	list_for_each_entry(peer, &wg->peers, peer_list) {
		peers[num++] = peer;
		if (num == ARRAY_SIZE(peers)) {
			renew_peers(wg, peers, num, work);
			num = 0;
		}
	}
	renew_peers(wg, peers, num, work);
	kfree_sensitive(work);
}

static void set_private_key(struct wg_device *wg, const u8 *private_key)
{
	static const u8 no_key[WGC_KEY_LEN];
	u8 old_key[WGC_KEY_LEN], public_key[WGC_KEY_LEN];
	bool is_same;
	struct wg_peer *peer = NULL;

	down_read(&wg->identity_lock);
	wgc_identity_get(&wg->identity, old_key, NULL);
	is_same = wgc_equal(old_key, private_key, WGC_KEY_LEN);
	up_read(&wg->identity_lock);
	wgc_wipe(old_key, sizeof(old_key));
	if (is_same)
		return;

	/* A peer that is now ourselves goes, before anything is derived for it. */
	if (!wgc_equal(private_key, no_key, WGC_KEY_LEN)) {
		wgc_key_public(public_key, private_key);
		peer = wg_peer_table_find(wg->peer_table, public_key);
	}
	if (peer) {
		wg_peer_remove(peer);
		wg_peer_put(peer);
	}

	down_write(&wg->identity_lock);
	wgc_identity_set(&wg->identity, private_key);
	renew_all_peers(wg);
	wg_cookie_set_identity(wg);
	up_write(&wg->identity_lock);
}

/* Port and mark act in the namespace of the sockets, not the caller's. */
static int check_creating_net(struct wg_device *wg)
{
	struct net *net;
	int ret;

	rcu_read_lock();
	net = rcu_dereference(wg->creating_net);
	ret = net && ns_capable(net->user_ns, CAP_NET_ADMIN) ? 0 : -EPERM;
	rcu_read_unlock();
	return ret;
}

static int apply(struct wg_device *wg, struct nlattr **attrs, struct netlink_ext_ack *extack)
{
	struct nlattr *attr;
	int rem, ret;
	u32 flags;

	flags = attrs[WGNL_DEVICE_FLAGS] ? nla_get_u32(attrs[WGNL_DEVICE_FLAGS]) : 0;
	if (flags & ~WGNL_DEVICE_F_ALL) {
		NL_SET_ERR_MSG_ATTR(extack, attrs[WGNL_DEVICE_FLAGS], "unknown device flag");
		return -EOPNOTSUPP;
	}
	if (attrs[WGNL_DEVICE_LISTEN_PORT] || attrs[WGNL_DEVICE_FWMARK]) {
		ret = check_creating_net(wg);
		if (ret) {
			NL_SET_ERR_MSG(extack,
				       "port and fwmark need privilege where the device was created");
			return ret;
		}
	}
	++wg->update_gen;
	if (attrs[WGNL_DEVICE_FWMARK])
		set_fwmark(wg, nla_get_u32(attrs[WGNL_DEVICE_FWMARK]));
	if (attrs[WGNL_DEVICE_LISTEN_PORT]) {
		ret = set_port(wg, nla_get_u16(attrs[WGNL_DEVICE_LISTEN_PORT]));
		if (ret)
			return ret;
	}
	if (flags & WGNL_DEVICE_F_REPLACE_PEERS)
		wg_peer_remove_all(wg);
	if (attrs[WGNL_DEVICE_PRIVATE_KEY])
		set_private_key(wg, nla_data(attrs[WGNL_DEVICE_PRIVATE_KEY]));
	if (attrs[WGNL_DEVICE_PEERS]) {
		nla_for_each_nested(attr, attrs[WGNL_DEVICE_PEERS], rem) {
			ret = set_peer(wg, attr, extack);
			if (ret)
				return ret;
		}
	}
	return 0;
}

/* Keys do not stay behind in the memory of a request. */
static void wipe_keys(struct nlattr **attrs)
{
	struct nlattr *peer, *attr;
	int rem, peer_rem;

	if (attrs[WGNL_DEVICE_PRIVATE_KEY])
		wgc_wipe(nla_data(attrs[WGNL_DEVICE_PRIVATE_KEY]), WGC_KEY_LEN);
	if (!attrs[WGNL_DEVICE_PEERS])
		return;
	nla_for_each_nested(peer, attrs[WGNL_DEVICE_PEERS], rem) {
		/* Of an attribute given twice the last one counts, but each is a key. */
		nla_for_each_nested(attr, peer, peer_rem) {
			if (nla_type(attr) == WGNL_PEER_PRESHARED_KEY)
				wgc_wipe(nla_data(attr), nla_len(attr));
		}
	}
}

static int set_device(struct sk_buff *skb, struct genl_info *info)
{
	struct wg_device *wg = wg_netlink_find_device(info->attrs, skb, info->extack);
	int ret;

	if (IS_ERR(wg)) {
		wipe_keys(info->attrs);
		return PTR_ERR(wg);
	}
	rtnl_lock();
	mutex_lock(&wg->update_lock);
	ret = apply(wg, info->attrs, info->extack);
	mutex_unlock(&wg->update_lock);
	rtnl_unlock();
	wipe_keys(info->attrs);
	dev_put(wg->dev);
	return ret;
}

static const struct genl_ops ops[] = {
	{
		.cmd = WGNL_CMD_GET_DEVICE,
		.start = dump_start,
		.dumpit = dump_device,
		.done = dump_done,
		.policy = device_policy,
		.maxattr = WG_GET_ATTR_MAX,
		.flags = GENL_UNS_ADMIN_PERM,
	}, {
		.cmd = WGNL_CMD_SET_DEVICE,
		.doit = set_device,
		.flags = GENL_UNS_ADMIN_PERM,
	},
};

static struct genl_family family __ro_after_init = {
	.ops = ops,
	.n_ops = ARRAY_SIZE(ops),
	.resv_start_op = WGNL_CMD_SET_DEVICE + 1,
	.version = WGNL_VERSION,
	.maxattr = WGNL_DEVICE_ATTR_MAX,
	.policy = device_policy,
	.module = THIS_MODULE,
	.netnsok = true,
};

int __init wg_netlink_init(const char *kind)
{
	strscpy(family.name, kind, sizeof(family.name));
	return genl_register_family(&family);
}

void wg_netlink_uninit(void)
{
	genl_unregister_family(&family);
}
