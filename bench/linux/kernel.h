/* SPDX-License-Identifier: GPL-2.0 */
/*
 * As much of the kernel's interface as its own AllowedIPs trie needs to be measured in a
 * program: no locks, no grace periods, and memory from one arena, as close together as a slab
 * in the direct mapping has it.
 */
#ifndef WGPP_BENCH_KERNEL_H
#define WGPP_BENCH_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef u16 __be16;
typedef u32 __be32;
typedef u64 __be64;
typedef unsigned int gfp_t;

#define __rcu
#define __init
#define __aligned(n) __attribute__((aligned(n)))
#define __packed __attribute__((packed))
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define min(a, b) ((a) < (b) ? (a) : (b))
#define DIV_ROUND_UP(n, d) (((n) + (d) - 1) / (d))
#define BITS_PER_LONG 64
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define __LITTLE_ENDIAN 1234
#else
#define __BIG_ENDIAN 4321
#endif
#define AF_INET 2
#define AF_INET6 10
#define GFP_KERNEL 0
#define IS_ENABLED(x) 0
#define WARN_ON(x) ({ int on = !!(x); if (on) __builtin_trap(); on; })
#define BUG_ON(x) do { if (x) __builtin_trap(); } while (0)

#define READ_ONCE(x) (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile __typeof__(x) *)&(x) = (v))
#define rcu_dereference_bh(p) READ_ONCE(p)
#define rcu_dereference_raw(p) READ_ONCE(p)
#define rcu_dereference_protected(p, c) (p)
#define rcu_access_pointer(p) READ_ONCE(p)
#define rcu_assign_pointer(p, v) __atomic_store_n(&(p), (v), __ATOMIC_RELEASE)
#define RCU_INIT_POINTER(p, v) WRITE_ONCE(p, v)
#define rcu_read_lock_bh() do { } while (0)
#define rcu_read_unlock_bh() do { } while (0)
#define lockdep_is_held(l) 1

struct mutex { int unused; };
struct rcu_head {
	struct rcu_head *next;
	void (*func)(struct rcu_head *head);
};

static inline void call_rcu(struct rcu_head *head, void (*func)(struct rcu_head *head))
{
	func(head);
}
#define rcu_barrier() do { } while (0)
#define kvfree_rcu_barrier() do { } while (0)
#define kfree_rcu(p, member) bench_free((p), sizeof(*(p)))

#define container_of(p, type, member) ((type *)((char *)(p) - offsetof(type, member)))

struct list_head { struct list_head *next, *prev; };

static inline void INIT_LIST_HEAD(struct list_head *list)
{
	list->next = list;
	list->prev = list;
}

static inline void list_add_tail(struct list_head *entry, struct list_head *head)
{
	entry->next = head;
	entry->prev = head->prev;
	head->prev->next = entry;
	head->prev = entry;
}

static inline void list_del(struct list_head *entry)
{
	entry->prev->next = entry->next;
	entry->next->prev = entry->prev;
}

static inline void list_del_init(struct list_head *entry)
{
	list_del(entry);
	INIT_LIST_HEAD(entry);
}

static inline void list_move_tail(struct list_head *entry, struct list_head *head)
{
	list_del(entry);
	list_add_tail(entry, head);
}

static inline bool list_empty(const struct list_head *head)
{
	return head->next == head;
}

#define list_entry(p, type, member) container_of(p, type, member)
#define list_first_entry(head, type, member) list_entry((head)->next, type, member)
#define list_for_each_entry_safe(pos, n, head, member)                                   \
	for (pos = list_entry((head)->next, __typeof__(*pos), member),                    \
	     n = list_entry(pos->member.next, __typeof__(*pos), member);                  \
	     &pos->member != (head);                                                      \
	     pos = n, n = list_entry(n->member.next, __typeof__(*n), member))

static inline int fls64(u64 x) { return x ? 64 - __builtin_clzll(x) : 0; }
static inline int fls(u32 x) { return x ? 32 - __builtin_clz(x) : 0; }

static inline u16 be16_to_cpu(__be16 x) { return __builtin_bswap16(x); }
static inline u32 be32_to_cpu(__be32 x) { return __builtin_bswap32(x); }
static inline u64 be64_to_cpu(__be64 x) { return __builtin_bswap64(x); }
static inline u32 be32_to_cpup(const __be32 *p) { return be32_to_cpu(*p); }
static inline u64 be64_to_cpup(const __be64 *p) { return be64_to_cpu(*p); }
static inline u32 swab32p(const u32 *p) { return __builtin_bswap32(*p); }
static inline u64 swab64p(const u64 *p) { return __builtin_bswap64(*p); }
static inline u64 get_unaligned_be64(const void *p)
{
	u64 x;

	memcpy(&x, p, sizeof(x));
	return be64_to_cpu(x);
}

struct in_addr { __be32 s_addr; };
struct in6_addr {
	union {
		u8 s6_addr[16];
		__be32 s6_addr32[4];
		__be64 s6_addr64[2];
	};
};

/* A packet is no more than its header. */
struct iphdr { u8 head[12]; __be32 saddr; __be32 daddr; };
struct ipv6hdr { u8 head[8]; struct in6_addr saddr; struct in6_addr daddr; };
struct sk_buff {
	__be16 protocol;
	void *header;
};
#define ETH_P_IP 0x0800
#define ETH_P_IPV6 0x86dd
#define htons(x) __builtin_bswap16(x)
static inline struct iphdr *ip_hdr(const struct sk_buff *skb) { return skb->header; }
static inline struct ipv6hdr *ipv6_hdr(const struct sk_buff *skb) { return skb->header; }

struct kmem_cache { size_t len; };
void *bench_alloc(size_t len);
void bench_free(void *p, size_t len);
struct kmem_cache *bench_cache(size_t len);
#define KMEM_CACHE(type, flags) bench_cache(sizeof(struct type))
#define kmem_cache_destroy(cache) do { } while (0)

static inline void *kmem_cache_zalloc(struct kmem_cache *cache, gfp_t gfp)
{
	void *p = bench_alloc(cache->len);

	(void)gfp;
	return p ? memset(p, 0, cache->len) : NULL;
}

static inline void kmem_cache_free(struct kmem_cache *cache, void *p)
{
	bench_free(p, cache->len);
}

#endif
