// SPDX-License-Identifier: GPL-2.0
#include "allowedips.h"

#include <linux/slab.h>

#include "peer.h"

static struct kmem_cache *allowedip_cache;

int wg_allowedips_slab_init(void)
{
	allowedip_cache = kmem_cache_create("wgpp_allowedip", sizeof(struct wg_allowedip),
					    __alignof__(struct wg_allowedip), 0, NULL);
	return allowedip_cache ? 0 : -ENOMEM;
}

static void free_allowedip_rcu(struct rcu_head *rcu)
{
	kmem_cache_free(allowedip_cache, container_of(rcu, struct wg_allowedip, rcu));
}

void wg_allowedips_slab_uninit(void)
{
	rcu_barrier();
	kmem_cache_destroy(allowedip_cache);
}

void wg_allowedips_init(struct wg_allowedips *table)
{
	wgc_trie_init(&table->trie);
	table->seq = 1;
}

static struct wg_allowedip *to_allowedip(struct wgc_trie_node *node)
{
	return container_of(node, struct wg_allowedip, node);
}

int wg_allowedips_insert(struct wg_allowedips *table, const struct wgc_prefix *prefix,
			 struct wg_peer *peer)
{
	struct wgc_trie_node *spare[2];
	struct wgc_trie_insertion result;
	struct wg_allowedip *entry;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(spare); ++i) {
		entry = kmem_cache_zalloc(allowedip_cache, GFP_KERNEL);
		if (!entry) {
			if (i)
				kmem_cache_free(allowedip_cache, to_allowedip(spare[0]));
			return -ENOMEM;
		}
		INIT_LIST_HEAD(&entry->peer_list);
		spare[i] = &entry->node;
	}
	++table->seq;
	wgc_trie_insert(&table->trie, &result, prefix, peer, spare);
	for (i = result.num_used; i < ARRAY_SIZE(spare); ++i)
		kmem_cache_free(allowedip_cache, to_allowedip(spare[i]));
	/* From the former owner's list, if there was one, to the new owner's. */
	list_move_tail(&to_allowedip(result.node)->peer_list, &peer->allowedips_list);
	return 0;
}

static void remove_entry(struct wg_allowedips *table, struct wg_allowedip *entry)
{
	struct wgc_trie_removal removal;
	u32 i;

	list_del_init(&entry->peer_list);
	wgc_trie_remove(&table->trie, &removal, &entry->node);
	for (i = 0; i < removal.num_freed; ++i)
		call_rcu(&to_allowedip(removal.freed[i])->rcu, free_allowedip_rcu);
}

void wg_allowedips_remove(struct wg_allowedips *table, const struct wgc_prefix *prefix,
			  struct wg_peer *peer)
{
	struct wgc_trie_node *node = wgc_trie_find(&table->trie, prefix);

	if (!node || wgc_trie_node_value(node) != peer)
		return;
	++table->seq;
	remove_entry(table, to_allowedip(node));
}

void wg_allowedips_remove_peer(struct wg_allowedips *table, struct wg_peer *peer)
{
	struct wg_allowedip *entry, *next;

	if (list_empty(&peer->allowedips_list))
		return;
	++table->seq;
	list_for_each_entry_safe(entry, next, &peer->allowedips_list, peer_list)
		remove_entry(table, entry);
}

struct wg_peer *wg_allowedips_lookup(struct wg_allowedips *table, const u8 *addr, u8 addr_len)
{
	struct wg_peer *found, *peer;

	rcu_read_lock_bh();
	/*
	 * A peer whose last reference has just gone has left the trie before that, so
	 * the next lookup finds its successor or nobody.
	 */
	do {
		found = wgc_trie_lookup(&table->trie, addr, addr_len);
		peer = found ? wg_peer_get_rcu(found) : NULL;
	} while (found && !peer);
	rcu_read_unlock_bh();
	return peer;
}

bool wg_allowedips_owns(struct wg_allowedips *table, const struct wg_peer *peer,
			const u8 *addr, u8 addr_len)
{
	bool owns;

	rcu_read_lock_bh();
	owns = wgc_trie_lookup(&table->trie, addr, addr_len) == peer;
	rcu_read_unlock_bh();
	return owns;
}
