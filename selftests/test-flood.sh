#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Long run
#
# A flood of initiations with a valid mac1 from forged sources. The hub stops to compute for
# them and answers with cookies; who can receive one gets through, tunnels that exist go on,
# memory stays bounded, and after the flood all is as before.
#
#   flood   eth-hub 192.0.2.1 ---- veth ---- 192.0.2.2 eth-flood   hub
#           (sends as 198.18.0.0/16)         wg0 10.9.0.1
#   old     eth-hub 192.0.3.1 ---- veth ---- 192.0.3.2 eth-old     (port 5001)
#           wg0 10.9.0.2, has a session
#   new     eth-hub 192.0.4.1 ---- veth ---- 192.0.4.2 eth-new
#           wg0 10.9.0.3, wants one
#
# The answers of hub to forged sources go to flood, which counts and drops them.

. "$(dirname "$0")/common.sh"

# spoke NS LINK: a link to the hub.
spoke() {
	veth_link "$1" hub
	addr_add "$1" eth-hub "192.0.$2.1/24"
	addr_add hub "eth-$1" "192.0.$2.2/24"
}

# tunnel NS LAST LINK: a device of NS and its peer at the hub, and the other way round.
tunnel() {
	wg_link "$1" "10.9.0.$2/24"
	wg_set "$1" private-key "$tmp/$1.key" listen-port 6001 peer "${pub[hub]}" \
		endpoint "192.0.$3.2:5001" allowed-ips 10.9.0.1/32
	wg_set hub peer "${pub[$1]}" allowed-ips "10.9.0.$2/32"
}

slab_kib() {
	awk '$1 == "Slab:" || $1 == "VmallocUsed:" { sum += $2 } END { print sum }' /proc/meminfo
}

cookies_come() {
	wait_until "$LIMIT" counted_beyond flood cookies 1000
	flooding
}

# Most of the forged initiations are answered by a cookie reply, none by a response.
forged_get_cookies_only() {
	expect_eq "responses to forged sources" "$(counted flood responses)" 0
}

# Its first initiation earns a cookie reply, and the next one, 5 s later, a response.
newcomer() {
	expect_eq "cookies" "$(counted new cookies)" 0
	wait_until 90 in_ns new ping -n -c 1 -W 1 10.9.0.1
	handshake_done new hub
	flooding
	counted_beyond new cookies 0
	counted_beyond new responses 0
}

tunnel_goes_on() {
	in_ns old python3 "$TRAFFIC" tcp 10.9.0.1 7000 300000
	in_ns old python3 "$TRAFFIC" udp 10.9.0.1 7000 100 1000
	flooding
}

# Thousands of sources, and the module remembers none of them.
memory_bounded() {
	local num_before slack=0
	num_before=$(counted flood cookies)
	wait_until "$LIMIT" counted_beyond flood cookies $((num_before + 5000))
	# A debugging kernel keeps what was freed for a while, up to a 32nd of its memory.
	[[ ! -e /sys/kernel/debug/kmemleak ]] || slack=$(awk '$1 == "MemTotal:" { print int($2 / 32) }' /proc/meminfo)
	expect_between "growth in KiB since before the flood" $(($(slab_kib) - slab_before)) \
		-100000 $((20000 + slack))
}

# Load is remembered for a second; then a newcomer gets its answer at once.
no_cookies_after() {
	local cookies responses at_flood
	wait_until "$LIMIT" calm
	cookies=$(counted new cookies)
	responses=$(counted new responses)
	at_flood=$(counted flood cookies)
	# A new device knows nothing of cookies it got before.
	ip_ns new link del wg0
	wg_set hub peer "${pub[new]}" remove
	tunnel new 3 4
	ping_ns new 10.9.0.1
	expect_eq "cookies to the newcomer" "$(counted new cookies)" "$cookies"
	expect_eq "responses to the newcomer" "$(counted new responses)" $((responses + 1))
	expect_eq "cookies to forged sources" "$(counted flood cookies)" "$at_flood"
}

# No cookie reply for longer than the second.
calm() {
	local before
	before=$(counted flood cookies)
	sleep 1.5
	[[ $(counted flood cookies) == "$before" ]]
}

plan 7
require_tools ping nft
keygen hub old new
ns_create hub flood old new
spoke flood 2
spoke old 3
spoke new 4
ip_ns hub route add "$FLOOD_NET" via 192.0.2.1
watch flood 5001
watch new 5001
wg_link hub 10.9.0.1/24
wg_set hub private-key "$tmp/hub.key" listen-port 5001
tunnel old 2 3
tunnel new 3 4
serve hub
ping_ns old 10.9.0.1 >/dev/null
slab_before=$(slab_kib)
flood_start flood 192.0.2.2 5001 "${pub[hub]}"
check "the hub comes under load and answers with cookies" cookies_come
check "a tunnel that exists goes on" tunnel_goes_on
check "a newcomer gets through by its cookie" newcomer
check "memory stays bounded" memory_bounded
check "forged sources get nothing but cookies" forged_get_cookies_only
flood_stop
check "no cookies after the flood" no_cookies_after
check "the tunnel that existed still works" ping_ns old 10.9.0.1
finish
