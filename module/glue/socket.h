/* SPDX-License-Identifier: GPL-2.0 */
/* Outer UDP sockets, endpoints, and the way from an endpoint to a route. */
#ifndef WG_SOCKET_H
#define WG_SOCKET_H

#include <linux/netdevice.h>
#include <linux/skbuff.h>

struct wg_device;
struct wg_endpoint;
struct wg_peer;

/**
 * wg_socket_open() - bind to a port in the creating namespace, replacing open sockets
 * @port: host order; 0 chooses a free one
 *
 * Context: process.
 *
 * Return: 0, -ENONET when the namespace is gone, or what binding said; the open
 * sockets stay then.
 */
int wg_socket_open(struct wg_device *wg, u16 port);

/** wg_socket_replace() - put sockets (or NULL) in place and release the old ones */
void wg_socket_replace(struct wg_device *wg, struct sock *sock4, struct sock *sock6);

/**
 * wg_socket_send_list() - send a list of packets to a peer, one datagram each
 * @first: consumed
 * @num_sent_bytes: bytes of the messages that were handed to IP
 *
 * Return: 0, or the last error; packets that failed are freed.
 */
int wg_socket_send_list(struct wg_peer *peer, struct sk_buff *first, u64 *num_sent_bytes);

/** wg_socket_send_message() - send a copy of @len bytes to a peer. @ds_field: for IP */
int wg_socket_send_message(struct wg_peer *peer, const void *msg, size_t len, u8 ds_field);

/** wg_socket_send_reply() - send a copy of @len bytes to where @skb came from */
int wg_socket_send_reply(struct wg_device *wg, struct sk_buff *skb, const void *msg,
			 size_t len);

/** wg_endpoint_from_skb() - Return: 0 or -EINVAL */
int wg_endpoint_from_skb(struct wg_endpoint *endpoint, const struct sk_buff *skb);

/** wg_socket_set_endpoint() - roam: no-op if nothing changes */
void wg_socket_set_endpoint(struct wg_peer *peer, const struct wg_endpoint *endpoint);

/** wg_socket_set_endpoint_from_skb() - to the source of an authenticated packet */
void wg_socket_set_endpoint_from_skb(struct wg_peer *peer, const struct sk_buff *skb);

/** wg_socket_clear_source() - forget the source address and the route */
void wg_socket_clear_source(struct wg_peer *peer);

#endif
