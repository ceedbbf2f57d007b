// SPDX-License-Identifier: GPL-2.0
#include "allowedips.h"

#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "peer.h"

static struct kmem_cache *ipv4_cache, *ipv6_cache, *full_block_cache;
static struct workqueue_struct *free_wq;

/*
 * What has left its trie. A worker frees it: as many RCU callbacks as a peer may have prefixes
 * would keep a processor in its softirq for seconds.
 */
static LLIST_HEAD(dead_entries);
static LLIST_HEAD(dead_blocks);

static struct kmem_cache *entry_cache(u8 addr_len)
{
	return addr_len == sizeof(struct in_addr) ? ipv4_cache : ipv6_cache;
}

static void *alloc_block(u32 len, gfp_t gfp)
{
	if (len == WGC_TRIE_FULL_BLOCK_LEN)
		return kmem_cache_alloc(full_block_cache, gfp);
	return kmalloc(len, gfp);
}

static void free_block(void *block, u32 len)
{
	if (len == WGC_TRIE_FULL_BLOCK_LEN)
		kmem_cache_free(full_block_cache, block);
	else
		kfree(block);
}

static void free_entry(struct wg_allowedip *allowedip)
{
	struct wgc_prefix prefix;

	wgc_trie_entry_prefix(&allowedip->entry, &prefix);
	kmem_cache_free(entry_cache(prefix.addr_len), allowedip);
}

static void free_dead(struct work_struct *work)
{
	struct llist_node *blocks = llist_del_all(&dead_blocks);
	struct llist_node *entries = llist_del_all(&dead_entries);
	struct wg_allowedip *entry, *next;

	synchronize_rcu();
	llist_for_each_entry_safe(entry, next, entries, dead) {
		free_entry(entry);
		cond_resched();
	}
	while (blocks) {
		/* The core keeps a block's first word free for this list. */
		struct wgc_trie_block *block = (struct wgc_trie_block *)blocks;

		blocks = blocks->next;
		free_block(block, block->len);
		cond_resched();
	}
}

static DECLARE_WORK(free_work, free_dead);

static void retire_blocks(const struct wgc_trie_freed *freed)
{
	u32 i;

	BUILD_BUG_ON(offsetof(struct wgc_trie_block, next));
	BUILD_BUG_ON(sizeof(struct llist_node) != sizeof_field(struct wgc_trie_block, next));
	for (i = 0; i < freed->num_blocks; ++i)
		llist_add((struct llist_node *)freed->blocks[i], &dead_blocks);
}

/* Once for all that an update has retired. */
static void free_retired(void)
{
	queue_work(free_wq, &free_work);
}

static void destroy_caches(void)
{
	kmem_cache_destroy(full_block_cache);
	kmem_cache_destroy(ipv6_cache);
	kmem_cache_destroy(ipv4_cache);
}

static struct kmem_cache *create_entry_cache(const char *name, u8 addr_len)
{
	const size_t len = offsetof(struct wg_allowedip, entry) + WGC_TRIE_ENTRY_LEN(addr_len);

	return kmem_cache_create(name, len, __alignof__(struct wg_allowedip), 0, NULL);
}

static int create_caches(void)
{
	ipv4_cache = create_entry_cache("wgpp_allowedip_ipv4", sizeof(struct in_addr));
	ipv6_cache = create_entry_cache("wgpp_allowedip_ipv6", sizeof(struct in6_addr));
	full_block_cache = kmem_cache_create("wgpp_trie_block", WGC_TRIE_FULL_BLOCK_LEN,
					     __alignof__(struct wgc_trie_block), 0, NULL);
	return ipv4_cache && ipv6_cache && full_block_cache ? 0 : -ENOMEM;
}

int wg_allowedips_slab_init(void)
{
	free_wq = alloc_workqueue("wgpp-free", WQ_UNBOUND, 0);
	if (!free_wq)
		return -ENOMEM;
	if (create_caches()) {
		destroy_caches();
		destroy_workqueue(free_wq);
		return -ENOMEM;
	}
	return 0;
}

void wg_allowedips_slab_uninit(void)
{
	/* Waits for the worker. */
	destroy_workqueue(free_wq);
	destroy_caches();
}

void wg_allowedips_init(struct wg_allowedips *table)
{
	wgc_trie_init(&table->trie);
	table->seq = 1;
}

