#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Takes 70 s, 160 s with --debug
#
# What the outer packets look like: padding, which depends on the MTU of the inner route, DS
# fields, headers, the flow hash. And what comes of them: the ECN field that routers on the way
# set, and messages that arrive more than once.
#
#   a  eth-b 192.0.2.1  2001:db8::1 ---- veth ---- 192.0.2.2  2001:db8::2 eth-a  b
#      (capture)                                   (relay on port 6000, when started)
#      wg0   10.9.0.1   fd00:9::1   === tunnel === 10.9.0.2   fd00:9::2   wg0

. "$(dirname "$0")/common.sh"

WIRE=$SELFTESTS/wire.py
# A data message of a that is no keepalive, as a line of the capture
DATA='^4 5001 ([4-9][0-9]|[0-9]{3,}) '
COPIES=8
ROUNDS=15

# seen PATTERN: how many lines of the capture match.
seen() {
	grep -Ec "$1" "$tmp/bg.a.out" || true
}

seen_at_least() {
	(($(seen "$1") >= $2))
}

# sent COLUMN NUM SEND-ARGUMENTS...: that column of the capture, for the NUM data messages
# that a makes of what is sent. Keepalives, which may come in between, are left out.
sent() {
	local column=$1 num=$2 before
	shift 2
	before=$(seen "$DATA")
	in_ns a python3 "$WIRE" send "$@"
	wait_until "$LIMIT" seen_at_least "$DATA" $((before + num))
	grep -E "$DATA" "$tmp/bg.a.out" | tail -n +$((before + 1)) | cut -d ' ' -f "$column" |
		tr '\n' ' '
}

# padded INNER-MTU INNER-LENGTH...: up to a multiple of 16, and never beyond the MTU.
padded() {
	local mtu=$1 len padded expected='' sizes=''
	shift
	for len in "$@"; do
		padded=$(((len + 15) / 16 * 16))
		expected+="$((32 + (padded <= mtu ? padded : mtu))) "
		sizes+=${sizes:+,}$((len - 28))
	done
	expect_eq "messages for $* bytes at an MTU of $mtu" "$(sent 3 $# 10.9.0.2 7001 "$sizes")" \
		"$expected"
}

padding() {
	padded 1420 28 29 32 33 47 48 49 1000 1407 1408 1409 1419 1420
}

padding_odd_mtu() {
	ip_ns a link set wg0 mtu 1383
	padded 1383 31 1375 1376 1377 1382 1383
	ip_ns a link set wg0 mtu 1420
}

# The MTU that counts is that of the inner route, which may be less than the device's.
padding_route_mtu() {
	ip_ns a route add 10.9.0.2/32 dev wg0 mtu 1001
	padded 1001 985 992 993 1000 1001
	ip_ns a route del 10.9.0.2/32 dev wg0
}

handshake_ds_fields() {
	expect_eq "handshakes that are not AF41" \
		"$(awk '($1 == 1 || $1 == 2) && $4 != "88"' "$tmp/bg.a.out" | wc -l)" 0
	seen_at_least '^1 ' 1
	seen_at_least '^2 ' 1
}

# The DSCP stays inside; of the ECN field, CE goes out as ECT(0), which tells congestion of the
# tunnel from what there was before it (RFC 6040, compatibility mode).
data_ds_fields() {
	local to
	for to in 10.9.0.2 fd00:9::2; do
		expect_eq "outer DS fields" "$(sent 4 6 "$to" 7001 100 00,b8,01,02,ba,03)" \
			"00 00 01 02 02 02 "
	done
}

# Columns: 5 TTL, 6 DF, 7 checksum
outer_header() {
	expect_eq "messages with another TTL, with DF or without checksum" \
		"$(awk '$1 ~ /^[1-4]$/ && ($5 != 64 || $6 != 0 || $7 == 0)' "$tmp/bg.a.out" | wc -l)" 0
	seen_at_least '^4 ' 10
}

# hash_of LENGTH
hash_of() {
	awk -v len="$1" '$1 == len { print $2 }' "$tmp/hashes" | sort -u
}

# Eight inner flows, told apart by their length. Each has one hash, and they differ.
flow_hashes() {
	local flow len
	in_ns a python3 "$WIRE" flows 10.9.0.2 7001 8 3
	wait_until "$LIMIT" hashes_complete
	cat "$tmp/hashes"
	for flow in 0 1 2 3 4 5 6 7; do
		len=$((32 + (512 + 28 + 16 * flow + 15) / 16 * 16))
		expect_eq "hashes of flow $flow" "$(hash_of "$len" | wc -l)" 1
	done
	expect_between "different hashes" \
		"$(awk '$1 ~ /^[0-9]+$/ && $1 >= 500 { print $2 }' "$tmp/hashes" | sort -u | wc -l)" 4 8
}

