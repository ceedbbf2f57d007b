// SPDX-License-Identifier: GPL-2.0
#include "diag.h"

#include <linux/if.h>
#include <linux/timekeeping.h>
#include <net/genetlink.h>

#include "compat.h"
#include "drops.h"
#include "netlink.h"
#include "peer.h"
#include "wgnl.h"
#include "wgpp.h"

static struct genl_family family;

static const struct nla_policy policy[WGPP_A_MAX + 1] = {
	[WGPP_A_IFINDEX] = { .type = NLA_U32 },
	[WGPP_A_IFNAME] = { .type = NLA_NUL_STRING, .len = IFNAMSIZ - 1 },
};

/* Where a dump goes on. */
struct dump_cursor {
	struct wg_device *wg;
	struct wg_peer *next_peer;	/* with a reference */
	bool is_done;
};

static struct dump_cursor *dump_cursor(struct netlink_callback *cb)
{
	BUILD_BUG_ON(sizeof(struct dump_cursor) > sizeof(cb->args));
	/* One function finds the device for both families. */
	BUILD_BUG_ON((int)WGPP_A_IFINDEX != (int)WGNL_DEVICE_IFINDEX ||
		     (int)WGPP_A_IFNAME != (int)WGNL_DEVICE_IFNAME);
	return (struct dump_cursor *)cb->args;
}

/* A time or number that is 0 is left out. */
static int put_u64(struct sk_buff *skb, int type, u64 value, int pad)
{
	return value ? nla_put_u64_64bit(skb, type, value, pad) : 0;
}

