// SPDX-License-Identifier: GPL-2.0
#include "drops.h"

#include <linux/timekeeping.h>

#include "peer.h"

/* What of `ip -s link' a reason counts in. */
enum link_counter {
	NONE,		/* answered, in a way */
	RX_ERROR,
	RX_LENGTH,	/* an error, too, as the two below */
	RX_CRC,
	RX_FRAME,
	RX_DROPPED,
	TX_ERROR,
	TX_CARRIER,	/* an error, too */
	TX_DROPPED,
};

static const u8 link_counters[] = {
	[WGPP_DROP_BAD_TYPE] = RX_LENGTH,
	[WGPP_DROP_BAD_LENGTH] = RX_LENGTH,
	[WGPP_DROP_BAD_MAC1] = RX_CRC,
	[WGPP_DROP_COOKIE_SENT] = NONE,
	[WGPP_DROP_TOO_FAST] = RX_DROPPED,
	[WGPP_DROP_HANDSHAKES_FULL] = RX_DROPPED,
	[WGPP_DROP_NO_ENTROPY] = RX_DROPPED,
	[WGPP_DROP_NO_PRIVATE_KEY] = RX_ERROR,
	[WGPP_DROP_BAD_INITIATION] = RX_CRC,
	[WGPP_DROP_UNKNOWN_PEER] = RX_ERROR,
	[WGPP_DROP_BAD_DH] = RX_ERROR,
	[WGPP_DROP_OLD_TIMESTAMP] = RX_ERROR,
	[WGPP_DROP_FLOOD] = RX_ERROR,
	[WGPP_DROP_UNKNOWN_HANDSHAKE] = RX_ERROR,
	[WGPP_DROP_BAD_RESPONSE] = RX_CRC,
	[WGPP_DROP_LATE_RESPONSE] = RX_ERROR,
	[WGPP_DROP_BAD_COOKIE] = RX_ERROR,
	[WGPP_DROP_UNKNOWN_SESSION] = RX_ERROR,
	[WGPP_DROP_SESSION_EXPIRED] = RX_ERROR,
	[WGPP_DROP_BAD_TAG] = RX_CRC,
	[WGPP_DROP_REPLAY] = RX_ERROR,
	[WGPP_DROP_TOO_OLD] = RX_ERROR,
	[WGPP_DROP_BAD_SOURCE] = RX_FRAME,
	[WGPP_DROP_BAD_INNER_VERSION] = RX_FRAME,
	[WGPP_DROP_BAD_INNER_LENGTH] = RX_LENGTH,
	[WGPP_DROP_RX_QUEUE_FULL] = RX_DROPPED,
	[WGPP_DROP_RX_NO_MEMORY] = RX_DROPPED,
	[WGPP_DROP_NOT_IP] = TX_ERROR,
	[WGPP_DROP_NO_PEER] = TX_ERROR,
	[WGPP_DROP_NO_ENDPOINT] = TX_ERROR,
	[WGPP_DROP_BAD_GSO] = TX_ERROR,
	[WGPP_DROP_STAGED_FULL] = TX_DROPPED,
	[WGPP_DROP_GAVE_UP] = TX_DROPPED,
	[WGPP_DROP_CLOSED] = TX_DROPPED,
	[WGPP_DROP_TX_QUEUE_FULL] = TX_DROPPED,
	[WGPP_DROP_TX_NO_MEMORY] = TX_DROPPED,
	[WGPP_DROP_NO_SOCKET] = TX_CARRIER,
	[WGPP_DROP_NO_ROUTE] = TX_CARRIER,
	[WGPP_DROP_SEND_FAILED] = TX_CARRIER,
};
static_assert(ARRAY_SIZE(link_counters) == WGPP_NUM_DROPS);

#define ADD(dev, counter, num) atomic_long_add(num, &(dev)->stats.__##counter)

