/* SPDX-License-Identifier: GPL-2.0 */
/* The generic netlink family; its contract is module/uapi/wgnl.h. */
#ifndef WG_NETLINK_H
#define WG_NETLINK_H

struct netlink_ext_ack;
struct nlattr;
struct sk_buff;
struct wg_device;

/**
 * wg_netlink_find_device() - the device that a request names
 * @attrs: WGNL_DEVICE_IFINDEX and WGNL_DEVICE_IFNAME are looked at
 *
 * Return: with a reference to its net_device, or ERR_PTR(); @extack then has a message.
 */
struct wg_device *wg_netlink_find_device(struct nlattr **attrs, struct sk_buff *request,
					 struct netlink_ext_ack *extack);

/** wg_netlink_init() - register the family under the name @kind. Return: 0 or -errno. */
int wg_netlink_init(const char *kind);
void wg_netlink_uninit(void);

#endif
