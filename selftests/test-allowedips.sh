#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# AllowedIPs choose the peer on the way out, by the longest prefix, and are the only source
# addresses accepted on the way in.
#
#   b  192.0.2.2     ---- veth ---- 192.0.2.1     a  198.51.100.1 ---- veth ---- 198.51.100.2  c
#      wg0 10.9.0.2  === tunnel === wg0 10.9.0.1     === tunnel === wg0 10.9.0.3
#          fd00:9::2                    fd00:9::1                       fd00:9::3
#
# b and c both own 10.20.1.1 and fd00:20:1::1, so the counters tell whom a asked. d is a
# peer of a that has no endpoint.

. "$(dirname "$0")/common.sh"

B_IPS=10.9.0.2/32,fd00:9::2/128
C_IPS=10.9.0.3/32,fd00:9::3/128

# answered_by PEER ADDRESS: the echo goes to PEER and to nobody else.
answered_by() {
	local other=b before_peer before_other
	[[ $1 == c ]] || other=c
	before_peer=$(peer_field a "$1" rx)
	before_other=$(peer_field a "$other" rx)
	# Data of at least this size: a keepalive of the other peer is no answer.
	ping_ns a "$2" -s 1000
	(($(peer_field a "$1" rx) - before_peer > 1000))
	(($(peer_field a "$other" rx) - before_other < 500))
}

# spoofed ADDRESS FROM: a counts one error, as a frame error, and does not answer.
spoofed() {
	local errors frame
	errors=$(dev_stat a rx_errors)
	frame=$(dev_stat a rx_frame_errors)
	no_ping_ns b "$1" -I "$2"
	expect_eq "rx_errors" "$(dev_stat a rx_errors)" $((errors + 1))
	expect_eq "rx_frame_errors" "$(dev_stat a rx_frame_errors)" $((frame + 1))
	# The session is unharmed.
	ping_ns b "$1"
}

longest_prefix() {
	wg_set a peer "${pub[b]}" allowed-ips "$B_IPS,10.20.0.0/16,fd00:20::/32" \
		peer "${pub[c]}" allowed-ips "$C_IPS,10.20.1.0/24,fd00:20:1::/48"
	answered_by c 10.20.1.1
	answered_by c fd00:20:1::1
	answered_by b 10.20.2.1
	answered_by b fd00:20:2::1
}

# A prefix has one owner: giving it to b takes it from c.
prefix_moves() {
	wg_set a peer "${pub[b]}" allowed-ips "$B_IPS,10.20.0.0/16,fd00:20::/32,10.20.1.0/24,fd00:20:1::/48"
	expect_eq "AllowedIPs of c" "$(peer_field a c allowed-ips | tr ',' '\n' | sort)" \
		"$(tr ',' '\n' <<<"$C_IPS" | sort)"
	answered_by b 10.20.1.1
	answered_by b fd00:20:1::1
}

# Without the longer prefix, the shorter one applies; c's own is not covered by it.
prefix_removed() {
	wg_set a peer "${pub[b]}" allowed-ips "$B_IPS" \
		peer "${pub[c]}" allowed-ips "$C_IPS,10.20.0.0/16,fd00:20::/32"
	answered_by c 10.20.1.1
	answered_by c fd00:20:1::1
	answered_by b 10.9.0.2
}

host_bits() {
	wg_set a peer "${pub[b]}" allowed-ips "$B_IPS,10.30.3.4/16,fd00:30::5/32"
	expect_eq "AllowedIPs of b" "$(peer_field a b allowed-ips | tr ',' '\n' | sort)" \
		"$(tr ',' '\n' <<<"$B_IPS,10.30.0.0/16,fd00:30::/32" | sort)"
}

# everything_else: the prefix of length 0 takes what no other one wants.
everything_else() {
	wg_set a peer "${pub[b]}" allowed-ips "$B_IPS" \
		peer "${pub[c]}" allowed-ips "$C_IPS,0.0.0.0/0,::/0"
	answered_by c 10.20.1.1
	answered_by c fd00:20:1::1
	answered_by b 10.9.0.2
	answered_by b fd00:9::2
}

# refused ADDRESS ERROR-TEXT: the sender gets the error, and an ICMP message says why.
refused() {
	local errors text
	errors=$(dev_stat a tx_errors)
	text=$(in_ns a ping -n -c 1 -W 1 "$1" 2>&1) && return 1
	echo "$text"
	grep -q "sendmsg: $2" <<<"$text"
	grep -Eq 'Destination Host Unreachable|Destination unreachable: Address unreachable' <<<"$text"
	expect_eq "tx_errors" "$(dev_stat a tx_errors)" $((errors + 1))
}

no_peer() {
	wg_set a peer "${pub[c]}" allowed-ips "$C_IPS"
	refused "$1" "Required key not available"
}

no_endpoint() {
	wg_set a peer "${pub[d]}" allowed-ips 10.20.0.0/16,fd00:20::/32
	refused "$1" "Destination address required"
}

plan 12
require_tools ping
keygen a b c d
ns_create a b c
veth_link a b
veth_link a c
addr_add a eth-b 192.0.2.1/24
addr_add a eth-c 198.51.100.1/24
addr_add b eth-a 192.0.2.2/24
addr_add c eth-a 198.51.100.2/24
wg_link a 10.9.0.1/24 fd00:9::1/64
wg_link b 10.9.0.2/24 fd00:9::2/64 10.20.1.1/32 10.20.2.1/32 fd00:20:1::1/128 fd00:20:2::1/128 \
	10.99.0.1/32 fd00:99::1/128
wg_link c 10.9.0.3/24 fd00:9::3/64 10.20.1.1/32 fd00:20:1::1/128
ip_ns a route add 10.20.0.0/16 dev wg0
ip_ns a route add fd00:20::/32 dev wg0
wg_set a private-key "$tmp/a.key" listen-port 5001 \
	peer "${pub[b]}" endpoint 192.0.2.2:5002 allowed-ips "$B_IPS" \
	peer "${pub[c]}" endpoint 198.51.100.2:5003 allowed-ips "$C_IPS"
wg_set b private-key "$tmp/b.key" listen-port 5002 \
	peer "${pub[a]}" endpoint 192.0.2.1:5001 allowed-ips 10.9.0.1/32,fd00:9::1/128
wg_set c private-key "$tmp/c.key" listen-port 5003 \
	peer "${pub[a]}" endpoint 198.51.100.1:5001 allowed-ips 10.9.0.1/32,fd00:9::1/128
ping_ns a 10.9.0.2 >/dev/null
ping_ns a 10.9.0.3 >/dev/null

check "a false IPv4 source is dropped and counted" spoofed 10.9.0.1 10.99.0.1
check "a false IPv6 source is dropped and counted" spoofed fd00:9::1 fd00:99::1
check "the longest prefix chooses the peer" longest_prefix
check "a prefix given to another peer moves" prefix_moves
check "a removed prefix falls back to the shorter one" prefix_removed
check "host bits are masked" host_bits
check "prefixes of length 0 take the rest" everything_else
check "IPv4 without a peer: ENOKEY and ICMP" no_peer 10.20.1.1
check "IPv6 without a peer: ENOKEY and ICMPv6" no_peer fd00:20:1::1
check "IPv4 without an endpoint: EDESTADDRREQ and ICMP" no_endpoint 10.20.1.1
check "IPv6 without an endpoint: EDESTADDRREQ and ICMPv6" no_endpoint fd00:20:1::1
check "the other peers still work" ping_ns a fd00:9::3
finish
