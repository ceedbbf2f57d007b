/* SPDX-License-Identifier: GPL-2.0 */
/* AllowedIPs: which peer owns an inner address. The core keeps the order, C the memory. */
#ifndef WG_ALLOWEDIPS_H
#define WG_ALLOWEDIPS_H

#include <linux/list.h>
#include <linux/llist.h>
#include <linux/types.h>

#include "wgcore.h"

struct sk_buff;
struct wg_peer;

struct wg_allowedips {
	struct wgc_trie trie;
	u64 seq;	/* changes with every update, for dumps that resume */
};

struct wg_allowedip {
	struct wgc_trie_node node;
	struct list_head peer_list;
	struct llist_node dead;
};

int wg_allowedips_slab_init(void);
void wg_allowedips_slab_uninit(void);

void wg_allowedips_init(struct wg_allowedips *table);

/**
 * wg_allowedips_insert() - give a prefix to @peer, taking it from whoever has it
 *
 * Context: update_lock.
 *
 * Return: 0 or -ENOMEM, then nothing has changed.
 */
int wg_allowedips_insert(struct wg_allowedips *table, const struct wgc_prefix *prefix,
			 struct wg_peer *peer);

/** wg_allowedips_remove() - take a prefix from @peer; nothing if it is not its. Update_lock. */
void wg_allowedips_remove(struct wg_allowedips *table, const struct wgc_prefix *prefix,
			  struct wg_peer *peer);

/** wg_allowedips_remove_peer() - take all prefixes from @peer. Context: update_lock. */
void wg_allowedips_remove_peer(struct wg_allowedips *table, struct wg_peer *peer);

/** wg_allowedips_lookup() - the owner of an address, with a reference, or NULL */
struct wg_peer *wg_allowedips_lookup(struct wg_allowedips *table, const u8 *addr, u8 addr_len);

/** wg_allowedips_owns() - whether @peer is the owner of an address; takes no reference */
bool wg_allowedips_owns(struct wg_allowedips *table, const struct wg_peer *peer,
			const u8 *addr, u8 addr_len);

#endif
