// SPDX-License-Identifier: GPL-2.0
#include "allowedips.h"

#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "peer.h"

static struct kmem_cache *allowedip_cache;
static struct workqueue_struct *free_wq;

/*
 * Entries that have left their trie. A worker frees them: as many RCU callbacks as a peer may
 * have prefixes would keep a processor in its softirq for seconds.
 */
static LLIST_HEAD(dead_entries);

static void free_dead_entries(struct work_struct *work)
{
	struct wg_allowedip *entry, *next;
	struct llist_node *batch = llist_del_all(&dead_entries);

	synchronize_rcu();
	llist_for_each_entry_safe(entry, next, batch, dead) {
		kmem_cache_free(allowedip_cache, entry);
		cond_resched();
	}
}

static DECLARE_WORK(free_work, free_dead_entries);

static void retire_entry(struct wg_allowedip *entry)
{
	/* Who finds it empty is the one after whom the worker comes again. */
	if (llist_add(&entry->dead, &dead_entries))
		queue_work(free_wq, &free_work);
}

int wg_allowedips_slab_init(void)
{
	free_wq = alloc_workqueue("wgpp-free", WQ_UNBOUND, 0);
	if (!free_wq)
		return -ENOMEM;
	allowedip_cache = kmem_cache_create("wgpp_allowedip", sizeof(struct wg_allowedip),
					    __alignof__(struct wg_allowedip), 0, NULL);
	if (!allowedip_cache) {
		destroy_workqueue(free_wq);
		return -ENOMEM;
	}
	return 0;
}

void wg_allowedips_slab_uninit(void)
{
	/* Waits for the worker. */
	destroy_workqueue(free_wq);
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
		retire_entry(to_allowedip(removal.freed[i]));
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
	list_for_each_entry_safe(entry, next, &peer->allowedips_list, peer_list) {
		remove_entry(table, entry);
		cond_resched();
	}
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
