/* SPDX-License-Identifier: GPL-2.0 */
/* The generic netlink family; its contract is module/uapi/wgnl.h. */
#ifndef WG_NETLINK_H
#define WG_NETLINK_H

/** wg_netlink_init() - register the family under the name @kind. Return: 0 or -errno. */
int wg_netlink_init(const char *kind);
void wg_netlink_uninit(void);

#endif