static void count_in_link(struct net_device *dev, enum link_counter counter, unsigned int num)
{
	switch (counter) {
	case NONE:
		break;
	case RX_LENGTH:
		ADD(dev, rx_length_errors, num);
		ADD(dev, rx_errors, num);
		break;
	case RX_CRC:
		ADD(dev, rx_crc_errors, num);
		ADD(dev, rx_errors, num);
		break;
	case RX_FRAME:
		ADD(dev, rx_frame_errors, num);
		ADD(dev, rx_errors, num);
		break;
	case RX_ERROR:
		ADD(dev, rx_errors, num);
		break;
	case RX_DROPPED:
		ADD(dev, rx_dropped, num);
		break;
	case TX_CARRIER:
		ADD(dev, tx_carrier_errors, num);
		ADD(dev, tx_errors, num);
		break;
	case TX_ERROR:
		ADD(dev, tx_errors, num);
		break;
	case TX_DROPPED:
		ADD(dev, tx_dropped, num);
		break;
	}
}

void wg_drop(struct wg_device *wg, struct wg_peer *peer, enum wgpp_drop reason,
	     unsigned int num)
{
	if (!num)
		return;
	this_cpu_add(wg->drops->num[reason], num);
	if (peer) {
		atomic_long_add(num, &peer->drops.num[reason]);
		/* Two at a time may mix these; it is the last one that somebody looks at. */
		WRITE_ONCE(peer->drops.last, reason);
		WRITE_ONCE(peer->drops.last_ns, ktime_get_coarse_boottime_ns());
	}
	count_in_link(wg->dev, link_counters[reason], num);
}

void wg_drop_list(struct wg_peer *peer, enum wgpp_drop reason, const struct sk_buff *first)
{
	unsigned int num = 0;

	for (; first; first = first->next)
		++num;
	wg_drop(peer->wg, peer, reason, num);
}

void wg_drop_send_error(struct wg_peer *peer, int error)
{
	enum wgpp_drop reason;

	switch (error) {
	case -ENONET:
		reason = WGPP_DROP_NO_SOCKET;
		break;
	case -EDESTADDRREQ:
		reason = WGPP_DROP_NO_ENDPOINT;
		break;
	case -ENETUNREACH:
	case -EHOSTUNREACH:
	case -ENETDOWN:
		reason = WGPP_DROP_NO_ROUTE;
		break;
	default:
		reason = WGPP_DROP_SEND_FAILED;
		break;
	}
	WRITE_ONCE(peer->drops.last_error, -error);
	wg_drop(peer->wg, peer, reason, 1);
}

enum wgpp_drop wg_drop_of_data(enum wgc_status status)
{
	switch (status) {
	case WGC_BAD_LENGTH:
		return WGPP_DROP_BAD_LENGTH;
	case WGC_EXPIRED:
		return WGPP_DROP_SESSION_EXPIRED;
	case WGC_BAD_AEAD:
		return WGPP_DROP_BAD_TAG;
	case WGC_REPLAY:
		return WGPP_DROP_REPLAY;
	case WGC_TOO_OLD:
		return WGPP_DROP_TOO_OLD;
	case WGC_BAD_INNER_VERSION:
		return WGPP_DROP_BAD_INNER_VERSION;
	case WGC_BAD_INNER_LENGTH:
		return WGPP_DROP_BAD_INNER_LENGTH;
	default:
		return WGPP_DROP_BAD_TYPE;
	}
}

enum wgpp_drop wg_drop_of_initiation(enum wgc_status status)
{
	switch (status) {
	case WGC_BAD_STATE:
		return WGPP_DROP_NO_PRIVATE_KEY;
	case WGC_BAD_DH:
		return WGPP_DROP_BAD_DH;
	case WGC_OLD_TIMESTAMP:
		return WGPP_DROP_OLD_TIMESTAMP;
	case WGC_FLOOD:
		return WGPP_DROP_FLOOD;
	default:
		return WGPP_DROP_BAD_INITIATION;
	}
}

enum wgpp_drop wg_drop_of_response(enum wgc_status status)
{
	switch (status) {
	case WGC_BAD_STATE:
		return WGPP_DROP_LATE_RESPONSE;
	case WGC_BAD_DH:
		return WGPP_DROP_BAD_DH;
	default:
		return WGPP_DROP_BAD_RESPONSE;
	}
}

u64 wg_drops_total(const struct wg_device *wg, enum wgpp_drop reason)
{
	u64 total = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		total += READ_ONCE(per_cpu_ptr(wg->drops, cpu)->num[reason]);
	return total;
}
