// SPDX-License-Identifier: GPL-2.0
#include "peer.h"

#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "handshake.h"
#include "receive.h"
#include "send.h"
#include "socket.h"

static struct kmem_cache *peer_cache;
static atomic64_t last_peer_id = ATOMIC64_INIT(0);

int wg_peer_init(void)
{
	peer_cache = kmem_cache_create("wgpp_peer", sizeof(struct wg_peer),
				       __alignof__(struct wg_peer), 0, NULL);
	return peer_cache ? 0 : -ENOMEM;
}

void wg_peer_uninit(void)
{
	rcu_barrier();
	kmem_cache_destroy(peer_cache);
}

struct wg_peer *wg_peer_create(struct wg_device *wg, const u8 public_key[WGC_KEY_LEN],
			       const u8 *psk)
{
	struct wg_peer *peer;

	lockdep_assert_held(&wg->update_lock);

	if (wg->num_peers >= WG_MAX_PEERS)
		return ERR_PTR(-ENOMEM);
	peer = kmem_cache_zalloc(peer_cache, GFP_KERNEL);
	if (!peer)
		return ERR_PTR(-ENOMEM);
	if (dst_cache_init(&peer->endpoint_cache, GFP_KERNEL)) {
		kmem_cache_free(peer_cache, peer);
		return ERR_PTR(-ENOMEM);
	}

	peer->wg = wg;
	peer->id = atomic64_inc_return(&last_peer_id);
	peer->send_cpu = -1;
	memcpy(peer->public_key, public_key, WGC_KEY_LEN);
	skb_queue_head_init(&peer->staged);
	wg_ordered_queue_init(&peer->send_queue);
	wg_ordered_queue_init(&peer->receive_queue);
	wg_keypairs_init(&peer->keypairs);
	mutex_init(&peer->handshake_lock);
	peer->handshake_entry.peer = peer;
	peer->handshake_entry.type = WG_INDEX_HANDSHAKE;
	rwlock_init(&peer->endpoint_lock);
	spin_lock_init(&peer->cookie_lock);
	wgc_cookie_jar_init(&peer->cookie_jar, public_key);
	INIT_WORK(&peer->send_work, wg_packet_send_work);
	INIT_WORK(&peer->initiation_work, wg_packet_initiation_work);
	INIT_WORK(&peer->zero_keys_work, wg_handshake_zero_keys_work);
	INIT_LIST_HEAD(&peer->allowedips_list);
	kref_init(&peer->refcount);
	wg_timers_init(peer);
	if (netif_running(wg->dev))
		wg_timers_start(peer);

	set_bit(NAPI_STATE_NO_BUSY_POLL, &peer->napi.state);
	netif_napi_add(wg->dev, &peer->napi, wg_packet_poll);
	napi_enable(&peer->napi);

	/* Found by handshakes from here on, so the handshake comes first. */
	down_read(&wg->identity_lock);
	wgc_handshake_init(&peer->handshake, &wg->identity, public_key, psk);
	wg_peer_table_add(wg->peer_table, peer);
	up_read(&wg->identity_lock);
	list_add_tail(&peer->peer_list, &wg->peers);
	++wg->num_peers;
	return peer;
}

void wg_peer_expire_sessions(struct wg_peer *peer)
{
	wg_handshake_clear(peer);
	wg_timers_forget_initiation(peer);
	wg_keypairs_stop_sending(peer);
}

struct wg_peer *wg_peer_get_rcu(struct wg_peer *peer)
{
	return kref_get_unless_zero(&peer->refcount) ? peer : NULL;
}

static void free_peer_rcu(struct rcu_head *rcu)
{
	struct wg_peer *peer = container_of(rcu, struct wg_peer, rcu);

	/* The handshake holds secrets; all of it goes. */
	wgc_wipe(peer, sizeof(*peer));
	kmem_cache_free(peer_cache, peer);
}

static void release_peer(struct kref *kref)
{
	struct wg_peer *peer = container_of(kref, struct wg_peer, refcount);

	dst_cache_destroy(&peer->endpoint_cache);
	call_rcu(&peer->rcu, free_peer_rcu);
}

void wg_peer_put(struct wg_peer *peer)
{
	kref_put(&peer->refcount, release_peer);
}

/* Nothing finds the peer any more, and nothing new is taken into its queues. */
static void unlink_peer(struct wg_peer *peer)
{
	struct wg_device *wg = peer->wg;

	list_del_init(&peer->peer_list);
	wg_allowedips_remove_peer(&wg->allowedips, peer);
	wg_peer_table_remove(wg->peer_table, peer);

	mutex_lock(&peer->handshake_lock);
	spin_lock_bh(&peer->keypairs.lock);
	peer->is_dead = true;
	spin_unlock_bh(&peer->keypairs.lock);
	mutex_unlock(&peer->handshake_lock);
	wg_handshake_clear(peer);
	wg_keypairs_clear(peer);

	wg_ordered_queue_close(&peer->send_queue);
	wg_ordered_queue_close(&peer->receive_queue);
}

/*
 * Context: a grace period has passed since unlink_peer(), so every packet that made it
 * into an ordered queue is in a ring, too, with a worker on its way.
 */
static void retire_peer(struct wg_peer *peer)
{
	struct wg_device *wg = peer->wg;

	wg_timers_stop(peer);
	flush_work(&peer->initiation_work);
	flush_work(&peer->zero_keys_work);

	/*
	 * A flush waits for the work that was queued before it, but a worker queued later
	 * may have taken our packet: look whether any is pending. One more flush lets
	 * the worker that finished the last of them leave wg_packet_queue_*().
	 */
	do {
		flush_workqueue(wg->packet_wq);
	} while (wg_ordered_queue_has_pending(&peer->send_queue) ||
		 wg_ordered_queue_has_pending(&peer->receive_queue));
	flush_workqueue(wg->packet_wq);
	cancel_work_sync(&peer->send_work);
	napi_disable(&peer->napi);
	netif_napi_del(&peer->napi);
	wg_ordered_queue_purge(&peer->send_queue);
	wg_ordered_queue_purge(&peer->receive_queue);
	wg_packet_purge_staged(peer, WGPP_DROP_CLOSED);

	--wg->num_peers;
	wg_peer_put(peer);
}

void wg_peer_remove(struct wg_peer *peer)
{
	lockdep_assert_held(&peer->wg->update_lock);

	unlink_peer(peer);
	synchronize_net();
	retire_peer(peer);
}

void wg_peer_remove_all(struct wg_device *wg)
{
	struct wg_peer *peer, *next;
	LIST_HEAD(dead);

	lockdep_assert_held(&wg->update_lock);

	if (list_empty(&wg->peers))
		return;
	list_for_each_entry_safe(peer, next, &wg->peers, peer_list) {
		unlink_peer(peer);
		list_add_tail(&peer->peer_list, &dead);
		cond_resched();
	}
	synchronize_net();
	list_for_each_entry_safe(peer, next, &dead, peer_list) {
		list_del_init(&peer->peer_list);
		retire_peer(peer);
	}
}
