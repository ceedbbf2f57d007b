/* SPDX-License-Identifier: GPL-2.0 */
/* Linux' AllowedIPs trie, for a program: peers are numbers. One table at a time is current. */
#ifndef WGPP_BENCH_ALLOWEDIPS_API_H
#define WGPP_BENCH_ALLOWEDIPS_API_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct linux_table;

struct linux_table *linux_table_create(uint32_t num_peers);
void linux_table_destroy(struct linux_table *table);
void linux_table_insert(struct linux_table *table, const uint8_t *addr, uint8_t addr_len,
			uint8_t cidr, uint32_t peer);
void linux_table_remove_peer(struct linux_table *table, uint32_t peer);
/* Bytes of all nodes. */
size_t linux_table_len(const struct linux_table *table);

/*
 * A packet to look up, which has its header and nothing else. Made before the measurement:
 * Linux reads the address from where it lies.
 */
struct linux_packet {
	uint8_t bytes[64];
};
void linux_packet_init(struct linux_packet *packet, const uint8_t *addr, uint8_t addr_len);
/* Where the address is. */
const uint8_t *linux_packet_addr(const struct linux_packet *packet, uint8_t addr_len);

/* Number of the peer, or -1. */
long linux_table_lookup(const struct linux_table *table, const struct linux_packet *packet);

#ifdef __cplusplus
}
#endif
#endif
