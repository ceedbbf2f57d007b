#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Takes 50 s, 1110 s with --debug
#
# A configured peer that has turned sends random and mutated messages of all four types and all
# sizes to b's port, from its own and from forged addresses, while a and b go on with a transfer
# of which every byte is verified. What must not come out of b's tunnel device does not, and
# memory is given back. FUZZ_PACKETS is the number of messages, WGPP_SEED repeats a run.
# Time limit: 1500 s
#
#   a  eth-b 192.0.2.1 ---- veth ---- 192.0.2.2 eth-a  b  eth-c 198.51.100.2  2001:db8:1::2
#      wg0   10.9.0.1  === tunnel === 10.9.0.2  wg0            |
#            fd00:9::1                fd00:9::2              veth
#                                                              |
#              fuzz-packets as peer 10.9.0.3  fd00:9::3  c  eth-b 198.51.100.3  2001:db8:1::3

. "$(dirname "$0")/common.sh"

FUZZ_PACKETS=${FUZZ_PACKETS:-20000}
FUZZER=$SELFTEST_TOOLS/fuzz-packets

same_objects() {
	[[ $(slab_objects) == "$(<"$tmp/objects")" ]]
}

mem_available_kib() {
	awk '$1 == "MemAvailable:" { print $2 }' /proc/meminfo
}

counters() {
	local name
	for name in rx_packets rx_errors rx_length_errors rx_crc_errors rx_frame_errors rx_dropped; do
		echo "$name $(dev_stat b "$name")"
	done
}

fuzz() {
	in_ns c "$FUZZER" send "$tmp/c.key" "${pub[b]}" 198.51.100.2 2001:db8:1::2 5002 \
		"$FUZZ_PACKETS" >"$tmp/sent"
}

# Sent were what is to be refused, and some that is not: valid handshakes, keepalives, allowed
# inner packets, and initiations that are answered by a cookie and counted nowhere.
refused() {
	local accepted answered refused
	accepted=$(($(value "$tmp/sent" keepalives) + $(value "$tmp/sent" data_allowed)))
	refused=$(($(value "$tmp/after" rx_errors) - $(value "$tmp/before" rx_errors) +
		$(value "$tmp/after" rx_dropped) - $(value "$tmp/before" rx_dropped)))
	answered=$(value "$tmp/sent" cookies_received)
	cat "$tmp/after"
	expect_between "refused" "$refused" $((FUZZ_PACKETS * 4 / 10 - answered)) $((FUZZ_PACKETS * 2))
	for name in rx_length_errors rx_crc_errors rx_frame_errors; do
		expect_between "$name" $(($(value "$tmp/after" "$name") - $(value "$tmp/before" "$name"))) 100 "$refused"
	done
	expect_between "sessions" "$(value "$tmp/sent" sessions)" 3 "$FUZZ_PACKETS"
	expect_between "accepted" "$accepted" 100 "$FUZZ_PACKETS"
}

nothing_forbidden_came_out() {
	kill "$observer_pid"
	wait_until "$LIMIT" grep -q missed "$tmp/bg.b.out"
	grep -E '^(seen|good|bad|repeated|alien|missed) ' "$tmp/bg.b.out" >"$tmp/seen"
	cat "$tmp/seen"
	expect_eq "forbidden packets" "$(value "$tmp/seen" bad)" 0
	expect_eq "packets seen twice" "$(value "$tmp/seen" repeated)" 0
	expect_eq "packets from other sources" "$(value "$tmp/seen" alien)" 0
	expect_between "allowed packets" "$(value "$tmp/seen" good)" 10 "$(value "$tmp/sent" numbered)"
}

memory_is_back() {
	# The rate limiter forgets a source after a second.
	wait_until 60 same_objects || { slab_objects; cat "$tmp/objects"; return 1; }
	expect_between "MemAvailable, KiB" "$(mem_available_kib)" $(($(<"$tmp/memory") - 65536)) 1000000000
}

tunnels_work() {
	ping_ns a 10.9.0.2
	ping_ns b fd00:9::1
	in_ns a python3 "$TRAFFIC" tcp fd00:9::2 7000 300000
	# Roamed to where the peer itself was last, and the real one to nowhere.
	expect_eq "endpoint of a" "$(peer_field b a endpoint)" 192.0.2.1:5001
}

plan 7
require_tools ping
[[ -x $FUZZER ]] || bail_out "$FUZZER is missing; run: make selftest-tools"
pair_create
pair_outer 4
keygen c
ns_create c
veth_link b c
addr_add b eth-c 198.51.100.2/24 2001:db8:1::2/64
addr_add c eth-b 198.51.100.3/24 2001:db8:1::3/64
wg_set b peer "${pub[c]}" allowed-ips 10.9.0.3/32,fd00:9::3/128 endpoint 198.51.100.3:9
ping_ns a 10.9.0.2 >/dev/null
serve b
bg b "$FUZZER" observe wg0
observer_pid=$bg_pid
# In the background b talks to the hostile peer, so that it starts handshakes of its own.
bg b ping -q -n -i 0.2 10.9.0.3
ping_pid=$bg_pid
wait_until "$LIMIT" grep -q ready "$tmp/bg.b.out"
counters >"$tmp/before"
slab_objects >"$tmp/objects"
mem_available_kib >"$tmp/memory"
# It has to go on, not to be fast.
TRANSFER_PAUSE_MS=400
transfers_start a 10.9.0.2 fd00:9::2
start=$SECONDS
check "$FUZZ_PACKETS hostile messages, and a valid one is answered after them" fuzz
seconds=$((SECONDS - start))
sed 's/^/# /' "$tmp/sent"
counters >"$tmp/after"
check "transfers alongside arrived unchanged" transfers_end
kill "$ping_pid"
check "each was refused that had to be, in $seconds s" refused
check "nothing forged, forbidden or repeated came out of the tunnel device" nothing_forbidden_came_out
check "the memory is given back" memory_is_back
check "the tunnel works" tunnels_work
wg_set b peer "${pub[c]}" remove
check "the tunnel works without the hostile peer" tunnels_work
finish
