/* SPDX-License-Identifier: GPL-2.0 */
/* Handshake messages per source address, shared by all devices. Used under load only. */
#ifndef WG_RATELIMITER_H
#define WG_RATELIMITER_H

#include <linux/types.h>

struct net;
struct sk_buff;

int wg_ratelimiter_init(void);
void wg_ratelimiter_uninit(void);

/**
 * wg_ratelimiter_allow() - take a token of the packet's source
 * @net: of the receiving device
 *
 * IPv4 sources count by address, IPv6 ones by /64. Context: process or softirq.
 *
 * Return: false when the source is too fast or the table is full.
 */
bool wg_ratelimiter_allow(const struct net *net, const struct sk_buff *skb);

#endif
