// SPDX-License-Identifier: GPL-2.0
#include "ratelimiter.h"

#include <linux/hashtable.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/mm.h>
#include <linux/siphash.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <linux/workqueue.h>

#include "wgcore.h"

/* What a bucket is kept for. No padding: it is hashed and compared as bytes. */
struct source_key {
	u64 net;
	u8 addr[8];
	u32 family;
	u32 zero;
};

struct entry {
	struct source_key key;
	struct wgc_bucket bucket;
	spinlock_t lock;
	struct hlist_node hash;
	struct rcu_head rcu;
};

#define GC_INTERVAL HZ

static struct kmem_cache *entry_cache;
static struct hlist_head *table;
static u32 table_len;	/* a power of two */
static u32 max_entries;
static u32 num_entries;	/* table_lock */
static DEFINE_SPINLOCK(table_lock);
static hsiphash_key_t hash_key;

static void collect_idle(struct work_struct *work);
static DECLARE_DEFERRABLE_WORK(gc_work, collect_idle);

static struct hlist_head *bucket_head(const struct source_key *key)
{
	return &table[hsiphash(key, sizeof(*key), &hash_key) & (table_len - 1)];
}

static void free_entry_rcu(struct rcu_head *rcu)
{
	kmem_cache_free(entry_cache, container_of(rcu, struct entry, rcu));
}

/* Frees entries that have been idle for a second, or all when @work is NULL. */
static void collect_idle(struct work_struct *work)
{
	u64 now_ns = ktime_get_coarse_boottime_ns();
	struct entry *entry;
	struct hlist_node *next;
	u32 i;

	for (i = 0; i < table_len; ++i) {
		spin_lock_bh(&table_lock);
		hlist_for_each_entry_safe(entry, next, &table[i], hash) {
			if (work && !wgc_bucket_idle(&entry->bucket, now_ns))
				continue;
			hlist_del_rcu(&entry->hash);
			call_rcu(&entry->rcu, free_entry_rcu);
			--num_entries;
		}
		spin_unlock_bh(&table_lock);
		if (work)
			cond_resched();
	}
	/* An empty table needs no collector; the next entry starts it again. */
	if (work && READ_ONCE(num_entries))
		queue_delayed_work(system_power_efficient_wq, &gc_work, GC_INTERVAL);
}

static struct entry *find(const struct hlist_head *head, const struct source_key *key)
{
	struct entry *entry;

	hlist_for_each_entry_rcu_bh(entry, head, hash) {
		if (!memcmp(&entry->key, key, sizeof(*key)))
			return entry;
	}
	return NULL;
}

static bool add(struct hlist_head *head, const struct source_key *key)
{
	struct entry *entry = NULL;

	spin_lock(&table_lock);
	if (num_entries < max_entries)
		entry = kmem_cache_alloc(entry_cache, GFP_ATOMIC | __GFP_NOWARN);
	if (entry) {
		entry->key = *key;
		spin_lock_init(&entry->lock);
		wgc_bucket_init(&entry->bucket, ktime_get_coarse_boottime_ns());
		/* Two CPUs may add the same source: it gets a second burst, once. */
		hlist_add_head_rcu(&entry->hash, head);
		if (!num_entries++)
			queue_delayed_work(system_power_efficient_wq, &gc_work, GC_INTERVAL);
	}
	spin_unlock(&table_lock);
	return entry;
}

bool wg_ratelimiter_allow(const struct net *net, const struct sk_buff *skb)
{
	struct source_key key = { .net = (unsigned long)net };
	struct hlist_head *head;
	struct entry *entry;
	bool allowed;

	if (skb->protocol == htons(ETH_P_IP)) {
		key.family = AF_INET;
		memcpy(key.addr, &ip_hdr(skb)->saddr, sizeof(struct in_addr));
	} else {
		key.family = AF_INET6;
		memcpy(key.addr, &ipv6_hdr(skb)->saddr, sizeof(key.addr));
	}
	head = bucket_head(&key);

	rcu_read_lock_bh();
	entry = find(head, &key);
	if (entry) {
		spin_lock(&entry->lock);
		allowed = wgc_bucket_take(&entry->bucket, ktime_get_coarse_boottime_ns());
		spin_unlock(&entry->lock);
	} else {
		allowed = add(head, &key);
	}
	rcu_read_unlock_bh();
	return allowed;
}

int wg_ratelimiter_init(void)
{
	/* One head for each 128 KiB of memory, at most as many as 1 GiB would get. */
	u64 wanted = ((u64)totalram_pages() << PAGE_SHIFT) / SZ_128K;

	table_len = roundup_pow_of_two((unsigned long)clamp(wanted, (u64)16, (u64)8192));
	max_entries = table_len * 8;
	get_random_bytes(&hash_key, sizeof(hash_key));
	entry_cache = kmem_cache_create("wgpp_ratelimit", sizeof(struct entry),
					__alignof__(struct entry), 0, NULL);
	if (!entry_cache)
		return -ENOMEM;
	table = kvcalloc(table_len, sizeof(*table), GFP_KERNEL);
	if (!table) {
		kmem_cache_destroy(entry_cache);
		return -ENOMEM;
	}
	return 0;
}

void wg_ratelimiter_uninit(void)
{
	cancel_delayed_work_sync(&gc_work);
	collect_idle(NULL);
	rcu_barrier();
	kvfree(table);
	kmem_cache_destroy(entry_cache);
}
