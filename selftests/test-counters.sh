#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Byte counters are exact: whole messages count, with header, padding and tag, handshakes
# included, and a device counts the sum of its peers.
#
#   b  192.0.2.2     ---- veth ---- 192.0.2.1     a  198.51.100.1 ---- veth ---- 198.51.100.2  c
#      wg0 10.9.0.2  === tunnel === wg0 10.9.0.1     === tunnel === wg0 10.9.0.3

. "$(dirname "$0")/common.sh"

INITIATION_LEN=148
RESPONSE_LEN=92

# data_len INNER-LENGTH: its message: 16 of header, 16 of tag, padded to 16, which is not
# allowed to make the inner packet larger than the MTU of 1420.
data_len() {
	local padded=$((($1 + 15) / 16 * 16))
	((padded <= 1420)) || padded=1420
	echo $((32 + padded))
}

# A peer that received data and sent none back for 10 s sends a keepalive, which would be
# counted. Each measurement below starts with a fresh exchange and is void when it took
# longer than this; a machine that never manages it fails.
QUIET_S=8

# within_quiet FUNCTION ARGS...: runs it until it took less time than QUIET_S.
within_quiet() {
	local attempt start status
	for attempt in 1 2 3 4 5; do
		start=$SECONDS
		set +e
		(set -e && "$@")
		status=$?
		set -e
		((SECONDS - start >= QUIET_S)) || return "$status"
		echo "attempt $attempt took too long to be exact"
	done
	return 1
}

# counters NS PEER: sets rx and tx
counters() {
	local line
	line=$(wg_in "$1" show "${ns_dev[$1]}" dump | grep -F "${pub[$2]}")
	rx=$(cut -f 6 <<<"$line")
	tx=$(cut -f 7 <<<"$line")
}

device_counters() {
	rx=$(dev_stat "$1" rx_bytes)
	tx=$(dev_stat "$1" tx_bytes)
}

nothing_yet() {
	local rx tx
	counters a b
	expect_eq "bytes before any packet" "$rx $tx" "0 0"
	device_counters a
	expect_eq "device bytes before any packet" "$rx $tx" "0 0"
}

# The first echo: initiation and request one way, response and reply the other.
first_ping() {
	local rx tx data
	# Starts from nothing, on each attempt: the peer is new.
	wg_set a peer "${pub[c]}" remove
	wg_set a peer "${pub[c]}" endpoint 198.51.100.2:5003 allowed-ips 10.9.0.3/32
	wg_set c peer "${pub[a]}" remove
	wg_set c peer "${pub[a]}" endpoint 198.51.100.1:5001 allowed-ips 10.9.0.1/32
	data=$(data_len 84)
	ping_ns a 10.9.0.3 -s 56
	counters a c
	expect_eq "rx tx of the initiator" "$rx $tx" \
		"$((RESPONSE_LEN + data)) $((INITIATION_LEN + data))"
	counters c a
	expect_eq "rx tx of the responder" "$rx $tx" \
		"$((INITIATION_LEN + data)) $((RESPONSE_LEN + data))"
}

# ping_delta ADDRESS PAYLOAD INNER-LENGTH: both directions grow by that message.
ping_delta() {
	local rx tx rx_before tx_before len
	len=$(data_len "$3")
	ping_ns a "$1" -s 0
	counters a b
	rx_before=$rx tx_before=$tx
	ping_ns a "$1" -s "$2"
	counters a b
	expect_eq "growth for an inner packet of $3" \
		"$((rx - rx_before)) $((tx - tx_before))" "$len $len"
}

# The device counts what its peers count, with two peers and a refused packet in between.
device_sum() {
	local rx tx rx_sum=0 tx_sum=0 peer
	ping_ns a 10.9.0.2 -s 1000
	ping_ns a 10.9.0.3 -s 300
	for peer in b c; do
		counters a "$peer"
		rx_sum=$((rx_sum + rx)) tx_sum=$((tx_sum + tx))
	done
	device_counters a
	# first_ping removed a peer with counters: b's peer and the second c are what is left.
	expect_eq "device bytes less those of peers" \
		"$((rx - rx_sum)) $((tx - tx_sum))" "$(<"$tmp/removed")"
}

# What the device counted for peers that exist no longer.
removed_bytes() {
	local rx tx rx_peer tx_peer
	counters a c
	rx_peer=$rx tx_peer=$tx
	device_counters a
	echo "$((rx - rx_peer)) $((tx - tx_peer))"
}

plan 8
require_tools ping
keygen a b c
ns_create a b c
veth_link a b
veth_link a c
addr_add a eth-b 192.0.2.1/24
addr_add a eth-c 198.51.100.1/24
addr_add b eth-a 192.0.2.2/24
addr_add c eth-a 198.51.100.2/24
wg_link a 10.9.0.1/24 fd00:9::1/64
wg_link b 10.9.0.2/24 fd00:9::2/64
wg_link c 10.9.0.3/24
wg_set a private-key "$tmp/a.key" listen-port 5001 \
	peer "${pub[b]}" endpoint 192.0.2.2:5002 allowed-ips 10.9.0.2/32,fd00:9::2/128 \
	peer "${pub[c]}" endpoint 198.51.100.2:5003 allowed-ips 10.9.0.3/32
wg_set b private-key "$tmp/b.key" listen-port 5002 \
	peer "${pub[a]}" endpoint 192.0.2.1:5001 allowed-ips 10.9.0.1/32,fd00:9::1/128
wg_set c private-key "$tmp/c.key" listen-port 5003 \
	peer "${pub[a]}" endpoint 198.51.100.1:5001 allowed-ips 10.9.0.1/32

check "a new device has counted nothing" nothing_yet
check "the first echo counts the handshake and one data message each" within_quiet first_ping
removed_bytes >"$tmp/removed"
check "IPv4 echo of 84 bytes, padded" within_quiet ping_delta 10.9.0.2 56 84
check "IPv4 echo of 96 bytes, a whole number of blocks" within_quiet ping_delta 10.9.0.2 68 96
check "IPv6 echo of 1001 bytes" within_quiet ping_delta fd00:9::2 953 1001
check "an echo of MTU size is not padded beyond it" within_quiet ping_delta 10.9.0.2 1392 1420
check "IPv6 echo of one byte less than the MTU" within_quiet ping_delta fd00:9::2 1371 1419
check "the device counts the sum of its peers" within_quiet device_sum
finish
