/* SPDX-License-Identifier: GPL-2.0 */
/* The way out: staged packets, counters, sealing, handshake messages. */
#ifndef WG_SEND_H
#define WG_SEND_H

#include <linux/skbuff.h>
#include <linux/workqueue.h>

#include "drops.h"

struct wg_device;
struct wg_peer;

/**
 * wg_packet_stage() - add packets to those that wait for a session
 * @packets: emptied
 *
 * When more than WG_STAGED_MAX wait, the oldest are dropped and counted.
 */
void wg_packet_stage(struct wg_peer *peer, struct sk_buff_head *packets);

/** wg_packet_send_staged() - seal and send what is staged, or ask for a handshake */
void wg_packet_send_staged(struct wg_peer *peer);

/** wg_packet_purge_staged() - drop what is staged, and count it under @reason */
void wg_packet_purge_staged(struct wg_peer *peer, enum wgpp_drop reason);

/** wg_packet_send_keepalive() - send an empty packet, or what is staged */
void wg_packet_send_keepalive(struct wg_peer *peer);

/** wg_packet_queue_initiation() - send an initiation soon, unless one went out just now */
void wg_packet_queue_initiation(struct wg_peer *peer);

/** wg_packet_schedule_initiation() - send one for which leave has been taken */
void wg_packet_schedule_initiation(struct wg_peer *peer);

/** wg_packet_send_response() - answer the initiation that was just accepted. Process context. */
void wg_packet_send_response(struct wg_peer *peer);

/** wg_packet_send_cookie() - answer a handshake message in @skb with a cookie */
void wg_packet_send_cookie(struct wg_device *wg, struct sk_buff *skb, size_t msg_len);

/* Work functions. */
void wg_packet_encrypt_work(struct work_struct *work);
void wg_packet_send_work(struct work_struct *work);
void wg_packet_initiation_work(struct work_struct *work);

#endif
