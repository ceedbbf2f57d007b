#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Long run
#
# Tunnels in tunnels, five deep, and routes that lead a tunnel's packets back into itself or
# into another one that leads back. A loop may waste what it is given, but it ends with its
# cause, the machine goes on working, and so does the tunnel afterwards.
#
#   a  eth-b 192.0.2.1  2001:db8::1  ---- veth ---- 192.0.2.2  2001:db8::2  eth-a  b
#      wg0   10.9.0.1   fd00:9::1    ==== over eth ====    10.9.0.2  fd00:9::2    wg0
#      wg1   10.9.1.1   fd00:9:1::1  ==== over wg0 ====    10.9.1.2  fd00:9:1::2  wg1
#      ...                                                                        ...
#      wg4   10.9.4.1   fd00:9:4::1  ==== over wg3 ====    10.9.4.2  fd00:9:4::2  wg4
#
# Odd levels use IPv6 outside, even ones IPv4. The link takes 1900 bytes, so each level can
# have an MTU that fits, or one that does not.

. "$(dirname "$0")/common.sh"

DEPTH=5

# level NUMBER: one more device at both ends, whose peer is reached through the one below.
level() {
	local n=$1 ns far last mtu=$((1900 - 80 * ($1 + 1))) outer
	for ns in a b; do
		if [[ $ns == a ]]; then far=b last=1; else far=a last=2; fi
		if [[ $n == 0 ]]; then
			outer=192.0.2.$((3 - last))
		elif ((n % 2)); then
			outer="[fd00:9:$((n - 1))::$((3 - last))]"
		else
			outer=10.9.$((n - 1)).$((3 - last))
		fi
		ns_dev[$ns]=wg$n
		wg_link "$ns" "10.9.$n.$last/24" "fd00:9:$n::$last/64"
		ip_ns "$ns" link set "wg$n" mtu "$mtu"
		wg_set "$ns" private-key "$tmp/$ns.key" listen-port $((5000 + n)) \
			peer "${pub[$far]}" endpoint "$outer:$((5000 + n))" \
			allowed-ips "10.9.$n.$((3 - last))/32,fd00:9:$n::$((3 - last))/128"
	done
}

# Handshakes of the outer levels come first, each by the first packet of the next one.
innermost() {
	local n=$((DEPTH - 1)) level
	ping_ns a "10.9.$n.2"
	ping_ns b "fd00:9:$n::1"
	ping_ns a "10.9.$n.2" -s 1400
	for ((level = 0; level < DEPTH; level++)); do
		ns_dev[a]=wg$level
		handshake_done a b
	done
}

transfer() {
	in_ns a python3 "$TRAFFIC" tcp "10.9.$((DEPTH - 1)).2" 7000 400000
	in_ns a python3 "$TRAFFIC" udp "fd00:9:$((DEPTH - 1))::2" 7000 32 1000
}

# Each level makes two fragments of a full packet of the next one.
fragments() {
	local n
	for ((n = 0; n < DEPTH; n++)); do
		ip_ns a link set "wg$n" mtu 1420
		ip_ns b link set "wg$n" mtu 1420
	done
	ip_ns a link set eth-b mtu 1500
	ip_ns b link set eth-a mtu 1500
	ping_ns a "10.9.$((DEPTH - 1)).2" -s 1390
	in_ns a python3 "$TRAFFIC" tcp "10.9.$((DEPTH - 1)).2" 7000 200000
}

# Echoes for a while, whose answers nobody expects. A loop keeps the processors busy, so
# what the machine does beside it gets time to do it, and no more than that.
through_the_loop() {
	local marker
	log_mark
	marker=$log_marker
	in_ns a ping -q -f -c 200 -w 2 -s 100 "$1" || true
	in_ns a ping -q -f -c 50 -w 1 -s 4000 "$1" || true
	# The machine responds: another namespace is made and used.
	ip netns add "$prefix-probe"
	ip -n "$prefix-probe" link set lo up
	ip netns exec "$prefix-probe" ping -n -q -c 3 -i 0.2 -W "$LIMIT" 127.0.0.1
	ip netns del "$prefix-probe"
	expect_between "lines in the kernel log" \
		"$(log_since "$marker" | grep -c -E '^<[0-5]>' || true)" 0 10
}

# quiet: neither of the two outer devices of a sends anything.
quiet() {
	local before after
	before=$(tx_packets a wg0 wg1)
	sleep 0.3
	after=$(tx_packets a wg0 wg1)
	[[ $before == "$after" ]]
}

# works_again LEVEL...: an initiation may have to wait for 5 s after the last one.
works_again() {
	local n
	for n in "$@"; do
		wait_until 60 in_ns a ping -n -c 1 -W 2 "10.9.$n.2"
		ping_ns b "10.9.$n.1"
		ping_ns a "fd00:9:$n::2"
	done
}

# The packets that wg0 makes for b are routed into wg0.
self_loop() {
	ns_dev[a]=wg0
	wg_set a peer "${pub[b]}" allowed-ips "10.9.0.2/32,fd00:9:0::2/128,192.0.2.2/32"
	ping_ns a 10.9.0.2
	in_ns a ip route add 192.0.2.2/32 dev wg0
	through_the_loop 10.9.0.2
	in_ns a ip route del 192.0.2.2/32 dev wg0
	wait_until "$LIMIT" quiet
	works_again 0
}

# Without a session it is the initiations that are led back.
self_loop_new() {
	in_ns a ip route add 192.0.2.2/32 dev wg0
	ip_ns a link set wg0 down
	ip_ns a link set wg0 up
	in_ns a ip route replace 192.0.2.2/32 dev wg0
	addr_add a wg0 fd00:9:0::1/64
	through_the_loop 10.9.0.2
	in_ns a ip route del 192.0.2.2/32 dev wg0
	wait_until "$LIMIT" quiet
	works_again 0
}

# wg0 goes through wg1, and wg1, whose peer is at an address of the link, through wg0.
mutual_loop() {
	ns_dev[a]=wg1
	wg_set a peer "${pub[b]}" endpoint 192.0.2.2:5001 \
		allowed-ips "10.9.1.2/32,fd00:9:1::2/128,192.0.2.0/24"
	addr_add b eth-a 192.0.2.3/24
	ns_dev[a]=wg0
	wg_set a peer "${pub[b]}" endpoint 192.0.2.3:5000 \
		allowed-ips "10.9.0.2/32,fd00:9:0::2/128,192.0.2.0/24"
	works_again 0 1
	in_ns a ip route add 192.0.2.3/32 dev wg1
	in_ns a ip route add 192.0.2.2/32 dev wg0
	through_the_loop 10.9.0.2
	through_the_loop 10.9.1.2
	in_ns a ip route del 192.0.2.3/32 dev wg1
	in_ns a ip route del 192.0.2.2/32 dev wg0
	wait_until "$LIMIT" quiet
	works_again 0 1
}

plan 6
require_tools ping
keygen a b
ns_create a b
veth_link a b
ip_ns a link set eth-b mtu 1900
ip_ns b link set eth-a mtu 1900
addr_add a eth-b 192.0.2.1/24 2001:db8::1/64
addr_add b eth-a 192.0.2.2/24 2001:db8::2/64
for ((n = 0; n < DEPTH; n++)); do
	level "$n"
done
serve b
check "echoes through $DEPTH nested tunnels, and each has its handshake" innermost
check "transfers through $DEPTH nested tunnels" transfer
check "nested tunnels whose packets do not fit" fragments
check "a tunnel led into itself" self_loop
check "a tunnel led into itself before its handshake" self_loop_new
check "two tunnels led into each other" mutual_loop
finish
