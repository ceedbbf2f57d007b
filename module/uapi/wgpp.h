/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The generic netlink contract of wgpp's second family, version 1: what a device dropped, and why.
 * The first, wgnl.h, stays what other programs know. The family is named WGPP_FAMILY, but where
 * the link kind has that name already WGPP_FAMILY_OTHER.
 *
 * WGPP_CMD_GET is a dump for those who may read the device's keys (CAP_NET_ADMIN). The request
 * names one device by WGPP_A_IFINDEX or WGPP_A_IFNAME. The first message has the device's facts;
 * each has as many peers as it holds, in WGPP_A_PEERS. Unknown attributes are to be passed over,
 * numbers are never given another meaning, and what is missing is zero or does not apply.
 */
#ifndef WGPP_H
#define WGPP_H

#define WGPP_FAMILY "wgpp"
#define WGPP_FAMILY_OTHER "wgpp-diag"
#define WGPP_VERSION 1

/*
 * Why a packet or message was dropped: symbol, name, meaning. Each is counted under one of them.
 * New ones go to the end.
 */
#define WGPP_DROPS(X)									\
	X(BAD_TYPE, "bad-type", "datagram that is no WireGuard message")		\
	X(BAD_LENGTH, "bad-length", "datagram with a length that no message has")	\
	X(BAD_MAC1, "bad-mac1", "handshake message made for another public key")	\
	X(COOKIE_SENT, "cookie-sent", "under load: answered with a cookie")		\
	X(TOO_FAST, "too-fast", "under load: too many from one address")		\
	X(HANDSHAKES_FULL, "handshakes-full", "too many handshake messages wait")	\
	X(NO_ENTROPY, "no-entropy", "the random number generator is not ready")	\
	X(NO_PRIVATE_KEY, "no-private-key", "initiation for a device without a key")	\
	X(BAD_INITIATION, "bad-initiation", "initiation that does not decrypt")		\
	X(UNKNOWN_PEER, "unknown-peer", "initiation of a public key that is no peer")	\
	X(BAD_DH, "bad-dh", "handshake with a key of small order")			\
	X(OLD_TIMESTAMP, "old-timestamp", "initiation that is not newer than the last")	\
	X(FLOOD, "flood", "initiation within 20 ms of the last")			\
	X(UNKNOWN_HANDSHAKE, "unknown-handshake", "response or cookie for no handshake of ours") \
	X(BAD_RESPONSE, "bad-response", "response that does not decrypt: preshared keys differ") \
	X(LATE_RESPONSE, "late-response", "response to a handshake that is over")	\
	X(BAD_COOKIE, "bad-cookie", "cookie reply that does not decrypt or was not asked for") \
	X(UNKNOWN_SESSION, "unknown-session", "data for no session of ours")		\
	X(SESSION_EXPIRED, "session-expired", "data under a session that is too old")	\
	X(BAD_TAG, "bad-tag", "data that does not decrypt")				\
	X(REPLAY, "replay", "data received before")					\
	X(TOO_OLD, "too-old", "data older than the replay window")			\
	X(BAD_SOURCE, "bad-source", "source address not in the peer's AllowedIPs")	\
	X(BAD_INNER_VERSION, "bad-inner-version", "decrypted packet that is not IP")	\
	X(BAD_INNER_LENGTH, "bad-inner-length", "decrypted packet shorter than it says") \
	X(RX_QUEUE_FULL, "rx-queue-full", "too many received packets wait")		\
	X(RX_NO_MEMORY, "rx-no-memory", "no memory for a received packet")		\
	X(NOT_IP, "not-ip", "packet to be sent that is not IP")				\
	X(NO_PEER, "no-peer", "destination in nobody's AllowedIPs")			\
	X(NO_ENDPOINT, "no-endpoint", "the peer's address is not known")		\
	X(BAD_GSO, "bad-gso", "large packet that cannot be cut")			\
	X(STAGED_FULL, "staged-full", "too many packets wait for a handshake")		\
	X(GAVE_UP, "gave-up", "no handshake within 90 seconds")				\
	X(CLOSED, "closed", "waiting when the device went down or the peer went away")	\
	X(TX_QUEUE_FULL, "tx-queue-full", "too many packets wait to be sent")		\
	X(TX_NO_MEMORY, "tx-no-memory", "no memory for a packet to be sent")		\
	X(NO_SOCKET, "no-socket", "the device has no UDP socket of the endpoint's family") \
	X(NO_ROUTE, "no-route", "no route to the endpoint")				\
	X(SEND_FAILED, "send-failed", "another error when sending to the endpoint")

