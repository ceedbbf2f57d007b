#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Random changes to four devices under traffic for SOAK_SECONDS (default 600): peers, keys,
# endpoints, ports, devices, namespaces and the module come and go, in part of the time while
# memory runs out. WGPP_SEED repeats the sequence of actions, VERBOSE=1 prints each. At the end
# the tunnels work, every byte verified. run.sh runs it by the name soak and looks at the kernel
# log and for leaks.
# Time limit: 14400 s
#
#                      hub  br0
#          ______________/  /  \  \______________
#         |            ____/    \____            |
#         0           1              2           3    eth0 192.0.2.1 to .4
#         wg0         wg0            wg0         wg0  10.9.0.1 to .4, each with a tunnel to each

. "$(dirname "$0")/common.sh"

SOAK_SECONDS=${SOAK_SECONDS:-600}
WGPP_SEED=${WGPP_SEED:-$((RANDOM << 15 | RANDOM))}

soak() {
	python3 "$SELFTESTS/soak.py" "$KIND" "$SOAK_SECONDS" "$WGPP_SEED" "$WGPP_MODULE" "$prefix" \
		>"$tmp/actions"
}

tunnels_work() {
	local node
	for node in 1 2 3; do
		wait_until 60 in_ns 0 ping -n -c 1 -W 2 "10.9.0.$((node + 1))"
		in_ns 0 python3 "$TRAFFIC" tcp "fd00:9::$((node + 1))" 7000 1000000
	done
}

plan 2
require_tools ping modprobe rmmod
# soak.py makes them; the traps of common.sh take them away.
for node in 0 1 2 3 hub; do namespaces+=("$prefix-$node"); done
diag "WGPP_SEED=$WGPP_SEED"
check "$SOAK_SECONDS seconds of random actions under traffic" soak
cat "$tmp/actions"
for node in 1 2 3; do serve "$node"; done
check "afterwards every tunnel carries a transfer" tunnels_work
finish
