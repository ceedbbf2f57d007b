#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Takes 90 s, 135 s with --debug
#
# Things end while packets flow: peers, devices, namespaces, the module. Nothing is left
# over, nothing crashes (run.sh reads the kernel log), and the next one works.
#
#   c (later)    a  eth-b 192.0.2.1 ---- veth ---- 192.0.2.2 eth-a  b
#   <- wg0 moves    wg0   10.9.0.1  === tunnel === 10.9.0.2  wg0
#                         fd00:9::1                fd00:9::2

. "$(dirname "$0")/common.sh"

NUM_RELOADS=10

# traffic_start: echoes of several fragments and single ones, both ways, until traffic_stop.
# Without a deadline or a count, ping goes on after errors, and so finds the next device by
# itself (with -w it would end at the first ICMP error).
traffic_start() {
	traffic=()
	bg a ping -q -n -i 0.03 -s 4000 10.9.0.2
	traffic+=("$bg_pid")
	bg a ping -q -n -i 0.02 -s 100 fd00:9::2
	traffic+=("$bg_pid")
	bg b ping -q -n -i 0.03 -s 4000 10.9.0.1
	traffic+=("$bg_pid")
}

traffic_stop() {
	kill "${traffic[@]}" 2>/dev/null || true
	wait "${traffic[@]}" 2>/dev/null || true
}

# flows: each end has received what only a session can bring.
flows() {
	local before
	before=$(peer_field b a rx)
	wait_until "$LIMIT" rx_beyond b a $((before + 10000))
}

rx_beyond() {
	(($(peer_field "$1" "$2" rx) > $3))
}

reload() {
	local round
	for ((round = 1; round <= NUM_RELOADS; round++)); do
		module_unload
		refuse module_loaded
		refuse ip_ns a link show wg0
		module_load
		pair_up
		flows
	done
	echo "$((round - 1)) reloads"
}

device_deleted() {
	local round
	for round in 1 2 3; do
		ip_ns a link del wg0
		ip_ns b link del wg0
		pair_up
		flows
	done
}

peer_removed() {
	local round
	for round in 1 2 3 4 5; do
		wg_set a peer "${pub[b]}" remove
		expect_eq "peers" "$(wg_in a show wg0 dump | wc -l)" 1
		wg_in a setconf wg0 "$tmp/a.conf"
		flows
	done
}

device_down_up() {
	local round
	for round in 1 2 3; do
		ip_ns a link set wg0 down
		ip_ns a link set wg0 up
		flows
	done
}

port_changes() {
	local port
	for port in 5011 5012 5001; do
		wg_set a listen-port "$port"
		flows
	done
}

# The socket stays where the device was made: c has no link at all.
moved_to_c() {
	ip_ns a link set wg0 netns "$prefix-c"
	addr_add c wg0 10.9.0.1/24 fd00:9::1/64
	ip_ns c link set wg0 up
	ping_ns c 10.9.0.2
	ping_ns c fd00:9::2
	ping_ns b 10.9.0.1
	expect_eq "UDP sockets in c" "$(in_ns c cat /proc/net/udp | wc -l)" 1
	grep -q ':1389 ' <<<"$(in_ns a cat /proc/net/udp)"
}

# Without its creating namespace the device stays, without a carrier.
creator_gone() {
	ip netns del "$prefix-a"
	wait_until "$LIMIT" carrier_lost
	refuse in_ns c ping -n -c 1 -W 1 10.9.0.2
	ip_ns c link del wg0
}

carrier_lost() {
	grep -q NO-CARRIER <<<"$(ip_ns c link show wg0)"
}

# A namespace goes with its devices and links while both ends send.
namespaces_deleted() {
	ip netns pids "$prefix-d" | xargs -r kill
	ip netns del "$prefix-d"
	ip netns pids "$prefix-e" | xargs -r kill
	ip netns del "$prefix-e"
	# The devices are gone once the kernel has no reference to them, which unloading needs.
	wait_until "$LIMIT" unloads
	module_load
}

unloads() {
	module_unload
}

# Loading with a name that is taken says who has it and what to do.
clash() {
	local marker
	module_unload
	modprobe wireguard
	log_mark
	marker=$log_marker
	refuse module_load kind=wireguard
	refuse module_loaded
	log_since "$marker" >"$tmp/clash"
	cat "$tmp/clash"
	grep -Eq 'wireguard.*(kind=|rmmod|modprobe -r|unload)' "$tmp/clash"
	module_load kind=wgpp
	module_loaded
	module_unload
	rmmod wireguard
	module_load
}

plan 9
require_tools ping modprobe rmmod
keygen a b
ns_create a b c
veth_link a b
addr_add a eth-b 192.0.2.1/24
addr_add b eth-a 192.0.2.2/24
pair_files
pair_up
traffic_start
check "peers removed and added under traffic" peer_removed
check "a device down and up under traffic" device_down_up
check "the port changes under traffic" port_changes
check "devices deleted and made under traffic" device_deleted
check "the module unloaded and loaded $NUM_RELOADS times under traffic" reload
traffic_stop
check "a moved device keeps its socket where it was made" moved_to_c
check "a device survives the namespace that made it" creator_gone

# The same pair again, in namespaces that end with their traffic.
ip_ns b link del wg0
ns_create d e
veth_link d e
addr_add d eth-e 192.0.2.1/24
addr_add e eth-d 192.0.2.2/24
for ns in d e; do
	if [[ $ns == d ]]; then from=a; else from=b; fi
	ip -n "$prefix-$ns" -batch "$tmp/$from.batch"
	wg_in "$ns" setconf wg0 "$tmp/$from.conf"
done
bg d ping -q -n -i 0.03 -s 4000 10.9.0.2
bg e ping -q -n -i 0.03 -s 4000 10.9.0.1
ping_ns d 10.9.0.2 >/dev/null
check "namespaces deleted under traffic" namespaces_deleted
if [[ $WGPP_MODULE == in-tree ]]; then
	skip "a name that is taken" "the in-tree module has no parameter kind"
else
	check "a name that is taken: the log says by whom and what to do" clash
fi
finish
