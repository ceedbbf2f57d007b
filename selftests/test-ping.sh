#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Echo requests over all four combinations of IPv4 and IPv6 inside and outside, with
# sizes around the MTU and sizes that need fragments inside and outside of the tunnel.
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

# The bytes that fill one inner packet of MTU size: less the IP and ICMP headers.
full_payload_len() {
	local link mtu
	link=$(ip_ns a link show dev "${ns_dev[a]}")
	mtu=${link#* mtu }
	mtu=${mtu%% *}
	case $1 in
	4) echo $((mtu - 28)) ;;
	6) echo $((mtu - 48)) ;;
	esac
}

# Nothing, and inner packets that need padding.
small_sizes() {
	local size
	for size in 0 15 1000; do
		ping_ns a "$1" -s "$size"
	done
}

# One packet of exactly the MTU passes whole; one byte more is refused by the stack.
mtu_edge() {
	local len
	len=$(full_payload_len "$1")
	ping_ns a "$2" -M "do" -s "$len"
	refuse ping_ns a "$2" -M "do" -s "$((len + 1))" -W 1
}

fragments() {
	ping_ns a "$1" -s 20000
}

outer_mtu() {
	ip_ns a link set eth-b mtu "$1"
	ip_ns b link set eth-a mtu "$1"
}

require_tools ping
plan 16
pair_create

for outer in 4 6; do
	pair_outer "$outer"
	for inner in 4 6; do
		address=$(inner_address "$inner")
		check "IPv$inner in IPv$outer: small echoes" small_sizes "$address"
		check "IPv$inner in IPv$outer: one packet of MTU size, not one more" \
			mtu_edge "$inner" "$address"
		check "IPv$inner in IPv$outer: inner fragments" fragments "$address"
	done
	# An outer link too small for a full message: the outer packet gets fragmented.
	outer_mtu 1280
	for inner in 4 6; do
		check "IPv$inner in IPv$outer: outer fragments" \
			ping_ns a "$(inner_address "$inner")" -s "$(full_payload_len "$inner")"
	done
	outer_mtu 1500
done
finish
