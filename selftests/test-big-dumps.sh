#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Long run
#
# Dumps of many messages: one peer with more AllowedIPs than any message has room for, and
# thousands of peers, come back whole and exact; a dump in whose middle something changes
# says so.
#
#   a  wg0, no link: nothing but netlink

. "$(dirname "$0")/common.sh"

NUM_IPS=130000
NUM_PEERS=4000

bulk() {
	in_ns a python3 -B "$SELFTESTS/bulk.py" "$KIND" "$@"
}

# Each message has room for less than 64 KiB.
allowedips() {
	local num_messages
	num_messages=$(bulk allowedips wg0 "$NUM_IPS")
	expect_between "messages" "$num_messages" $((NUM_IPS * 28 / 65536)) $((NUM_IPS / 10))
}

peers() {
	local num_messages
	num_messages=$(bulk peers wg0 "$NUM_PEERS")
	expect_between "messages" "$num_messages" 4 "$NUM_PEERS"
}

interrupted() {
	expect_eq "kinds of change" "$(bulk interrupted wg0 1000)" 5
}

toggle() {
	bulk toggle wg0 600 3
}

# The device goes while a dump stands in its middle: the reader gets an error or an end.
device_gone() {
	bulk toggle wg0 1000 60 >"$tmp/toggle" 2>&1 &
	wait_until "$LIMIT" has_peers
	ip_ns a link del wg0
	refuse wait "$!"
	cat "$tmp/toggle"
	refuse grep -q Traceback "$tmp/toggle"
}

has_peers() {
	(($(wg_in a show wg0 peers | wc -l) > 900))
}

plan 5
require_tools
keygen a
ns_create a
wg_link a
wg_set a private-key "$tmp/a.key" listen-port 5001
check "one peer with $NUM_IPS AllowedIPs is dumped exactly" allowedips
check "$NUM_PEERS peers are dumped exactly" peers
check "a change in the middle of a dump interrupts it" interrupted
check "a dump beside changes is interrupted or whole" toggle
check "the device goes during dumps" device_gone
finish
