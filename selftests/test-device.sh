#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The network device itself: what ip and ethtool say of it, what up and down do, what it
# refuses, how many packets wait for a session, and what it is without its namespace.
#
#   x (ends)     a  eth-b 192.0.2.1  ---- veth ---- 192.0.2.2  eth-a  b
#   -> wg8          wg0   10.9.0.1   === tunnel === 10.9.0.2   wg0
#                         fd00:9::1                 fd00:9::2
#                   port  5001                      port  5002

. "$(dirname "$0")/common.sh"

WIRE=$SELFTESTS/wire.py
# More than this wait only until the next one comes.
STAGED_MAX=128
NUM_STAGED=300

link_facts() {
	local link
	link=$(ip_ns a -d link show dev wg0)
	echo "$link"
	grep -q '<POINTOPOINT,NOARP,UP,LOWER_UP>' <<<"$link"
	grep -q ' link/none ' <<<"$link"
	grep -q ' mtu 1420 qdisc noqueue ' <<<"$link"
	grep -q ' addrgenmode none ' <<<"$link"
	# No link-local address, which nobody could answer for.
	refuse grep -q fe80 <(ip_ns a addr show dev wg0)
}

no_redirects() {
	local conf
	for conf in all wg0; do
		expect_eq "send_redirects of $conf" \
			"$(in_ns a cat "/proc/sys/net/ipv4/conf/$conf/send_redirects")" 0
	done
}

features() {
	local name
	in_ns a ethtool -k wg0 >"$tmp/features"
	for name in rx-checksumming tx-checksum-ip-generic scatter-gather tx-scatter-gather \
		generic-segmentation-offload tx-tcp-segmentation tx-tcp6-segmentation highdma; do
		grep -Eq "^[[:space:]]*$name: on" "$tmp/features" || {
			grep "$name" "$tmp/features"
			return 1
		}
	done
}

# Segments of more than 64 KiB are for IPv6 TCP; all of it is verified at the far end.
big_tcp() {
	grep -q ' tso_max_size 524280 ' <<<"$(ip_ns a -d link show dev wg0)"
	ip_ns a link set wg0 gso_max_size 200000 gro_max_size 200000
	in_ns a python3 "$TRAFFIC" tcp fd00:9::2 7000 3000000
	ip_ns a link set wg0 gso_max_size 65536 gro_max_size 65536
}

mtu_bounds() {
	ip_ns a link add wg9 type "$KIND"
	ip_ns a link set wg9 mtu 2147483552
	refuse ip_ns a link set wg9 mtu 2147483553
	ip_ns a link set wg9 mtu 0
	ip_ns a link del wg9
}

# port_state OPEN: both families of a's port
port_state() {
	local family
	for family in 4 6; do
		expect_eq "sockets of IPv$family" \
			"$(in_ns a ss -H -n -u -l "-$family" 'sport = :5001' | wc -l)" "$1"
	done
}

port_follows_state() {
	port_state 1
	ip_ns a link set wg0 down
	port_state 0
	expect_eq "port" "$(wg_in a show wg0 listen-port)" 5001
	ip_ns a link set wg0 up
	port_state 1
}

# A session does not survive: the next packet needs an initiation, and gets it at once.
down_wipes_keys() {
	local tx
	ping_ns a 10.9.0.2 -s 56
	ip_ns a link set wg0 down
	ip_ns a link set wg0 up
	tx=$(peer_field a b tx)
	ping_ns a 10.9.0.2 -s 56
	expect_eq "sent after down and up" $(($(peer_field a b tx) - tx)) $((148 + 128))
}

rx_beyond() {
	(($(peer_field "$1" "$2" rx) > $3))
}

# Nothing but the interval itself makes a send.
up_sends_keepalives() {
	local rx
	ip_ns a link set wg0 down
	wg_set a peer "${pub[b]}" persistent-keepalive 3600
	rx=$(peer_field b a rx)
	ip_ns a link set wg0 up
	# Initiation and keepalive
	wait_until "$LIMIT" rx_beyond b a $((rx + 148 + 31))
	wg_set a peer "${pub[b]}" persistent-keepalive 0
}

# not_ip PROTOCOL HEX
not_ip() {
	local errors
	errors=$(dev_stat a tx_errors)
	expect_eq "error" "$(in_ns a python3 "$WIRE" inject wg0 "$1" "$2")" EPROTONOSUPPORT
	expect_eq "tx_errors" "$(dev_stat a tx_errors)" $((errors + 1))
}

others_than_ip() {
	# ARP; IPv6 that says it is IPv4, and the other way round; a header cut short
	not_ip 0806 00010800060400010000000000000a0900010000000000000a090002
	not_ip 0800 6000000000001140fd000009000000000000000000000001fd000009000000000000000000000002
	not_ip 86dd 4500001c00000000401100000a0900010a090002000700070008000000000000000000000000000000
	not_ip 0800 4500001c
	ping_ns a 10.9.0.2
}