static struct wg_allowedip *to_allowedip(struct wgc_trie_entry *entry)
{
	return container_of(entry, struct wg_allowedip, entry);
}

/* Blocks of the lengths that the core asks for. Return: 0 or -ENOMEM, then there are none. */
static int alloc_blocks(void *blocks[WGC_TRIE_PLAN_BLOCKS], const u32 lens[WGC_TRIE_PLAN_BLOCKS])
{
	u32 i;

	for (i = 0; i < WGC_TRIE_PLAN_BLOCKS; ++i) {
		blocks[i] = NULL;
		if (!lens[i])
			continue;
		blocks[i] = alloc_block(lens[i], GFP_KERNEL);
		if (!blocks[i])
			goto err;
	}
	return 0;

err:
	while (i--) {
		if (blocks[i])
			free_block(blocks[i], lens[i]);
	}
	return -ENOMEM;
}

static int insert_new(struct wg_allowedips *table, const struct wgc_trie_plan *plan,
		      const struct wgc_prefix *prefix, struct wg_peer *peer)
{
	struct kmem_cache *cache = entry_cache(prefix->addr_len);
	struct wg_allowedip *allowedip;
	void *blocks[WGC_TRIE_PLAN_BLOCKS];
	struct wgc_trie_freed freed;

	allowedip = kmem_cache_alloc(cache, GFP_KERNEL);
	if (!allowedip)
		return -ENOMEM;
	if (alloc_blocks(blocks, plan->len)) {
		kmem_cache_free(cache, allowedip);
		return -ENOMEM;
	}
	++table->seq;
	wgc_trie_insert(&table->trie, plan, &allowedip->entry, prefix, peer, blocks, &freed);
	retire_blocks(&freed);
	if (freed.num_blocks)
		free_retired();
	list_add_tail(&allowedip->peer_list, &peer->allowedips_list);
	return 0;
}

int wg_allowedips_insert(struct wg_allowedips *table, const struct wgc_prefix *prefix,
			 struct wg_peer *peer)
{
	struct wgc_trie_plan plan;

	wgc_trie_prepare(&table->trie, &plan, prefix);
	if (!plan.entry)
		return insert_new(table, &plan, prefix, peer);
	++table->seq;
	wgc_trie_assign(&table->trie, plan.entry, peer);
	/* From the former owner's list to the new owner's. */
	list_move_tail(&to_allowedip(plan.entry)->peer_list, &peer->allowedips_list);
	return 0;
}

/* Nothing depends on it: without memory the gaps stay. */
static void close_gaps(struct wg_allowedips *table, const struct wgc_prefix *prefix, u32 len)
{
	void *block = alloc_block(len, GFP_KERNEL | __GFP_NOWARN);
	struct wgc_trie_freed freed;

	if (!block)
		return;
	wgc_trie_compact(&table->trie, prefix, block, &freed);
	retire_blocks(&freed);
}

static void remove_entry(struct wg_allowedips *table, struct wg_allowedip *allowedip)
{
	struct wgc_trie_freed freed;
	struct wgc_prefix prefix;

	list_del(&allowedip->peer_list);
	wgc_trie_entry_prefix(&allowedip->entry, &prefix);
	wgc_trie_remove(&table->trie, &allowedip->entry, &freed);
	retire_blocks(&freed);
	llist_add(&allowedip->dead, &dead_entries);
	if (freed.compact_len)
		close_gaps(table, &prefix, freed.compact_len);
}

void wg_allowedips_remove(struct wg_allowedips *table, const struct wgc_prefix *prefix,
			  struct wg_peer *peer)
{
	struct wgc_trie_entry *entry = wgc_trie_find(&table->trie, prefix);

	if (!entry || wgc_trie_entry_value(entry) != peer)
		return;
	++table->seq;
	remove_entry(table, to_allowedip(entry));
	free_retired();
}

void wg_allowedips_remove_peer(struct wg_allowedips *table, struct wg_peer *peer)
{
	struct wg_allowedip *allowedip, *next;

	if (list_empty(&peer->allowedips_list))
		return;
	++table->seq;
	list_for_each_entry_safe(allowedip, next, &peer->allowedips_list, peer_list) {
		remove_entry(table, allowedip);
		cond_resched();
	}
	free_retired();
}
