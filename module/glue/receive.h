/* SPDX-License-Identifier: GPL-2.0 */
/* The way in: from the UDP socket to the inner packet. */
#ifndef WG_RECEIVE_H
#define WG_RECEIVE_H

#include <linux/netdevice.h>
#include <linux/workqueue.h>

struct sock;

/** wg_receive() - encap_rcv of the outer sockets; consumes @skb. Return: 0. */
int wg_receive(struct sock *sk, struct sk_buff *skb);

/** wg_packet_poll() - NAPI poll: deliver opened packets of one peer in order */
int wg_packet_poll(struct napi_struct *napi, int budget);

/* Work function. */
void wg_packet_decrypt_work(struct work_struct *work);

#endif