enum wgpp_drop {
#define WGPP_DROP_SYMBOL(symbol, name, meaning) WGPP_DROP_##symbol,
	WGPP_DROPS(WGPP_DROP_SYMBOL)
#undef WGPP_DROP_SYMBOL
	WGPP_NUM_DROPS
};

enum wgpp_cmd {
	WGPP_CMD_UNSPEC,
	WGPP_CMD_GET,
};

/* Times are nanoseconds of CLOCK_BOOTTIME. */
enum wgpp_attr {
	WGPP_A_UNSPEC,
	WGPP_A_IFINDEX,		/* u32 */
	WGPP_A_IFNAME,		/* string */
	WGPP_A_NOW,		/* u64: when this was read */
	WGPP_A_DROPS,		/* nest: an attribute for each that is not zero, type
				 * enum wgpp_drop plus one, u64 */
	WGPP_A_PEERS,		/* nest of nests, of type 0, of enum wgpp_peer_attr */
	WGPP_A_PAD,
	WGPP_NUM_ATTRS,
	WGPP_A_MAX = WGPP_NUM_ATTRS - 1
};

enum wgpp_peer_attr {
	WGPP_PEER_A_UNSPEC,
	WGPP_PEER_A_PUBLIC_KEY,		/* 32 bytes */
	WGPP_PEER_A_DROPS,		/* as WGPP_A_DROPS; they count in those of the device, too */
	WGPP_PEER_A_LAST_DROP,		/* u32, enum wgpp_drop: the last one */
	WGPP_PEER_A_LAST_DROP_TIME,	/* u64 */
	WGPP_PEER_A_LAST_ERROR,		/* u32, errno of the last NO_ROUTE or SEND_FAILED */
	WGPP_PEER_A_HANDSHAKES,		/* u64: sessions that were agreed on */
	WGPP_PEER_A_ATTEMPTS,		/* u32: initiations sent since the last one that was answered */
	WGPP_PEER_A_CURRENT_BIRTH,	/* u64: when the session began that we send with */
	WGPP_PEER_A_PREVIOUS_BIRTH,	/* u64: the one before, still received with */
	WGPP_PEER_A_NEXT_BIRTH,		/* u64: one that the peer has not confirmed yet */
	WGPP_PEER_A_NUM_STAGED,		/* u32: packets that wait for a handshake */
	WGPP_PEER_A_NEXT_TIMER,		/* u64: when a timer of the peer goes off */
	WGPP_PEER_A_ENDPOINTS,		/* nest of nests, of type 0, of enum wgpp_endpoint_attr: the
					 * last few, the current one first */
	WGPP_PEER_A_PAD,
	WGPP_NUM_PEER_ATTRS,
	WGPP_PEER_A_MAX = WGPP_NUM_PEER_ATTRS - 1
};

enum wgpp_endpoint_attr {
	WGPP_ENDPOINT_A_UNSPEC,
	WGPP_ENDPOINT_A_ADDRESS,	/* struct sockaddr_in or sockaddr_in6 */
	WGPP_ENDPOINT_A_SINCE,		/* u64: when it became the endpoint */
	WGPP_ENDPOINT_A_PAD,
	WGPP_NUM_ENDPOINT_ATTRS,
	WGPP_ENDPOINT_A_MAX = WGPP_NUM_ENDPOINT_ATTRS - 1
};

#endif
