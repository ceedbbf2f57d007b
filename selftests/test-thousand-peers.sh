#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Long run
#
# One hub with a thousand peers: each makes a handshake and carries data both ways, and then
# all are removed at once under traffic. Eight far devices are one peer after another.
#
#   hub  eth-far 192.0.2.1    ---- veth ----    192.0.2.2 eth-hub               far
#        wg0     10.9.0.1     ==== tunnels ===  wg1 ... wg8, port 6001 ... 6008
#                                               peer N has 10.8.0.0 + N
#
# All of 10.8.0.0/16 is local in far; the hub's address is behind each of its devices, so the
# answer to a peer's address is sent through the device that rules choose by it.

. "$(dirname "$0")/common.sh"

NUM_PEERS=1000
NUM_FAR=8

far_devices() {
	local n
	for ((n = 1; n <= NUM_FAR; n++)); do
		printf ' wg%d' "$n"
	done
}

bulk() {
	python3 -B "$SELFTESTS/bulk.py" "$KIND" "$@"
}

handshakes() {
	# shellcheck disable=SC2046 # a list of names
	expect_eq "handshakes" "$(bulk handshakes "/run/netns/$prefix-hub" "/run/netns/$prefix-far" \
		wg0 $(far_devices) "$NUM_PEERS")" "$NUM_PEERS"
}

# The last ones still have their session at the far end.
last_peers() {
	local n
	for ((n = NUM_PEERS - NUM_FAR; n < NUM_PEERS; n++)); do
		printf '10.8.%d.%d\n' $((n / 256)) $((n % 256))
	done
}

traffic() {
	local address
	traffic=()
	for address in $(last_peers); do
		bg hub ping -q -n -i 0.2 -s 1000 "$address"
		traffic+=("$bg_pid")
		bg far ping -q -n -i 0.2 -s 1000 -I "$address" 10.9.0.1
		traffic+=("$bg_pid")
	done
}

received() {
	wg_in hub show wg0 dump | awk -F '\t' 'NR > 1 { sum += $6 } END { print sum + 0 }'
}

received_beyond() {
	(($(received) > $1))
}

removed_under_traffic() {
	local before
	before=$(received)
	wait_until "$LIMIT" received_beyond $((before + 20000))
	in_ns hub python3 -B "$SELFTESTS/bulk.py" "$KIND" remove-all wg0
	expect_eq "lines of the dump" "$(wg_in hub show wg0 dump | wc -l)" 1
	# What still comes in finds no peer; nothing that goes out finds one.
	refuse in_ns hub ping -n -c 1 -W 1 "$(last_peers | sed -n 1p)"
	expect_eq "lines of the dump" "$(wg_in hub show wg0 dump | wc -l)" 1
}

# Another key means another peer for the far ends: they are asked for a new session.
works_again() {
	local first
	first=$(last_peers | sed -n 1p)
	wg_set hub peer "$(wg_in far show wg1 public-key)" endpoint 192.0.2.2:6001 \
		allowed-ips "$first/32"
	wait_until 60 in_ns hub ping -n -c 1 -W 2 "$first"
}

# Each object has its own cache in the module, which complains when it is not empty.
unloads() {
	kill "${traffic[@]}" 2>/dev/null || true
	ip_ns hub link del wg0
	for dev in $(far_devices); do
		ip_ns far link del "$dev"
	done
	wait_until "$LIMIT" module_unload
	module_load
}

plan 4
require_tools ping nft
keygen hub
ns_create hub far
veth_link hub far
addr_add hub eth-far 192.0.2.1/24
addr_add far eth-hub 192.0.2.2/24
wg_link hub 10.9.0.1/24
wg_set hub private-key "$tmp/hub.key" listen-port 5001
ip_ns hub route add 10.8.0.0/16 dev wg0
ip_ns far route add local 10.8.0.0/16 dev lo
for ((n = 1; n <= NUM_FAR; n++)); do
	ns_dev[far]=wg$n
	wg_link far
	wg_set far listen-port $((6000 + n)) peer "${pub[hub]}" endpoint 192.0.2.1:5001 \
		allowed-ips 10.9.0.1/32
	# Peer I uses device I modulo NUM_FAR, which the last bits of its address tell.
	in_ns far nft -f - <<-RULES
		add table ip way
		add chain ip way out { type route hook output priority mangle; }
		add rule ip way out ip saddr & 0.0.0.7 == 0.0.0.$((n - 1)) meta mark set $n
	RULES
	ip_ns far rule add fwmark "$n" table "$n"
	ip_ns far route add 10.9.0.1/32 dev "wg$n" table "$n"
done
ip_ns far route add 10.9.0.1/32 dev wg1
check "$NUM_PEERS peers make their handshakes and carry data" handshakes
traffic
check "all are removed at once under traffic" removed_under_traffic
check "a peer that comes back works" works_again
check "nothing is left when the module goes" unloads
finish
