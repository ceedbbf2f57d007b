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

/* Of an IPv4 prefix there is less memory than this: the entry ends early. */
struct wg_allowedip {
	union {
		struct list_head peer_list;
		struct llist_node dead;	/* when it has left the trie */
	};
	struct wgc_trie_entry entry;
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

/**
 * wg_allowedips_lookup() - the owner of an address, or NULL
 *
 * Context: RCU (bh) read side. Within it the peer keeps the device's reference: removal waits
 * for a grace period before it drops that.
 */
static inline struct wg_peer *wg_allowedips_lookup(struct wg_allowedips *table, const u8 *addr,
						   u8 addr_len)
{
	return wgc_trie_lookup(&table->trie, addr, addr_len);
}

#endif
