#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Long run
#
# Everything goes through the tunnel, in the way of wg-quick: the tunnel's own packets carry a
# mark, what has no mark finds the tunnel's table, the main table serves what is more precise
# than a default route, and the reverse path filter is on. Under a flood of echoes, the mark
# changes and sends the tunnel over another link.
#
#   a                                          b
#   eth-b 192.0.2.1    ---- veth ----          192.0.2.2 eth-a    lo  198.51.100.2
#         2001:db8::1                          2001:db8::2            2001:db8:100::2
#   alt-b 192.0.3.1    ---- veth ----          192.0.3.2 alt-a    ("the Internet" behind it:)
#         2001:db8:3::1                        2001:db8:3::2      lo  203.0.113.1
#   wg0   10.9.0.1     ==== tunnel ====        10.9.0.2  wg0          2001:db8:113::1
#         fd00:9::1                            fd00:9::2
#   default: eth-b; marked 0xca6d: alt-b; without a mark: wg0

. "$(dirname "$0")/common.sh"

NUM_ECHOES=2000
# The last bit chooses the link.
MARK=0xca6c
MARK_ALT=0xca6d

# The routes and rules of a, and the filter that src_valid_mark needs.
full_tunnel() {
	local family
	for family in -4 -6; do
		ip_ns a "$family" route add default dev wg0 table 51820
		ip_ns a "$family" rule add priority 100 fwmark "$MARK_ALT" table 200
		ip_ns a "$family" rule add priority 200 not fwmark "$MARK/0xfffffffe" table 51820
		ip_ns a "$family" rule add priority 150 table main suppress_prefixlength 0
	done
	# Answers to marked packets get the mark before the filter looks for a way back.
	in_ns a nft -f - <<-RULES
		table inet keepmark {
			chain pre {
				type filter hook prerouting priority mangle;
				meta l4proto udp meta mark set ct mark
			}
			chain post {
				type filter hook postrouting priority mangle;
				meta l4proto udp meta mark & 0xfffffffe == $MARK ct mark set meta mark
			}
		}
	RULES
	# shellcheck disable=SC2016 # expanded by the inner shell
	in_ns a bash -c 'cd /proc/sys/net/ipv4/conf
		for name in all default eth-b alt-b wg0; do
			echo 1 >$name/rp_filter
			echo 1 >$name/src_valid_mark
		done'
}

mark_is() {
	expect_eq "fwmark" "$(wg_in a show wg0 fwmark)" "$1"
}

# flood HOST: all come back.
flood() {
	in_ns a ping -q -f -c "$NUM_ECHOES" -W "$LIMIT" "$1"
}

# everything INNER-ADDRESS OUTER-SOURCE: nothing goes past the tunnel.
everything() {
	local before rx alt message_len=128
	# 64 bytes of echo, the header below them, and padding to 16
	[[ $1 != *:* ]] || message_len=144
	before=$(tx_packets a wg0)
	rx=$(peer_field b a rx)
	alt=$(tx_packets a alt-b)
	flood "$1"
	expect_between "packets into the tunnel" $(($(tx_packets a wg0) - before)) \
		"$NUM_ECHOES" $((NUM_ECHOES + 50))
	expect_between "bytes out of it" $(($(peer_field b a rx) - rx)) \
		$((NUM_ECHOES * message_len)) $((NUM_ECHOES * message_len + 10000))
	expect_between "packets over the other link" $(($(tx_packets a alt-b) - alt)) 0 20
	endpoint_is "$2"
}

# More precise routes than the default one stay out of the tunnel.
local_network() {
	local before
	before=$(tx_packets a wg0)
	ping_ns a 192.0.2.2
	ping_ns a 2001:db8::2
	expect_between "packets into the tunnel" $(($(tx_packets a wg0) - before)) 0 2
}

endpoint_is() {
	local endpoint
	endpoint=$(peer_field b a endpoint)
	expect_eq "endpoint" "${endpoint%:*}" "$1"
}

came_from() {
	[[ $(peer_field b a endpoint) == "$1":* ]]
}

packets_beyond() {
	(($(tx_packets a "$1") > $2))
}

# mark_changes INNER-ADDRESS SOURCE SOURCE-OF-ALT: each change takes the next packet to the
# other link, and with it the source, which the far end follows; but an IPv6 source that an
# answer on its way has named again stays in use for as long as it is valid. Both ways stay
# open, so no echo is lost.
mark_changes() {
	local flood round before
	# Without a function in between, so that the signal below reaches it.
	nsenter --net="/run/netns/$prefix-a" -- \
		ping -q -i 0.005 -c 100000 -W "$LIMIT" "$1" >"$tmp/flood" &
	flood=$!
	for round in 1 2 3; do
		before=$(tx_packets a alt-b)
		wg_set a fwmark "$MARK_ALT"
		mark_is "$MARK_ALT"
		wait_until "$LIMIT" packets_beyond alt-b $((before + 100))
		[[ $3 == *:* ]] || wait_until "$LIMIT" came_from "$3"
		before=$(tx_packets a eth-b)
		wg_set a fwmark "$MARK"
		wait_until "$LIMIT" packets_beyond eth-b $((before + 100))
		wait_until "$LIMIT" came_from "$2"
	done
	# Prints its summary, after the answers to what is under way.
	kill -INT "$flood"
	wait "$flood"
	cat "$tmp/flood"
	awk '/packets transmitted/ { lost = $1 - $4 } END { exit !(NR && lost <= 1) }' "$tmp/flood"
}

# Without the mark, the tunnel's packets would have to go through the tunnel.
without_mark() {
	wg_set a fwmark 0
	no_ping_ns a "$1"
	wg_set a fwmark "$MARK"
	wait_until 60 in_ns a ping -n -c 1 -W 2 "$1"
}

outer() {
	wg_set a peer "${pub[b]}" endpoint "$1"
}

plan 8
require_tools ping nft
pair_create
ip link add alt-b netns "$prefix-a" type veth peer name alt-a netns "$prefix-b"
ip_ns a link set alt-b up
ip_ns b link set alt-a up
addr_add a alt-b 192.0.3.1/24 2001:db8:3::1/64
addr_add b alt-a 192.0.3.2/24 2001:db8:3::2/64
addr_add b lo 198.51.100.2/32 2001:db8:100::2/128 203.0.113.1/32 2001:db8:113::1/128
ip_ns a route add default via 192.0.2.2 dev eth-b
ip_ns a route add default via 192.0.3.2 dev alt-b table 200
ip_ns a -6 route add default via 2001:db8::2 dev eth-b
ip_ns a -6 route add default via 2001:db8:3::2 dev alt-b table 200
wg_set a fwmark "$MARK" peer "${pub[b]}" allowed-ips 0.0.0.0/0,::/0
full_tunnel
outer 198.51.100.2:5002
check "IPv4 outside: everything goes through the tunnel" everything 203.0.113.1 192.0.2.1
check "IPv4 outside: the mark changes under traffic" \
	mark_changes 203.0.113.1 192.0.2.1 192.0.3.1
check "more precise routes stay out of the tunnel" local_network
check "without the mark nothing goes through" without_mark 203.0.113.1
outer '[2001:db8:100::2]:5002'
check "IPv6 outside: everything goes through the tunnel" \
	everything 2001:db8:113::1 '[2001:db8::1]'
check "IPv6 outside: the mark changes under traffic" \
	mark_changes 2001:db8:113::1 '[2001:db8::1]' '[2001:db8:3::1]'
check "IPv6 inside IPv6: without the mark nothing goes through" without_mark 2001:db8:113::1
check "IPv4 inside IPv6 after all that" flood 203.0.113.1
finish
