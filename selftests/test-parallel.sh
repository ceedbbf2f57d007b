#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Packets are sealed and opened on several CPUs at once and delivered in the order in which
# they were sent: numbered UDP flows arrive in order, and parallel TCP streams unchanged.
#
#   a  eth-b 192.0.2.1  2001:db8::1 ---- veth ---- 192.0.2.2  2001:db8::2 eth-a  b
#      wg0   10.9.0.1   fd00:9::1   === tunnel === 10.9.0.2   fd00:9::2   wg0

. "$(dirname "$0")/common.sh"

several_cpus() {
	expect_between "CPUs" "$(nproc)" 2 4096
}

# in_order ADDRESS-OF-B ADDRESS-OF-A PORT NUM-FLOWS COUNT SIZE: the receiver fails on the first
# number that is too low. Both directions carry flows at the same time.
in_order() {
	local receiver_b receiver_a sender
	: >"$tmp/order.a"
	: >"$tmp/order.b"
	in_ns b python3 "$TRAFFIC" order-recv "$3" "$4" "$5" >"$tmp/order.b" &
	receiver_b=$!
	in_ns a python3 "$TRAFFIC" order-recv "$3" "$4" "$5" >"$tmp/order.a" &
	receiver_a=$!
	wait_until "$LIMIT" grep -q ready "$tmp/order.a"
	wait_until "$LIMIT" grep -q ready "$tmp/order.b"
	in_ns b python3 "$TRAFFIC" order-send "$2" "$3" "$4" "$5" "$6" &
	sender=$!
	in_ns a python3 "$TRAFFIC" order-send "$1" "$3" "$4" "$5" "$6"
	wait "$sender"
	wait "$receiver_a"
	wait "$receiver_b"
	cat "$tmp/order.a" "$tmp/order.b"
}

parallel_tcp() {
	local pids=() pid address
	for address in 10.9.0.2 fd00:9::2 10.9.0.2 fd00:9::2; do
		in_ns a python3 "$TRAFFIC" tcp "$address" 7000 500000 &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid"
	done
}

plan 4
require_tools nproc
pair_create
pair_outer 4
ping_ns a 10.9.0.2 >/dev/null
ping_ns b fd00:9::1 >/dev/null
serve b
if [[ $(uname -v) == *SMP* ]]; then
	check "there are several CPUs" several_cpus
else
	skip "there are several CPUs" "this kernel knows one only (CONFIG_SMP is off)"
fi
check "4 flows of small datagrams each way arrive in order" \
	in_order 10.9.0.2 10.9.0.1 7001 4 400 100
check "2 flows of full datagrams each way arrive in order" \
	in_order fd00:9::2 fd00:9::1 7002 2 300 1372
check "4 TCP streams at once, SHA-256 verified" parallel_tcp
finish
