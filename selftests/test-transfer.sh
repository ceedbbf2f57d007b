#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# TCP and UDP transfers with every byte verified, in both directions, over all four
# combinations of IPv4 and IPv6 inside and outside. TCP hands the tunnel GSO packets,
# which is asserted, since a path without them would test much less.
#
#   a  eth-b 192.0.2.1  2001:db8::1 ---- veth ---- 192.0.2.2  2001:db8::2 eth-a  b
#      wg0   10.9.0.1   fd00:9::1   === tunnel === 10.9.0.2   fd00:9::2   wg0

. "$(dirname "$0")/common.sh"

inner_address() {
	case $1 in
	4) echo 10.9.0.2 ;;
	6) echo fd00:9::2 ;;
	esac
}

tcp_transfer() {
	in_ns a python3 "$TRAFFIC" tcp "$1" 7000 1000000
}

# Odd sizes, the empty datagram, one of MTU size and one in many fragments.
udp_transfer() {
	in_ns a python3 "$TRAFFIC" udp "$1" 7000 64 1371
	in_ns a python3 "$TRAFFIC" udp "$1" 7000 8 20001
	in_ns a python3 "$TRAFFIC" udp "$1" 7000 1 0
}

iperf3_transfer() {
	in_ns a iperf3 -c "$1" -n 1M --connect-timeout 10000 "${@:2}" >"$tmp/iperf3.out" ||
		{ cat "$tmp/iperf3.out"; return 1; }
	grep receiver "$tmp/iperf3.out"
}

# The device has packets in one piece when it segments them itself, and otherwise as they were sent.
pieces_transfer() {
	in_ns a ethtool -K "${ns_dev[a]}" gso off
	in_ns a python3 "$TRAFFIC" pieces "$1" 7000 150000 "$2"
	in_ns a ethtool -K "${ns_dev[a]}" gso on
}

# A capture on the device sees a GSO packet as one packet larger than the MTU.
gso_seen() {
	kill "$capture_pid"
	wait_until "$LIMIT" refuse kill -0 "$capture_pid"
	grep -Eq 'length (1[5-9]|[2-9][0-9]|[0-9]{3})[0-9]{2}$' "$tmp/bg.a.out"
}

require_tools iperf3 tcpdump ethtool
plan 13
pair_create
pair_outer 4
ping_ns a 10.9.0.2 >/dev/null
serve b
bg a tcpdump -l -n -p -Q out -i "${ns_dev[a]}" tcp
capture_pid=$bg_pid
wait_until "$LIMIT" grep -q listening "$tmp/bg.a.out"

for outer in 4 6; do
	pair_outer "$outer"
	for inner in 4 6; do
		address=$(inner_address "$inner")
		check "IPv$inner in IPv$outer: TCP, SHA-256 verified" tcp_transfer "$address"
		check "IPv$inner in IPv$outer: UDP, every datagram verified" udp_transfer "$address"
	done
done
check "TCP handed the device GSO packets" gso_seen
check "packets in a few pieces" pieces_transfer 10.9.0.2 900
check "packets in a dozen pieces" pieces_transfer fd00:9::2 100

bg b iperf3 -s --forceflush
wait_until "$LIMIT" grep -q "Server listening" "$tmp/bg.b.out"
check "iperf3 with three streams" iperf3_transfer 10.9.0.2 -P 3
check "iperf3 in reverse" iperf3_transfer fd00:9::2 -R
finish
