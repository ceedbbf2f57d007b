// SPDX-License-Identifier: GPL-2.0
#include "allowedips_api.h"

#include "allowedips.h"
#include "arena.h"
#include "peer.h"

static struct arena *current_arena;

void *bench_alloc(size_t len)
{
	return arena_alloc(current_arena, len);
}

void bench_free(void *memory, size_t len)
{
	arena_free(current_arena, memory, len);
}

struct kmem_cache *bench_cache(size_t len)
{
	static struct kmem_cache cache;

	cache.len = len;
	return &cache;
}

/* As far apart as they are in a kernel, each at the start of a cache line of its own. */
union peer_slot {
	struct wg_peer peer;
	char line[64];
};

struct linux_table {
	struct allowedips trie;
	struct mutex lock;
	struct arena *arena;
	uint32_t num_peers;
	union peer_slot peers[];
};

struct linux_table *linux_table_create(uint32_t num_peers)
{
	static bool has_cache;
	struct linux_table *table;
	uint32_t i;

	if (!has_cache)
		wg_allowedips_slab_init();
	has_cache = true;
	table = calloc(1, sizeof(*table) + num_peers * sizeof(union peer_slot));
	if (!table)
		abort();
	table->arena = arena_create();
	table->num_peers = num_peers;
	for (i = 0; i < num_peers; ++i)
		INIT_LIST_HEAD(&table->peers[i].peer.allowedips_list);
	wg_allowedips_init(&table->trie);
	return table;
}

void linux_table_destroy(struct linux_table *table)
{
	arena_destroy(table->arena);
	free(table);
}

void linux_table_insert(struct linux_table *table, const uint8_t *addr, uint8_t addr_len,
			uint8_t cidr, uint32_t peer)
{
	struct wg_peer *owner = &table->peers[peer].peer;
	struct in6_addr ipv6 = {};
	struct in_addr ipv4;
	int ret;

	current_arena = table->arena;
	if (addr_len == sizeof(ipv4)) {
		memcpy(&ipv4, addr, sizeof(ipv4));
		ret = wg_allowedips_insert_v4(&table->trie, &ipv4, cidr, owner, &table->lock);
	} else {
		memcpy(&ipv6, addr, sizeof(ipv6));
		ret = wg_allowedips_insert_v6(&table->trie, &ipv6, cidr, owner, &table->lock);
	}
	if (ret)
		abort();
}

void linux_table_remove_peer(struct linux_table *table, uint32_t peer)
{
	current_arena = table->arena;
	wg_allowedips_remove_by_peer(&table->trie, &table->peers[peer].peer, &table->lock);
}

size_t linux_table_len(const struct linux_table *table)
{
	return arena_used(table->arena);
}

/* The packet and its header, in one piece. */
struct whole_packet {
	struct sk_buff skb;
	union {
		struct iphdr ipv4;
		struct ipv6hdr ipv6;
	};
};

void linux_packet_init(struct linux_packet *packet, const uint8_t *addr, uint8_t addr_len)
{
	struct whole_packet *whole = (struct whole_packet *)packet;

	_Static_assert(sizeof(struct whole_packet) <= sizeof(struct linux_packet), "room");
	memset(packet, 0, sizeof(*packet));
	if (addr_len == sizeof(struct in_addr)) {
		whole->skb.protocol = htons(ETH_P_IP);
		memcpy(&whole->ipv4.daddr, addr, addr_len);
	} else {
		whole->skb.protocol = htons(ETH_P_IPV6);
		memcpy(&whole->ipv6.daddr, addr, addr_len);
	}
}

const uint8_t *linux_packet_addr(const struct linux_packet *packet, uint8_t addr_len)
{
	const struct whole_packet *whole = (const struct whole_packet *)packet;

	if (addr_len == sizeof(struct in_addr))
		return (const uint8_t *)&whole->ipv4.daddr;
	return (const uint8_t *)&whole->ipv6.daddr;
}

long linux_table_lookup(const struct linux_table *table, const struct linux_packet *packet)
{
	struct whole_packet *whole = (struct whole_packet *)packet;
	struct wg_peer *peer;

	/* Linux keeps a pointer; so that packets can be moved it is made anew, which is free. */
	whole->skb.header = &whole->ipv4;
	peer = wg_allowedips_lookup_dst((struct allowedips *)&table->trie, &whole->skb);
	return peer ? (union peer_slot *)peer - table->peers : -1;
}
