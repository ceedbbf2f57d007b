/* SPDX-License-Identifier: GPL-2.0 */
/* Two hash tables of fixed size per device: peers by public key, receivers by index. */
#ifndef WG_PEERLOOKUP_H
#define WG_PEERLOOKUP_H

#include <linux/hashtable.h>
#include <linux/mutex.h>
#include <linux/siphash.h>
#include <linux/spinlock.h>

#include "wgcore.h"

struct wg_peer;

struct wg_peer_table {
	DECLARE_HASHTABLE(buckets, 11);
	siphash_key_t key;
};

enum wg_index_type {
	WG_INDEX_HANDSHAKE = 1U << 0,
	WG_INDEX_KEYPAIR = 1U << 1,
};

/* Embedded in a peer (its handshake) and in a keypair. */
struct wg_index_entry {
	struct hlist_node hash;
	struct wg_peer *peer;
	enum wg_index_type type;
	u32 index;
};

struct wg_index_table {
	DECLARE_HASHTABLE(buckets, 13);
	spinlock_t lock;
};

struct wg_peer_table *wg_peer_table_alloc(void);
void wg_peer_table_add(struct wg_peer_table *table, struct wg_peer *peer);
void wg_peer_table_remove(struct wg_peer_table *table, struct wg_peer *peer);

/** wg_peer_table_find() - Return: the peer with a reference, or NULL. */
struct wg_peer *wg_peer_table_find(struct wg_peer_table *table,
				   const u8 public_key[WGC_KEY_LEN]);

struct wg_index_table *wg_index_table_alloc(void);

/** wg_index_insert() - give @entry a new random index, in place of the one it has */
u32 wg_index_insert(struct wg_index_table *table, struct wg_index_entry *entry);

/** wg_index_replace() - @new takes over the index of @old. Return: false if @old had none. */
bool wg_index_replace(struct wg_index_table *table, struct wg_index_entry *old,
		      struct wg_index_entry *new);

void wg_index_remove(struct wg_index_table *table, struct wg_index_entry *entry);

/**
 * wg_index_find() - who receives messages for @index
 * @types: OR of enum wg_index_type that will do
 * @peer: set with a reference on success
 *
 * Context: RCU read side (BH), which keeps the entry.
 *
 * Return: the entry or NULL.
 */
struct wg_index_entry *wg_index_find(struct wg_index_table *table, u32 types, u32 index,
				     struct wg_peer **peer);

#endif