static int put_device_drops(struct sk_buff *skb, const struct wg_device *wg)
{
	struct nlattr *nest = nla_nest_start(skb, WGPP_A_DROPS);
	u32 i;

	if (!nest)
		return -EMSGSIZE;
	for (i = 0; i < WGPP_NUM_DROPS; ++i) {
		if (put_u64(skb, i + 1, wg_drops_total(wg, i), 0))
			return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	return 0;
}

static int put_peer_drops(struct sk_buff *skb, struct wg_peer *peer)
{
	struct nlattr *nest = nla_nest_start(skb, WGPP_PEER_A_DROPS);
	u64 last_ns = READ_ONCE(peer->drops.last_ns);
	int last_error = READ_ONCE(peer->drops.last_error);
	u32 i;

	if (!nest)
		return -EMSGSIZE;
	for (i = 0; i < WGPP_NUM_DROPS; ++i) {
		if (put_u64(skb, i + 1, (unsigned long)atomic_long_read(&peer->drops.num[i]), 0))
			return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	if (last_ns &&
	    (nla_put_u32(skb, WGPP_PEER_A_LAST_DROP, READ_ONCE(peer->drops.last)) ||
	     put_u64(skb, WGPP_PEER_A_LAST_DROP_TIME, last_ns, WGPP_PEER_A_PAD)))
		return -EMSGSIZE;
	return last_error ? nla_put_u32(skb, WGPP_PEER_A_LAST_ERROR, last_error) : 0;
}

static u64 birth_ns(struct wg_keypair __rcu **slot)
{
	struct wg_keypair *keypair;
	u64 birth_ns = 0;

	rcu_read_lock_bh();
	keypair = rcu_dereference_bh(*slot);
	if (keypair)
		birth_ns = wgc_session_birth_ns(&keypair->session);
	rcu_read_unlock_bh();
	return birth_ns;
}

static int put_sessions(struct sk_buff *skb, struct wg_peer *peer)
{
	struct wg_keypairs *keypairs = &peer->keypairs;
	struct wg_timer_facts timers;

	wg_timers_get_facts(peer, &timers);
	if (put_u64(skb, WGPP_PEER_A_HANDSHAKES, atomic64_read(&peer->num_handshakes),
		    WGPP_PEER_A_PAD) ||
	    put_u64(skb, WGPP_PEER_A_CURRENT_BIRTH, birth_ns(&keypairs->current_key),
		    WGPP_PEER_A_PAD) ||
	    put_u64(skb, WGPP_PEER_A_PREVIOUS_BIRTH, birth_ns(&keypairs->previous_key),
		    WGPP_PEER_A_PAD) ||
	    put_u64(skb, WGPP_PEER_A_NEXT_BIRTH, birth_ns(&keypairs->next_key),
		    WGPP_PEER_A_PAD) ||
	    put_u64(skb, WGPP_PEER_A_NEXT_TIMER, timers.next_ns, WGPP_PEER_A_PAD) ||
	    nla_put_u32(skb, WGPP_PEER_A_ATTEMPTS, timers.num_attempts) ||
	    nla_put_u32(skb, WGPP_PEER_A_NUM_STAGED, skb_queue_len_lockless(&peer->staged)))
		return -EMSGSIZE;
	return 0;
}

static int put_endpoint(struct sk_buff *skb, const struct wg_past_endpoint *past)
{
	size_t len = past->addr.sa_family == AF_INET ? sizeof(past->addr4) : sizeof(past->addr6);
	struct nlattr *nest = nla_nest_start(skb, 0);

	if (!nest || nla_put(skb, WGPP_ENDPOINT_A_ADDRESS, len, &past->addr) ||
	    put_u64(skb, WGPP_ENDPOINT_A_SINCE, past->since_ns, WGPP_ENDPOINT_A_PAD))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_endpoints(struct sk_buff *skb, struct wg_peer *peer)
{
	struct wg_past_endpoint past[WG_NUM_PAST_ENDPOINTS];
	struct nlattr *nest;
	u32 i;

	read_lock_bh(&peer->endpoint_lock);
	memcpy(past, peer->past_endpoints, sizeof(past));
	read_unlock_bh(&peer->endpoint_lock);
	nest = nla_nest_start(skb, WGPP_PEER_A_ENDPOINTS);
	if (!nest)
		return -EMSGSIZE;
	for (i = 0; i < WG_NUM_PAST_ENDPOINTS && past[i].since_ns; ++i) {
		if (put_endpoint(skb, &past[i]))
			return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	return 0;
}

static int put_peer(struct sk_buff *skb, struct wg_peer *peer)
{
	struct nlattr *nest = nla_nest_start(skb, 0);

	if (!nest)
		return -EMSGSIZE;
	if (nla_put(skb, WGPP_PEER_A_PUBLIC_KEY, WGC_KEY_LEN, peer->public_key) ||
	    put_peer_drops(skb, peer) || put_sessions(skb, peer) || put_endpoints(skb, peer)) {
		nla_nest_cancel(skb, nest);
		return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	return 0;
}

/* From the cursor on, as many as there is room for; each fits a message of its own. */
static int put_peers(struct sk_buff *skb, struct dump_cursor *cursor)
{
	struct wg_device *wg = cursor->wg;
	struct wg_peer *peer = cursor->next_peer;
	struct wg_peer *left = NULL;
	struct nlattr *nest = nla_nest_start(skb, WGPP_A_PEERS);

	if (!nest)
		return -EMSGSIZE;
	/* One that was removed has no successor: that ends the dump, which is marked as changed. */
	if (list_empty(&wg->peers) || (peer && peer->is_dead))
		goto done;
	if (!peer)
		peer = list_first_entry(&wg->peers, struct wg_peer, peer_list);
	list_for_each_entry_from(peer, &wg->peers, peer_list) {
		if (put_peer(skb, peer)) {
			left = wg_peer_get(peer);
			break;
		}
	}
done:
	nla_nest_end(skb, nest);
	if (cursor->next_peer)
		wg_peer_put(cursor->next_peer);
	cursor->next_peer = left;
	cursor->is_done = !left;
	return 0;
}

static int put_facts(struct sk_buff *skb, const struct wg_device *wg)
{
	if (nla_put_u32(skb, WGPP_A_IFINDEX, wg->dev->ifindex) ||
	    nla_put_string(skb, WGPP_A_IFNAME, wg->dev->name) ||
	    put_u64(skb, WGPP_A_NOW, ktime_get_coarse_boottime_ns(), WGPP_A_PAD))
		return -EMSGSIZE;
	return put_device_drops(skb, wg);
}

static int dump_start(struct netlink_callback *cb)
{
	struct wg_device *wg = wg_netlink_find_device(wg_dump_attrs(cb), cb->skb, cb->extack);

	if (IS_ERR(wg))
		return PTR_ERR(wg);
	dump_cursor(cb)->wg = wg;
	return 0;
}

static int dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct dump_cursor *cursor = dump_cursor(cb);
	struct wg_device *wg = cursor->wg;
	int ret = -EMSGSIZE;
	void *header;

	if (cursor->is_done)
		return 0;
	rtnl_lock();
	mutex_lock(&wg->update_lock);
	cb->seq = wg->update_gen;
	header = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq, &family,
			     NLM_F_MULTI, WGPP_CMD_GET);
	if (!header)
		goto out;
	genl_dump_check_consistent(cb, header);
	if ((!cursor->next_peer && put_facts(skb, wg)) || put_peers(skb, cursor)) {
		genlmsg_cancel(skb, header);
		goto out;
	}
	genlmsg_end(skb, header);
	ret = skb->len;
out:
	mutex_unlock(&wg->update_lock);
	rtnl_unlock();
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

static const struct genl_ops ops[] = {
	{
		.cmd = WGPP_CMD_GET,
		.start = dump_start,
		.dumpit = dump,
		.done = dump_done,
		.flags = GENL_UNS_ADMIN_PERM,
	},
};

static struct genl_family family __ro_after_init = {
	.ops = ops,
	.n_ops = ARRAY_SIZE(ops),
	.resv_start_op = WGPP_CMD_GET + 1,
	.version = WGPP_VERSION,
	.maxattr = WGPP_A_MAX,
	.policy = policy,
	.module = THIS_MODULE,
	.netnsok = true,
};

int __init wg_diag_init(const char *kind)
{
	strscpy(family.name, strcmp(kind, WGPP_FAMILY) ? WGPP_FAMILY : WGPP_FAMILY_OTHER,
		sizeof(family.name));
	return genl_register_family(&family);
}

void wg_diag_uninit(void)
{
	genl_unregister_family(&family);
}