stat_is() {
	[[ $(dev_stat "$1" "$2") == "$3" ]]
}

received_all() {
	(($(grep -vc ready "$tmp/numbers" || true) >= STAGED_MAX + 1))
}

# Nobody answers at first. The newest packets are kept, and leave in order after all.
staged_limit() {
	local dropped
	wg_set a peer "${pub[b]}" endpoint 192.0.2.2:5099
	ip_ns a link set wg0 down
	ip_ns a link set wg0 up
	dropped=$(dev_stat a tx_dropped)
	in_ns a python3 "$WIRE" number 10.9.0.2 7003 "$NUM_STAGED"
	wait_until "$LIMIT" stat_is a tx_dropped $((dropped + NUM_STAGED - STAGED_MAX - 1))
	wg_set a peer "${pub[b]}" endpoint 192.0.2.2:5002
	wait_until 60 received_all
	expect_eq "numbers received" "$(awk '$1 != "ready" { print $3 }' "$tmp/numbers" | tr '\n' ' ')" \
		"$(seq -s ' ' $((NUM_STAGED - STAGED_MAX - 1)) $((NUM_STAGED - 1))) "
	expect_eq "tx_dropped" "$(dev_stat a tx_dropped)" $((dropped + NUM_STAGED - STAGED_MAX - 1))
}

# What waits for a session is dropped, and counted, when the device goes down.
down_drops_staged() {
	local dropped
	wg_set a peer "${pub[b]}" endpoint 192.0.2.2:5099
	ip_ns a link set wg0 down
	ip_ns a link set wg0 up
	dropped=$(dev_stat a tx_dropped)
	in_ns a python3 "$WIRE" number 10.9.0.2 7003 10
	ip_ns a link set wg0 down
	expect_eq "tx_dropped" "$(dev_stat a tx_dropped)" $((dropped + 10))
	wg_set a peer "${pub[b]}" endpoint 192.0.2.2:5002
	ip_ns a link set wg0 up
}

# The sockets are where link-netns says.
link_netns() {
	ip_ns a link add wg7 link-netns "$prefix-b" type "$KIND"
	wg_in a set wg7 listen-port 5077
	ip_ns a link set wg7 up
	expect_eq "sockets in a" "$(in_ns a ss -H -n -u -l 'sport = :5077' | wc -l)" 0
	expect_eq "sockets in b" "$(in_ns b ss -H -n -u -l 'sport = :5077' | wc -l)" 2
	ip_ns a link del wg7
	expect_eq "sockets left in b" "$(in_ns b ss -H -n -u -l 'sport = :5077' | wc -l)" 0
}

no_carrier() {
	grep -q NO-CARRIER <<<"$(ip_ns a link show dev wg8)"
}

# Without the namespace of its sockets a device cannot be brought up again.
namespace_gone() {
	local text
	ip_ns x link add wg8 type "$KIND"
	ip_ns x link set wg8 netns "$prefix-a"
	ip_ns a link set wg8 up
	refuse no_carrier
	ns_delete x
	wait_until "$LIMIT" no_carrier
	ip_ns a link set wg8 down
	text=$(ip_ns a link set wg8 up 2>&1) && return 1
	echo "$text"
	grep -q 'Machine is not on the network' <<<"$text"
	# Port and fwmark belong to that namespace; the rest can still be configured.
	refuse wg_in a set wg8 listen-port 5088
	refuse wg_in a set wg8 fwmark 5
	wg_in a set wg8 private-key "$tmp/b.key"
	ip_ns a link del wg8
}

plan 14
require_tools ping ethtool ss
ns_create x
pair_create
pair_outer 4
in_ns a bash -c 'echo 1 >/proc/sys/net/ipv4/conf/all/send_redirects'
ip_ns a link set wg0 down
ip_ns a link set wg0 up
addr_add a wg0 fd00:9::1/64
serve b
in_ns b python3 "$WIRE" receive 7003 >"$tmp/numbers" 2>&1 </dev/null &
background+=("$!")
wait_until "$LIMIT" grep -q ready "$tmp/numbers"
ping_ns a 10.9.0.2 >/dev/null
check "a point-to-point link without queue, addresses and neighbours" link_facts
check "up turns ICMP redirects off" no_redirects
check "checksums, scatter-gather and segmentation are left to it" features
check "segments of more than 64 KiB" big_tcp
check "MTU from 0 to 2147483552" mtu_bounds
check "the port is open while the device is up" port_follows_state
check "down wipes the session, and up makes a new one at once" down_wipes_keys
check "up sends persistent keepalives at once" up_sends_keepalives
check "what is not IP: EPROTONOSUPPORT and tx_errors" others_than_ip
check "of $NUM_STAGED packets the last $((STAGED_MAX + 1)) wait for a session, in order" staged_limit
check "down drops what waits" down_drops_staged
check "ping after all that" ping_ns a 10.9.0.2
check "link-netns has the sockets" link_netns
check "without its namespace: no carrier, and ENONET" namespace_gone
finish
