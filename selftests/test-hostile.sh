#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Truncated, oversized, mistyped, random, bit-flipped, replayed and reflected messages,
# unknown receivers, garbage with a valid mac1, and authenticated packets with a false
# inner length: all dropped. No peer's counters, endpoint or handshake time change, the
# tunnel goes on working, and the kernel log stays empty.
#
#   a  eth-b 192.0.2.1  2001:db8::1 ---- veth ---- 192.0.2.2  2001:db8::2 eth-a  b
#      (capture and hostile sender)
#      wg0   10.9.0.1   fd00:9::1   === tunnel === 10.9.0.2   fd00:9::2   wg0

. "$(dirname "$0")/common.sh"

HOSTILE=$SELFTESTS/hostile.py

state() {
	wg_in a show "${ns_dev[a]}" dump
	wg_in b show "${ns_dev[b]}" dump
}

# The last data message of an exchange is answered by a keepalive 10 s later, and after
# that nobody has a reason to send.
quiet() {
	local before
	before=$(peer_field b a rx)
	ping_ns a 10.9.0.2
	wait_until 60 keepalive_came $((before + 128 + 32))
}

keepalive_came() {
	(($(peer_field b a rx) >= $1))
}

# Only the hostile packets since the marker may have left lines, and only at debug level.
# A busy host makes an emulated machine complain of its own slowness.
log_is_quiet() {
	refuse grep -E '^<([0-6]|[1-9][0-9]+)>' <(log_since "$1" |
		grep -Ev '^<[0-9]+>\[[ 0-9.]+\] (selftest-|hrtimer: interrupt took|clocksource: )')
}

# hostile_from NS HOST NAME: the catalogue from NS to the device NAME at HOST.
hostile_from() {
	local before errors num_sent
	before=$(state)
	errors=$(dev_stat "$4" rx_errors)
	num_sent=$(in_ns "$1" python3 "$HOSTILE" flood "$2" "$3" "${pub[$4]}" "$tmp/bg.a.out")
	expect_between "messages sent" "$num_sent" 300 4000
	# An echo on the same link is answered after the messages before it were received,
	# and the handshake worker takes a moment longer; a change would show in the end, too.
	in_ns "$1" ping -n -c 3 -i 0.2 -W "$LIMIT" "$2"
	expect_eq "state of both ends" "$(state)" "$before"
	# Each is counted, once; the in-tree module drops most without a trace.
	[[ $WGPP_MODULE == in-tree ]] ||
		wait_until "$LIMIT" stat_is "$4" rx_errors $((errors + num_sent))
}

tunnel_works() {
	local before after
	before=$(peer_field a b handshake)
	ping_ns a 10.9.0.2
	ping_ns b fd00:9::1
	after=$(peer_field a b handshake)
	expect_eq "handshake time" "$after" "$before"
}

# header4 TOTAL-LENGTH: IPv4 header from a to b, in hex, with a true checksum left out:
# the device looks at the version, the length and the source alone.
header4() {
	printf '4500%04x00000000401100000a0900010a090002' "$1"
}

header6() {
	printf '60000000%04x1140fd000009000000000000000000000001fd000009000000000000000000000002' "$1"
}

# length_errors HEX: sealed by a, opened by b, refused for its inner length.
length_errors() {
	local errors length
	errors=$(dev_stat b rx_errors)
	length=$(dev_stat b rx_length_errors)
	in_ns a python3 "$HOSTILE" raw "${ns_dev[a]}" "$1"
	wait_until "$LIMIT" stat_is b rx_errors $((errors + 1))
	expect_eq "rx_length_errors" "$(dev_stat b rx_length_errors)" $((length + 1))
}

stat_is() {
	[[ $(dev_stat "$1" "$2") == "$3" ]]
}

plan 10
require_tools ping
pair_create
pair_outer 4
bg a python3 "$HOSTILE" capture eth-b
wait_until "$LIMIT" grep -q ready "$tmp/bg.a.out"
ping_ns a 10.9.0.2 >/dev/null
ping_ns b fd00:9::1 >/dev/null
wait_until "$LIMIT" grep -q '^1 5001 ' "$tmp/bg.a.out"
wait_until "$LIMIT" grep -q '^2 5002 ' "$tmp/bg.a.out"
wait_until "$LIMIT" grep -q '^4 5002 ' "$tmp/bg.a.out"
# The catalogue is made of what was captured until now.
kill "$bg_pid"
log_mark
check "both ends become quiet" quiet
check "hostile messages over IPv4 change nothing and are counted" hostile_from a 192.0.2.2 5002 b
check "hostile messages over IPv6 change nothing and are counted" hostile_from a 2001:db8::2 5002 b
check "messages reflected to the other end change nothing and are counted" hostile_from b 192.0.2.1 5001 a
check "the kernel log has nothing above debug level" log_is_quiet "$log_marker"
check "the session still works" tunnel_works
check "inner IPv4 length beyond the packet: rx_length_errors" length_errors "$(header4 100)"
check "inner IPv4 length below its header: rx_length_errors" length_errors "$(header4 19)"
check "inner IPv6 length beyond the packet: rx_length_errors" length_errors "$(header6 100)"
check "the session still works after those" tunnel_works
finish
