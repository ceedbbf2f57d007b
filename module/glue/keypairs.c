// SPDX-License-Identifier: GPL-2.0
#include "keypairs.h"

#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "peer.h"

void wg_keypairs_init(struct wg_keypairs *keypairs)
{
	spin_lock_init(&keypairs->lock);
}

static void free_keypair_rcu(struct rcu_head *rcu)
{
	kfree_sensitive(container_of(rcu, struct wg_keypair, rcu));
}

static void release_keypair(struct kref *kref)
{
	struct wg_keypair *keypair = container_of(kref, struct wg_keypair, refcount);

	call_rcu(&keypair->rcu, free_keypair_rcu);
}

struct wg_keypair *wg_keypair_get_rcu(struct wg_keypair *keypair)
{
	if (!keypair || !kref_get_unless_zero(&keypair->refcount))
		return NULL;
	return keypair;
}

void wg_keypair_put(struct wg_keypair *keypair)
{
	kref_put(&keypair->refcount, release_keypair);
}

/* The slots change together under the lock: the core decides on a copy of the pointers. */
static void load_slots(struct wg_keypairs *keypairs, struct wgc_keyslots *slots)
{
	slots->next_key = rcu_dereference_protected(keypairs->next_key,
						    lockdep_is_held(&keypairs->lock));
	slots->current_key = rcu_dereference_protected(keypairs->current_key,
						       lockdep_is_held(&keypairs->lock));
	slots->previous_key = rcu_dereference_protected(keypairs->previous_key,
							lockdep_is_held(&keypairs->lock));
}

static void publish_slots(struct wg_keypairs *keypairs, const struct wgc_keyslots *slots)
{
	rcu_assign_pointer(keypairs->next_key, (struct wg_keypair *)slots->next_key);
	rcu_assign_pointer(keypairs->current_key, (struct wg_keypair *)slots->current_key);
	rcu_assign_pointer(keypairs->previous_key, (struct wg_keypair *)slots->previous_key);
}

/* Out of the index table at once, so that no further packet finds them. */
static void drop_keypairs(struct wg_peer *peer, const struct wgc_dropped *dropped)
{
	u32 i;

	for (i = 0; i < dropped->num_keys; ++i) {
		struct wg_keypair *keypair = dropped->keys[i];

		wg_index_remove(peer->wg->index_table, &keypair->entry);
		wg_keypair_put(keypair);
	}
}

bool wg_keypairs_begin_session(struct wg_peer *peer)
{
	struct wg_keypairs *keypairs = &peer->keypairs;
	struct wg_keypair *keypair;
	struct wgc_keyslots slots;
	struct wgc_dropped dropped;
	bool is_initiator;

	lockdep_assert_held(&peer->handshake_lock);

	keypair = kzalloc(sizeof(*keypair), GFP_KERNEL);
	if (!keypair)
		return false;
	keypair->entry.peer = peer;
	keypair->entry.type = WG_INDEX_KEYPAIR;
	spin_lock_init(&keypair->receive_lock);
	kref_init(&keypair->refcount);
	if (wgc_handshake_begin_session(&peer->handshake, &keypair->session,
					ktime_get_coarse_boottime_ns()) != WGC_OK)
		goto discard;
	/* Published slots may be confirmed and dropped by others at once. */
	is_initiator = wgc_session_is_initiator(&keypair->session);

	spin_lock_bh(&keypairs->lock);
	if (peer->is_dead ||
	    !wg_index_replace(peer->wg->index_table, &peer->handshake_entry, &keypair->entry)) {
		spin_unlock_bh(&keypairs->lock);
		goto discard;
	}
	load_slots(keypairs, &slots);
	wgc_keyslots_install(&slots, &dropped, keypair, is_initiator);
	publish_slots(keypairs, &slots);
	spin_unlock_bh(&keypairs->lock);
	drop_keypairs(peer, &dropped);
	return true;

discard:
	kfree_sensitive(keypair);
	return false;
}

bool wg_keypairs_confirm(struct wg_peer *peer, struct wg_keypair *keypair)
{
	struct wg_keypairs *keypairs = &peer->keypairs;
	struct wgc_keyslots slots;
	struct wgc_dropped dropped;
	bool confirmed;

	/* Once per session only: the common case looks without the lock. */
	if (likely(keypair != rcu_access_pointer(keypairs->next_key)))
		return false;

	spin_lock_bh(&keypairs->lock);
	load_slots(keypairs, &slots);
	confirmed = wgc_keyslots_confirm(&slots, &dropped, keypair);
	if (confirmed)
		publish_slots(keypairs, &slots);
	spin_unlock_bh(&keypairs->lock);
	drop_keypairs(peer, &dropped);
	return confirmed;
}

void wg_keypairs_clear(struct wg_peer *peer)
{
	struct wg_keypairs *keypairs = &peer->keypairs;
	struct wgc_keyslots slots;
	struct wgc_dropped dropped;

	spin_lock_bh(&keypairs->lock);
	load_slots(keypairs, &slots);
	wgc_keyslots_clear(&slots, &dropped);
	publish_slots(keypairs, &slots);
	spin_unlock_bh(&keypairs->lock);
	drop_keypairs(peer, &dropped);
}

void wg_keypairs_stop_sending(struct wg_peer *peer)
{
	struct wg_keypairs *keypairs = &peer->keypairs;
	struct wgc_keyslots slots;

	spin_lock_bh(&keypairs->lock);
	load_slots(keypairs, &slots);
	if (slots.next_key)
		wgc_session_stop_sending(&((struct wg_keypair *)slots.next_key)->session);
	if (slots.current_key)
		wgc_session_stop_sending(&((struct wg_keypair *)slots.current_key)->session);
	spin_unlock_bh(&keypairs->lock);
}
