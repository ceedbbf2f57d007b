#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Persistent keepalives come once per interval, a passive one comes 10 s after data that
# nobody answered, and a keepalive is one empty message of 32 bytes.
#
#   a  eth-b 192.0.2.1 ---- veth ---- 192.0.2.2 eth-a  b
#      wg0   10.9.0.1  === tunnel === 10.9.0.2  wg0

. "$(dirname "$0")/common.sh"

KEEPALIVE_LEN=32

# Milliseconds since boot
uptime_ms() {
	local seconds rest
	IFS=' ' read -r seconds rest </proc/uptime
	echo $((10#${seconds/./} * 10))
}

grown_beyond() {
	(($(peer_field b a rx) >= $1))
}

# A keepalive 10 s after the reply that a did not answer, not earlier, and only one.
passive() {
	local before start
	ping_ns a 10.9.0.2
	before=$(peer_field b a rx)
	start=$(uptime_ms)
	ping_ns a 10.9.0.2
	before=$((before + 128))
	expect_eq "received after the echo" "$(peer_field b a rx)" "$before"
	wait_until 60 grown_beyond $((before + 1))
	expect_eq "received" "$(peer_field b a rx)" $((before + KEEPALIVE_LEN))
	# Both ends of the interval lie outside of the 10 s.
	expect_between "milliseconds until the keepalive" $(($(uptime_ms) - start)) 10000 60000
}

# Turning it on sends one at once.
at_once() {
	local before
	before=$(peer_field b a rx)
	wg_set a peer "${pub[b]}" persistent-keepalive 1
	wait_until "$LIMIT" grown_beyond $((before + KEEPALIVE_LEN))
	expect_eq "keepalive read back" "$(peer_field a b keepalive)" 1
}

# From a first reading until 6 more have come. The number of intervals that fit between
# the readings is known from outside and from inside of the two readings.
each_second() {
	local outside inside first last num
	outside=$(uptime_ms)
	first=$(peer_field b a rx)
	inside=$(uptime_ms)
	wait_until 60 grown_beyond $((first + 6 * KEEPALIVE_LEN))
	inside=$(($(uptime_ms) - inside))
	last=$(peer_field b a rx)
	outside=$(($(uptime_ms) - outside))
	expect_eq "remainder of a keepalive" $(((last - first) % KEEPALIVE_LEN)) 0
	num=$(((last - first) / KEEPALIVE_LEN))
	# The interval runs from the sending of the last one, so lateness adds up and only
	# lowers the number; half a second per interval is allowed for it.
	expect_between "keepalives" "$num" $((inside / 1500 - 1)) $((outside / 1000 + 1))
}

turned_off() {
	local before
	wg_set a peer "${pub[b]}" persistent-keepalive 0
	expect_eq "keepalive read back" "$(peer_field a b keepalive)" off
	before=$(peer_field b a rx)
	# The time of several intervals, filled with something that a late one would follow.
	ping_local 3
	expect_between "growth" $(($(peer_field b a rx) - before)) 0 "$KEEPALIVE_LEN"
}

# ping_local SECONDS: lasts that long without touching the tunnel.
ping_local() {
	in_ns a ping -n -c $(($1 + 1)) -i 1 127.0.0.1
}

plan 4
require_tools ping
pair_create
pair_outer 4
check "a passive keepalive after 10 s, once" passive
check "a persistent keepalive is sent at once" at_once
check "a persistent keepalive each second" each_second
check "no persistent keepalive after it was turned off" turned_off
finish
