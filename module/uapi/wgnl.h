/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The generic netlink contract of family "wireguard", version 1: numbers and layouts
 * are those of the interface that ships with Linux, so that wg(8) and every other
 * program written for it work unchanged.
 *
 * WGNL_CMD_GET_DEVICE is a dump. The request names one device by WGNL_DEVICE_IFINDEX
 * or WGNL_DEVICE_IFNAME. A device that does not fit one message continues in the next,
 * which then holds only peers; a peer that was cut continues with its public key and
 * the rest of its AllowedIPs.
 *
 * WGNL_CMD_SET_DEVICE changes what its attributes name. Keys have 32 bytes; a private or
 * preshared key of zeros removes it. Endpoints are struct sockaddr_in or sockaddr_in6.
 */
#ifndef WGNL_H
#define WGNL_H

#define WGNL_VERSION 1
#define WGNL_KEY_LEN 32

enum wgnl_cmd {
	WGNL_CMD_GET_DEVICE,
	WGNL_CMD_SET_DEVICE,
	WGNL_NUM_CMDS
};

enum wgnl_device_flag {
	WGNL_DEVICE_F_REPLACE_PEERS = 1U << 0,
	WGNL_DEVICE_F_ALL = WGNL_DEVICE_F_REPLACE_PEERS
};

enum wgnl_device_attr {
	WGNL_DEVICE_UNSPEC,
	WGNL_DEVICE_IFINDEX,		/* u32 */
	WGNL_DEVICE_IFNAME,		/* string */
	WGNL_DEVICE_PRIVATE_KEY,	/* 32 bytes */
	WGNL_DEVICE_PUBLIC_KEY,		/* 32 bytes, get only */
	WGNL_DEVICE_FLAGS,		/* u32, set only */
	WGNL_DEVICE_LISTEN_PORT,	/* u16, 0 chooses one */
	WGNL_DEVICE_FWMARK,		/* u32, 0 for none */
	WGNL_DEVICE_PEERS,		/* nest of nests of wgnl_peer_attr */
	WGNL_DEVICE_ATTR_END
};
#define WGNL_DEVICE_ATTR_MAX (WGNL_DEVICE_ATTR_END - 1)

enum wgnl_peer_flag {
	WGNL_PEER_F_REMOVE_ME = 1U << 0,
	WGNL_PEER_F_REPLACE_ALLOWEDIPS = 1U << 1,
	WGNL_PEER_F_UPDATE_ONLY = 1U << 2,
	WGNL_PEER_F_ALL = WGNL_PEER_F_REMOVE_ME | WGNL_PEER_F_REPLACE_ALLOWEDIPS |
			  WGNL_PEER_F_UPDATE_ONLY
};

enum wgnl_peer_attr {
	WGNL_PEER_UNSPEC,
	WGNL_PEER_PUBLIC_KEY,		/* 32 bytes */
	WGNL_PEER_PRESHARED_KEY,	/* 32 bytes */
	WGNL_PEER_FLAGS,		/* u32, set only */
	WGNL_PEER_ENDPOINT,		/* struct sockaddr_in or sockaddr_in6 */
	WGNL_PEER_KEEPALIVE_INTERVAL,	/* u16 seconds, 0 for off */
	WGNL_PEER_LAST_HANDSHAKE_TIME,	/* two s64: seconds and nanoseconds since 1970 */
	WGNL_PEER_RX_BYTES,		/* u64 */
	WGNL_PEER_TX_BYTES,		/* u64 */
	WGNL_PEER_ALLOWEDIPS,		/* nest of nests of wgnl_allowedip_attr */
	WGNL_PEER_PROTOCOL_VERSION,	/* u32, 1 */
	WGNL_PEER_ATTR_END
};
#define WGNL_PEER_ATTR_MAX (WGNL_PEER_ATTR_END - 1)

enum wgnl_allowedip_flag {
	WGNL_ALLOWEDIP_F_REMOVE_ME = 1U << 0,
	WGNL_ALLOWEDIP_F_ALL = WGNL_ALLOWEDIP_F_REMOVE_ME
};

enum wgnl_allowedip_attr {
	WGNL_ALLOWEDIP_UNSPEC,
	WGNL_ALLOWEDIP_FAMILY,		/* u16, AF_INET or AF_INET6 */
	WGNL_ALLOWEDIP_IPADDR,		/* 4 or 16 bytes */
	WGNL_ALLOWEDIP_CIDR_MASK,	/* u8 */
	WGNL_ALLOWEDIP_FLAGS,		/* u32, set only */
	WGNL_ALLOWEDIP_ATTR_END
};
#define WGNL_ALLOWEDIP_ATTR_MAX (WGNL_ALLOWEDIP_ATTR_END - 1)

#endif /* WGNL_H */