hashes_complete() {
	(($(awk '$1 ~ /^[0-9]+$/ && $1 >= 500' "$tmp/hashes" | wc -l) >= 24))
}

# through_relay COPIES DS-FIELD: a new session, by way of a relay. Of the old one b may still owe
# a keepalive, and by that a would learn the direct way again.
through_relay() {
	local ns
	bg b python3 "$WIRE" relay 6000 5002 "$@"
	relay_pid=$bg_pid
	relays=$((relays + 1))
	wait_until "$LIMIT" relay_ready $((1 + relays))
	for ns in b a; do
		in_ns "$ns" bash -c 'echo 1 >/proc/sys/net/ipv6/conf/wg0/keep_addr_on_down'
		ip_ns "$ns" link set wg0 down
		ip_ns "$ns" link set wg0 up
	done
	wg_set a peer "${pub[b]}" endpoint 192.0.2.2:6000
}

# received DS-FIELD SIZE: b got a datagram of this size with this DS field.
received() {
	grep -q "^$2 $1 " "$tmp/bg.b.out"
}

# The relay marks every message as having met congestion.
ecn_decapsulated() {
	in_ns a python3 "$WIRE" send 10.9.0.2 7002 301 02
	wait_until "$LIMIT" received 03 301
	in_ns a python3 "$WIRE" send fd00:9::2 7002 302 01
	wait_until "$LIMIT" received 03 302
	# Whoever does not know ECN is not told.
	in_ns a python3 "$WIRE" send 10.9.0.2 7002 303 b8
	wait_until "$LIMIT" received b8 303
}

# The relay sends the response $COPIES times in a burst, so that several CPUs have it at once.
# One starts the session; had another one done so as well, it would be counted as received,
# and there would be less errors.
one_session() {
	local round rx errors
	for ((round = 1; round <= ROUNDS; round++)); do
		ip_ns a link set wg0 down
		ip_ns a link set wg0 up
		rx=$(peer_field a b rx)
		errors=$(dev_stat a rx_errors)
		ping_ns a 10.9.0.2 -s 56
		# The response and the reply, once; what else came was refused.
		wait_until "$LIMIT" errors_are $((errors + 2 * (COPIES - 1)))
		expect_eq "received in round $round" $(($(peer_field a b rx) - rx)) $((92 + 128))
	done
}

# relay_ready NUM: so many of b's commands have been ready.
relay_ready() {
	(($(grep -c ready "$tmp/bg.b.out") >= $1))
}

errors_are() {
	(($(dev_stat a rx_errors) == $1))
}

plan 10
require_tools ping
pair_create
pair_outer 4
bg b python3 "$WIRE" receive 7002
wait_until "$LIMIT" grep -q ready "$tmp/bg.b.out"
bg a python3 "$WIRE" capture eth-b
capture_pid=$bg_pid
wait_until "$LIMIT" grep -q ready "$tmp/bg.a.out"
# A discarding receiver: without one, each datagram would be answered by an ICMP error.
in_ns b python3 "$WIRE" receive 7001 >"$tmp/discard.out" 2>&1 </dev/null &
background+=("$!")
wait_until "$LIMIT" grep -q ready "$tmp/discard.out"
ping_ns a 10.9.0.2 >/dev/null
check "data is padded to 16 bytes" padding
check "data is not padded beyond an odd MTU" padding_odd_mtu
check "data is not padded beyond the MTU of its route" padding_route_mtu
check "handshakes are AF41 without ECN" handshake_ds_fields
check "data shows its ECN field and not its DSCP" data_ds_fields
pair_outer 6
check "data over IPv6, too" data_ds_fields
check "TTL of the host, no DF, checksums" outer_header
kill "$capture_pid"
pair_outer 4
in_ns a python3 "$WIRE" hashes eth-b 5001 >"$tmp/hashes" 2>&1 </dev/null &
background+=("$!")
wait_until "$LIMIT" grep -q ready "$tmp/hashes"
check "each inner flow gives its outer packets one hash of its own" flow_hashes

relays=0
through_relay 1 03
check "congestion outside is told inside" ecn_decapsulated
kill "$relay_pid"
through_relay "$COPIES" 00
if [[ $WGPP_MODULE == in-tree ]]; then
	skip "a response that arrives $COPIES times starts one session" "refused messages are not counted"
else
	check "a response that arrives $COPIES times starts one session" one_session
fi
finish
