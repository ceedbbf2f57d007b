#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Long run
# Takes 95 s
#
# A device is made in x, where its sockets stay, and moved to y; its peer is in z. The three
# namespaces are deleted in every order while packets flow. Each really goes, which is seen
# from w: the other end of a link into it goes with it. What survives can be handled.
#
#   x  eth-z 192.0.2.1     ---- veth ----    192.0.2.2 eth-x  z
#                                            wg0 10.9.0.2
#   y  wg0 10.9.0.1 (sockets in x)
#
#   w  to-x, to-y, to-z: one link into each

. "$(dirname "$0")/common.sh"

declare -A pids=()

# scene ENDPOINT: everything anew, with packets both ways. Few processes, since it is made often.
scene() {
	local ns
	keep_names
	ns_create x y z
	ip -batch - <<-COMMANDS
		link add to-x netns $prefix-w type veth peer name to-w netns $prefix-x
		link add to-y netns $prefix-w type veth peer name to-w netns $prefix-y
		link add to-z netns $prefix-w type veth peer name to-w netns $prefix-z
		link add eth-z netns $prefix-x type veth peer name eth-x netns $prefix-z
	COMMANDS
	ip -n "$prefix-x" -batch - <<-COMMANDS
		link set eth-z up
		addr add 192.0.2.1/24 dev eth-z
		addr add 2001:db8::1/64 dev eth-z nodad
		link add wg0 type $KIND
		link set wg0 netns $prefix-y
	COMMANDS
	ip -n "$prefix-y" -batch - <<-COMMANDS
		addr add 10.9.0.1/24 dev wg0
		link set wg0 up
	COMMANDS
	ip -n "$prefix-z" -batch - <<-COMMANDS
		link set eth-x up
		addr add 192.0.2.2/24 dev eth-x
		addr add 2001:db8::2/64 dev eth-x nodad
		link add wg0 type $KIND
		addr add 10.9.0.2/24 dev wg0
		link set wg0 up
	COMMANDS
	wg_set y private-key "$tmp/y.key" listen-port 5001 peer "${pub[z]}" \
		endpoint "$1" allowed-ips 10.9.0.2/32 persistent-keepalive 1
	wg_set z private-key "$tmp/z.key" listen-port 5002 peer "${pub[y]}" \
		allowed-ips 10.9.0.1/32 persistent-keepalive 1
	traffic_in y 10.9.0.2
	traffic_in z 10.9.0.1
	flows z y
	flows y z
}

# The list for cleanup does not grow with each scene.
keep_names() {
	namespaces=("$prefix-w" "$prefix-x" "$prefix-y" "$prefix-z")
}

# Not through bg: what ends with a namespace is not ended again.
traffic_in() {
	nsenter --net="/run/netns/$prefix-$1" -- ping -q -n -i 0.02 -s 1000 "$2" >/dev/null 2>&1 &
	pids[$1]=$!
	nsenter --net="/run/netns/$prefix-$1" -- ping -q -n -i 0.05 -s 4000 "$2" >/dev/null 2>&1 &
	pids[$1]+=" $!"
}

end_traffic() {
	# shellcheck disable=SC2086 # a list of numbers, or nothing
	[[ -z ${pids[$1]-} ]] || kill ${pids[$1]} 2>/dev/null || true
}

flows() {
	local before
	before=$(peer_field "$1" "$2" rx)
	wait_until "$LIMIT" rx_beyond "$1" "$2" $((before + 20000))
}

rx_beyond() {
	(($(peer_field "$1" "$2" rx) > $3))
}

# delete NS: a namespace lives as long as a process is in it, so those end first; what the
# other namespaces send goes on.
delete() {
	end_traffic "$1"
	ip netns del "$prefix-$1"
	wait_until "$LIMIT" gone "$1"
}

gone() {
	refuse ip_ns w link show "to-$1"
}

exists() {
	[[ -e /run/netns/$prefix-$1 ]]
}

# What holds in y after x went.
orphan() {
	local error
	wait_until "$LIMIT" no_carrier
	refuse in_ns y ping -n -c 1 -W 1 10.9.0.2
	# Configuration can be read and written, but there is no place for a socket.
	wg_set y peer "${pub[z]}" persistent-keepalive 2
	expect_eq "keepalive" "$(peer_field y z keepalive)" 2
	ip_ns y link set wg0 down
	error=$(refuse ip_ns y link set wg0 up 2>&1)
	expect_eq "error" "$error" "RTNETLINK answers: Machine is not on the network"
}

no_carrier() {
	grep -q NO-CARRIER <<<"$(ip_ns y link show wg0)"
}

# order ENDPOINT NS...: deletes them one after another. Before y goes as the last one, its
# orphaned device is deleted by itself.
order() {
	local ns endpoint=$1
	shift
	scene "$endpoint"
	for ns in "$@"; do
		if [[ $ns == y ]] && ! exists x && ! exists z; then
			ip_ns y link del wg0
			refuse ip_ns y link show wg0
		fi
		delete "$ns"
		if [[ $ns == x ]] && exists y; then
			orphan
		elif [[ $ns == y ]] && exists x; then
			# The sockets went with their device.
			expect_eq "UDP sockets in x" "$(in_ns x cat /proc/net/udp | wc -l)" 1
		elif [[ $ns == z ]] && exists y && exists x; then
			refuse in_ns y ping -n -c 1 -W 1 10.9.0.2
			expect_eq "peers in y" "$(wg_in y show wg0 peers)" "${pub[z]}"
		fi
	done
	wait
}

# All at once, without a look in between.
all_at_once() {
	local ns
	scene 192.0.2.2:5002
	for ns in y z x; do
		end_traffic "$ns"
	done
	for ns in "$@"; do
		ip netns del "$prefix-$ns"
	done
	for ns in x y z; do
		wait_until "$LIMIT" gone "$ns"
	done
	wait
}

# After all that, nobody holds a device or a namespace: the module can go and come back.
reloads() {
	wait_until "$LIMIT" module_unload
	module_load
}

plan 8
require_tools ping
keygen y z
ns_create w
check "deleted: creator, device, peer" order 192.0.2.2:5002 x y z
check "deleted: creator, peer, device" order '[2001:db8::2]:5002' x z y
check "deleted: device, creator, peer" order '[2001:db8::2]:5002' y x z
check "deleted: device, peer, creator" order 192.0.2.2:5002 y z x
check "deleted: peer, creator, device" order 192.0.2.2:5002 z x y
check "deleted: peer, device, creator" order '[2001:db8::2]:5002' z y x
check "deleted at once" all_at_once x y z
check "the module can go" reloads
finish
