#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Goodput of TCP over two tunnel ends in one kernel, for one module after the other; run as root in
# a machine that may be thrown away (scripts/goodput.sh boots one).
#
#	left  10.9.0.1  wg0 --- veth, 192.0.2.0/24 --- wg0  10.9.0.2  right
#
#	bench/goodput.sh MODULE...      a level of wgpp's cryptography, or in-tree for the kernel's own
#
# One line each: the module, and the bits that a second took from left to right, in Mbit/s.
# WGPP_MODULE is wgpp's .ko file, GOODPUT_BYTES how much is sent.
set -euo pipefail

bytes=${GOODPUT_BYTES:-20000000}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

on() {
	local ns=$1
	shift
	ip netns exec "$ns" "$@"
}

# end NS NUMBER: the half of the tunnel in one namespace
end() {
	local ns=$1 own=$2 far=$((3 - $2)) other=left
	[[ $ns == right ]] || other=right
	ip -n "$ns" link add wg0 type wireguard
	on "$ns" wg set wg0 private-key "$work/$ns.key" listen-port 5000 \
		peer "$(wg pubkey <"$work/$other.key")" endpoint "192.0.2.$far:5000" \
		allowed-ips "10.9.0.$far/32"
	ip -n "$ns" addr add "10.9.0.$own/24" dev wg0
	ip -n "$ns" link set wg0 up
}

measure() {
	local name=$1 module=wgpp server
	if [[ $name == in-tree ]]; then
		module=wireguard
		modprobe wireguard
	else
		modprobe -a udp_tunnel ip6_udp_tunnel
		insmod "$WGPP_MODULE" "crypto=$name"
	fi
	end left 1
	end right 2
	on left ping -q -c 1 -W 20 10.9.0.2 >/dev/null
	on right iperf3 -s -1 >"$work/server" 2>&1 &
	server=$!
	until on right ss -Hltn 'sport = 5201' | grep -q .; do sleep 0.2; done
	on left iperf3 -c 10.9.0.2 -n "$bytes" -J >"$work/report"
	wait "$server"
	python3 - "$name" "$work/report" <<-'REPORT'
		import json, sys
		with open(sys.argv[2]) as file:
		    received = json.load(file)["end"]["sum_received"]
		print(f"goodput {sys.argv[1]} {received['bits_per_second'] / 1e6:.1f}", flush=True)
	REPORT
	ip -n left link del wg0
	ip -n right link del wg0
	rmmod "$module"
}

for ns in left right; do
	ip netns add "$ns"
	ip -n "$ns" link set lo up
	(umask 077 && wg genkey >"$work/$ns.key")
done
ip link add outer netns left type veth peer name outer netns right
ip -n left addr add 192.0.2.1/24 dev outer
ip -n right addr add 192.0.2.2/24 dev outer
ip -n left link set outer up
ip -n right link set outer up
for name; do measure "$name"; done
