/* SPDX-License-Identifier: GPL-2.0 */
/* The second generic netlink family; its contract is module/uapi/wgpp.h. */
#ifndef WG_DIAG_H
#define WG_DIAG_H

/** wg_diag_init() - register the family beside the first, @kind. Return: 0 or -errno. */
int wg_diag_init(const char *kind);
void wg_diag_uninit(void);

#endif
