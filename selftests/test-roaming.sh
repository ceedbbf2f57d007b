#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A peer that changes its address, port or IP version is followed by the other end, which
# learns the new endpoint from the first authenticated packet and replies to it. A packet
# that nobody authenticated teaches nothing.
#
#   a  eth-b 192.0.2.1  -> .101     ---- veth ---- 192.0.2.2 -> .102  eth-a  b
#            2001:db8::1 -> ::101                  2001:db8::2
#            192.0.2.66 (forger)
#      wg0   10.9.0.1   port 5001   === tunnel === 10.9.0.2  port 5002  wg0

. "$(dirname "$0")/common.sh"

# moves NS OLD NEW: the outer address of NS. The old one is gone afterwards, so a reply
# sent there would be lost.
moves() {
	local dev=eth-b
	[[ $1 == a ]] || dev=eth-a
	addr_add "$1" "$dev" "$3"
	ip_ns "$1" addr del "$2" dev "$dev"
}

# followed SPEAKER LISTENER ENDPOINT: what LISTENER knows after SPEAKER spoke, and that
# LISTENER reaches SPEAKER there.
followed() {
	local to_a=10.9.0.1 to_b=10.9.0.2
	if [[ $1 == a ]]; then
		ping_ns a "$to_b"
		ping_ns b "$to_a"
	else
		ping_ns b "$to_a"
		ping_ns a "$to_b"
	fi
	expect_eq "endpoint" "$(peer_field "$2" "$1" endpoint)" "$3"
}

address_v4() {
	moves a 192.0.2.1/24 192.0.2.101/24
	followed a b 192.0.2.101:5001
}

port_changes() {
	wg_set a listen-port 5011
	followed a b 192.0.2.101:5011
}

version_4_to_6() {
	wg_set a peer "${pub[b]}" endpoint '[2001:db8::2]:5002'
	followed a b '[2001:db8::1]:5011'
}

address_v6() {
	moves a 2001:db8::1/64 2001:db8::101/64
	followed a b '[2001:db8::101]:5011'
}

version_6_to_4() {
	wg_set a peer "${pub[b]}" endpoint 192.0.2.2:5002
	followed a b 192.0.2.101:5011
}

# The end whose endpoint was configured moves: the other end's configuration changes.
responder_moves() {
	moves b 192.0.2.2/24 192.0.2.102/24
	followed b a 192.0.2.102:5002
}

# The far end moves after a part of the transfer has arrived, and the rest follows it.
mid_flow() {
	local sender before
	before=$(peer_field b a rx)
	in_ns a python3 "$TRAFFIC" tcp 10.9.0.2 7000 3000000 0 "$tmp/moved" &
	sender=$!
	wait_until "$LIMIT" rx_beyond $((before + 200000))
	addr_add a eth-b 192.0.2.111/24
	ip_ns a addr del 192.0.2.101/24 dev eth-b
	: >"$tmp/moved"
	wait "$sender"
	expect_eq "endpoint" "$(peer_field b a endpoint)" 192.0.2.111:5011
}

rx_beyond() {
	(($(peer_field b a rx) > $1))
}

# A real data message with one bit flipped, from another address: right receiver, next
# counters, wrong tag. And the same message as it was, a replay.
forged() {
	local before
	before=$(wg_in b show "${ns_dev[b]}" dump | cut -f 1-5)
	grep -q '^4 ' "$tmp/bg.a.out"
	in_ns a python3 "$SELFTESTS/hostile.py" forge 192.0.2.102 5002 192.0.2.66 "$tmp/bg.a.out"
	# The packets above were handled before this one, on the same link and device.
	in_ns a ping -n -c 1 -W "$LIMIT" -I eth-b 192.0.2.102
	expect_eq "peer" "$(wg_in b show "${ns_dev[b]}" dump | cut -f 1-5)" "$before"
	ping_ns b 10.9.0.1
}

plan 8
require_tools ping
pair_create
pair_outer 4
check "IPv4 address changes" address_v4
check "port changes" port_changes
check "IPv4 to IPv6" version_4_to_6
check "IPv6 address changes" address_v6
check "IPv6 to IPv4" version_6_to_4
check "the responder's address changes" responder_moves
serve b
check "the address changes during a TCP transfer" mid_flow
addr_add a eth-b 192.0.2.66/24
bg a python3 "$SELFTESTS/hostile.py" capture eth-b
wait_until "$LIMIT" grep -q ready "$tmp/bg.a.out"
ping_ns a 10.9.0.2 >/dev/null
wait_until "$LIMIT" grep -q '^4 ' "$tmp/bg.a.out"
check "a forged and a replayed message do not move the endpoint" forged
finish
