#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Preshared keys: the same one works; different ones, or one on one side, never make a
# session; a change applies to the next handshake and not to the running session.
#
#   a  eth-b 192.0.2.1 ---- veth ---- 192.0.2.2 eth-a  b
#      wg0   10.9.0.1  === tunnel === 10.9.0.2  wg0

. "$(dirname "$0")/common.sh"

# new_pair PSK-OF-A PSK-OF-B: fresh devices with these, "none" for none.
new_pair() {
	pair_delete
	pair_devices
	pair_outer 4
	[[ $1 == none ]] || wg_set a peer "${pub[b]}" preshared-key "$tmp/$1.psk"
	[[ $2 == none ]] || wg_set b peer "${pub[a]}" preshared-key "$tmp/$2.psk"
}

works() {
	ping_ns a 10.9.0.2
	ping_ns b 10.9.0.1
	handshake_done a b
	handshake_done b a
}

same() {
	new_pair one one
	works
	expect_eq "preshared key read back" "$(peer_field a b psk)" "$(<"$tmp/one.psk")"
}

# The responder answers, since the preshared key enters with the response, and the
# initiator does not accept the answer.
never() {
	new_pair "$1" "$2"
	no_ping_ns a 10.9.0.2
	wait_until "$LIMIT" answered
	no_ping_ns a 10.9.0.2
	expect_eq "handshake time" "$(peer_field a b handshake)" 0
	expect_eq "received" "$(peer_field a b rx)" 0
}

answered() {
	(($(peer_field b a tx) >= 92))
}

# The session goes on with the keys it has; a handshake with the new key fails.
change_on_one_side() {
	new_pair one one
	works
	wg_set a peer "${pub[b]}" preshared-key "$tmp/two.psk"
	ping_ns a 10.9.0.2
	new_session
	no_ping_ns a 10.9.0.2
}

# Taking the device down wipes its sessions, so the next packet needs a handshake.
new_session() {
	ip_ns a link set wg0 down
	ip_ns a link set wg0 up
}

change_on_both_sides() {
	new_pair one one
	works
	wg_set a peer "${pub[b]}" preshared-key "$tmp/two.psk"
	wg_set b peer "${pub[a]}" preshared-key "$tmp/two.psk"
	new_session
	# An initiation may wait for 5 s after the last one.
	wait_until 60 in_ns a ping -n -c 1 -W 2 10.9.0.2
}

removed_on_both_sides() {
	new_pair one one
	works
	wg_set a peer "${pub[b]}" preshared-key /dev/null
	wg_set b peer "${pub[a]}" preshared-key /dev/null
	expect_eq "preshared key read back" "$(peer_field a b psk)" "(none)"
	new_session
	wait_until 60 in_ns a ping -n -c 1 -W 2 10.9.0.2
}

plan 7
require_tools ping
pskgen one
pskgen two
pair_create
check "the same preshared key works" same
check "different preshared keys never make a session" never one two
check "a preshared key of the initiator alone never makes a session" never one none
check "a preshared key of the responder alone never makes a session" never none two
check "a change on one side applies to the next handshake" change_on_one_side
check "a change on both sides works" change_on_both_sides
check "a removal on both sides works" removed_on_both_sides
finish
