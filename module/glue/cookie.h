/* SPDX-License-Identifier: GPL-2.0 */
/* Macs on handshake messages: the device's side checks them, a peer's side makes them. */
#ifndef WG_COOKIE_H
#define WG_COOKIE_H

#include <linux/types.h>

#include "wgcore.h"

struct sk_buff;
struct wg_device;
struct wg_peer;

/* A packet's source as the core wants it for cookies. */
struct wg_cookie_source {
	u8 bytes[WGC_SOURCE_MAX_LEN];
	u8 len;
};

void wg_cookie_source_from_skb(struct wg_cookie_source *source, const struct sk_buff *skb);

void wg_cookie_init(struct wg_device *wg);

/** wg_cookie_set_identity() - Context: identity_lock held for writing */
void wg_cookie_set_identity(struct wg_device *wg);

/**
 * wg_cookie_check() - check the macs of a handshake message
 * @skb: linear up to @len; data points to the message
 *
 * Return: as wgc_cookie_check().
 */
enum wgc_status wg_cookie_check(struct wg_device *wg, const struct sk_buff *skb, size_t len);

/** wg_cookie_add_macs() - complete a message to @peer */
void wg_cookie_add_macs(struct wg_peer *peer, u8 *msg, size_t len);

/** wg_cookie_consume_reply() - @reply: WGC_COOKIE_REPLY_LEN bytes, from anywhere */
void wg_cookie_consume_reply(struct wg_device *wg, const u8 *reply);

#endif
