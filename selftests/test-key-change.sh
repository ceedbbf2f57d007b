#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Long run
# Takes 200 s
#
# Keys and ports change while bytes flow whose every one is verified: the transfer stalls at
# most, and goes on.
#
#   a  eth-b 192.0.2.1 ---- veth ---- 192.0.2.2 eth-a  b
#      wg0   10.9.0.1  === tunnel === 10.9.0.2  wg0

. "$(dirname "$0")/common.sh"

NUM_KEYS=4
NUM_PORTS=6

# both_flow: each end has received new bytes from the other one, more than handshakes have.
both_flow() {
	local at_a at_b
	at_a=$(peer_field a b rx)
	at_b=$(peer_field b a rx)
	wait_until 60 rx_beyond a b $((at_a + 10000))
	wait_until 60 rx_beyond b a $((at_b + 10000))
}

rx_beyond() {
	(($(peer_field "$1" "$2" rx) > $3))
}

# The far end gets the new peer in exchange for the old one and speaks to it at once.
private_key() {
	local round old
	transfers_start a 10.9.0.2
	for ((round = 0; round < NUM_KEYS; round++)); do
		both_flow
		old=${pub[a]}
		keygen a
		wg_set a private-key "$tmp/a.key"
		wg_set b peer "$old" remove \
			peer "${pub[a]}" endpoint 192.0.2.1:5001 persistent-keepalive 25 \
			allowed-ips 10.9.0.1/32,fd00:9::1/128
		expect_eq "public key of a" "$(wg_in a show wg0 public-key)" "${pub[a]}"
	done
	both_flow
	transfers_end
}

# As long as only one end has the new key nothing arrives: that the stall is real.
one_end_only() {
	local old=${pub[a]} before
	keygen a
	wg_set a private-key "$tmp/a.key"
	before=$(wg_in b show wg0 latest-handshakes)
	no_ping_ns a 10.9.0.2
	expect_eq "handshake of the old peer" "$(wg_in b show wg0 latest-handshakes)" "$before"
	wg_set b peer "$old" remove \
		peer "${pub[a]}" endpoint 192.0.2.1:5001 persistent-keepalive 25 \
		allowed-ips 10.9.0.1/32,fd00:9::1/128
	wait_until 60 in_ns a ping -n -c 1 -W 2 10.9.0.2
}

# The running session does not end with its preshared key. A new one is made when a goes down
# and up, with the key of then: first with one that only a has, then with both.
preshared_key() {
	local before rx
	transfers_start a 10.9.0.2
	both_flow
	pskgen new
	wg_set a peer "${pub[b]}" preshared-key "$tmp/new.psk"
	both_flow
	before=$(num_responses)
	new_session
	rx=$(peer_field a b rx)
	# The responder answers each initiation, and the initiator takes none of the answers. Where it
	# takes long the other end calls too: its initiations count, of 148 bytes; no data comes in.
	wait_until 60 responses_beyond $((before + 1))
	expect_between "received" "$(peer_field a b rx)" "$rx" $((rx + 8 * 148))
	wg_set b peer "${pub[a]}" preshared-key "$tmp/new.psk"
	both_flow
	transfers_end
}

num_responses() {
	grep -c '^response' "$tmp/bg.a.out" || true
}

responses_beyond() {
	(($(num_responses) > $1))
}

new_session() {
	ip_ns a link set wg0 down
	ip_ns a link set wg0 up
	addr_add a wg0 fd00:9::1/64
}

preshared_key_often() {
	local round
	transfers_start a 10.9.0.2
	for round in 1 2 3 4 5 6; do
		pskgen "round$round"
		wg_set a peer "${pub[b]}" preshared-key "$tmp/round$round.psk"
		wg_set b peer "${pub[a]}" preshared-key "$tmp/round$round.psk"
		expect_eq "key read back" "$(peer_field b a psk)" "$(<"$tmp/round$round.psk")"
	done
	new_session
	both_flow
	transfers_end
}

# Each end in turn; the other one follows, because who moved goes on speaking: b, which only
# receives for most of a transfer, by its echoes.
listen_port() {
	local round echoes
	transfers_start a 10.9.0.2
	nsenter --net="/run/netns/$prefix-b" -- ping -q -n -i 0.1 10.9.0.1 &
	echoes=$!
	for ((round = 0; round < NUM_PORTS; round++)); do
		both_flow
		if ((round % 2)); then
			wg_set b listen-port $((5102 + round))
			wait_until "$LIMIT" endpoint_is a b "192.0.2.2:$((5102 + round))"
		else
			wg_set a listen-port $((5101 + round))
			wait_until "$LIMIT" endpoint_is b a "192.0.2.1:$((5101 + round))"
		fi
	done
	both_flow
	transfers_end
	kill "$echoes"
}

endpoint_is() {
	[[ $(peer_field "$1" "$2" endpoint) == "$3" ]]
}

# No port in between is left open.
sockets() {
	expect_eq "UDP sockets of a" "$(in_ns a cat /proc/net/udp | wc -l)" 2
	expect_eq "UDP sockets of a, IPv6" "$(in_ns a cat /proc/net/udp6 | wc -l)" 2
}

plan 6
require_tools ping
pair_create
pair_outer 4
serve b
# An observer of handshakes, for when a has none to show.
bg a python3 "$SELFTESTS/observe.py" eth-b
wait_until "$LIMIT" grep -q ready "$tmp/bg.a.out"
check "the port changes $NUM_PORTS times" listen_port
check "no socket of an old port is left" sockets
check "preshared keys change on both ends" preshared_key_often
check "a preshared key changes on one end, then on the other" preshared_key
# A peer that is made anew has no preshared key.
wg_set a peer "${pub[b]}" preshared-key /dev/null
wg_set b peer "${pub[a]}" preshared-key /dev/null
check "the private key changes $NUM_KEYS times" private_key
# What a check sets is gone after it.
pub[a]=$(wg_in a show wg0 public-key)
check "a private key that the far end does not know yet" one_end_only
finish
