// SPDX-License-Identifier: GPL-2.0
#include "peerlookup.h"

#include <linux/mm.h>
#include <linux/random.h>
#include <linux/rcupdate.h>

#include "peer.h"

struct wg_peer_table *wg_peer_table_alloc(void)
{
	struct wg_peer_table *table = kvmalloc(sizeof(*table), GFP_KERNEL);

	if (!table)
		return NULL;
	get_random_bytes(&table->key, sizeof(table->key));
	hash_init(table->buckets);
	return table;
}

/* The hash is keyed: whoever may choose public keys cannot choose buckets. */
static struct hlist_head *peer_bucket(struct wg_peer_table *table, const u8 *public_key)
{
	u64 hash = siphash(public_key, WGC_KEY_LEN, &table->key);

	return &table->buckets[hash & (HASH_SIZE(table->buckets) - 1)];
}

/* Writers hold update_lock. */
void wg_peer_table_add(struct wg_peer_table *table, struct wg_peer *peer)
{
	hlist_add_head_rcu(&peer->pubkey_hash, peer_bucket(table, peer->public_key));
}

void wg_peer_table_remove(struct wg_peer_table *table, struct wg_peer *peer)
{
	hlist_del_init_rcu(&peer->pubkey_hash);
}

struct wg_peer *wg_peer_table_find(struct wg_peer_table *table,
				   const u8 public_key[WGC_KEY_LEN])
{
	struct wg_peer *peer, *found = NULL;

	rcu_read_lock_bh();
	hlist_for_each_entry_rcu_bh(peer, peer_bucket(table, public_key), pubkey_hash) {
		if (!memcmp(peer->public_key, public_key, WGC_KEY_LEN)) {
			found = wg_peer_get_rcu(peer);
			break;
		}
	}
	rcu_read_unlock_bh();
	return found;
}

struct wg_index_table *wg_index_table_alloc(void)
{
	struct wg_index_table *table = kvmalloc(sizeof(*table), GFP_KERNEL);

	if (!table)
		return NULL;
	hash_init(table->buckets);
	spin_lock_init(&table->lock);
	return table;
}

/* Indices are random already, so their low bits are the hash. */
static struct hlist_head *index_bucket(struct wg_index_table *table, u32 index)
{
	return &table->buckets[index & (HASH_SIZE(table->buckets) - 1)];
}

static bool index_is_taken(struct wg_index_table *table, u32 index)
{
	struct wg_index_entry *entry;

	hlist_for_each_entry_rcu_bh(entry, index_bucket(table, index), hash) {
		if (entry->index == index)
			return true;
	}
	return false;
}

/*
 * A reader that stands on an entry while it moves to another bucket follows that
 * bucket's chain and finds nothing: it drops one packet. The alternative would be a
 * grace period for each handshake.
 */
u32 wg_index_insert(struct wg_index_table *table, struct wg_index_entry *entry)
{
	spin_lock_bh(&table->lock);
	hlist_del_init_rcu(&entry->hash);
	/* At most 4 entries for each of 2^20 peers in 2^32: a second try is rare. */
	do {
		entry->index = get_random_u32();
	} while (index_is_taken(table, entry->index));
	hlist_add_head_rcu(&entry->hash, index_bucket(table, entry->index));
	spin_unlock_bh(&table->lock);
	return entry->index;
}

bool wg_index_replace(struct wg_index_table *table, struct wg_index_entry *old,
		      struct wg_index_entry *new)
{
	bool replaced = false;

	spin_lock_bh(&table->lock);
	if (!hlist_unhashed(&old->hash)) {
		new->index = old->index;
		hlist_replace_rcu(&old->hash, &new->hash);
		/*
		 * hlist_replace_rcu() leaves @old pointing into the chain, for readers
		 * that stand on it; only the mark of being hashed goes.
		 */
		WRITE_ONCE(old->hash.pprev, NULL);
		replaced = true;
	}
	spin_unlock_bh(&table->lock);
	return replaced;
}

void wg_index_remove(struct wg_index_table *table, struct wg_index_entry *entry)
{
	spin_lock_bh(&table->lock);
	hlist_del_init_rcu(&entry->hash);
	spin_unlock_bh(&table->lock);
}

struct wg_index_entry *wg_index_find(struct wg_index_table *table, u32 types, u32 index,
				     struct wg_peer **peer)
{
	struct wg_index_entry *entry;

	hlist_for_each_entry_rcu_bh(entry, index_bucket(table, index), hash) {
		if (entry->index != index)
			continue;
		if (!(entry->type & types))
			return NULL;
		*peer = wg_peer_get_rcu(entry->peer);
		return *peer ? entry : NULL;
	}
	return NULL;
}
