#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Long run
# Takes 140 s
#
# Memory runs out. Every allocation of creating, configuring, dumping, filling and
# deleting a device fails once, and every one of sending and of loading the module; then those
# of the module's own code fail at random in softirq and workers while traffic flows. Each is
# survived, the tunnel works afterwards, and objects are as many as before. It needs a kernel
# with fault injection.
# Time limit: 900 s
#
#   a  eth-b 192.0.2.1 ---- veth ---- 192.0.2.2 eth-a  b
#      wg0   10.9.0.1  === tunnel === 10.9.0.2  wg0
#      fault0 comes and goes

. "$(dirname "$0")/common.sh"

FAULTS=$SELFTEST_TOOLS/faults
DEBUG=/sys/kernel/debug
SLAB=$DEBUG/failslab
PAGES=$DEBUG/fail_page_alloc
# Enough never to be used up; how many are left tells how many were injected.
MANY=100000000

if [[ ! -w /proc/self/fail-nth || ! -d $SLAB || ! -d $PAGES ]]; then
	plan 1
	skip "allocations that fail" "this kernel has no fault injection (CONFIG_FAILSLAB, CONFIG_FAIL_PAGE_ALLOC)"
	finish
fi

# fault_set NAME VALUE: for both kinds of allocation.
fault_set() {
	local dir
	for dir in "$SLAB" "$PAGES"; do
		echo "$2" >"$dir/$1"
	done
}

# Also allocations that may sleep fail, and none is logged.
faults_prepare() {
	fault_set probability 0
	fault_set verbose 0
	fault_set interval 1
	fault_set times $MANY
	fault_set space 0
	fault_set task-filter N
	fault_set ignore-gfp-wait N
	echo N >"$PAGES/ignore-gfp-highmem"
	echo 0 >"$PAGES/min-order"
	faults_anywhere
}

faults_anywhere() {
	fault_set require-start 0
	fault_set require-end $((0x7fffffffffffffff))
}

# Only where a function of the module is among the callers. The module lies somewhere else after
# each load.
faults_in_module() {
	local start size
	start=$(($(<"/sys/module/$(module_name)/sections/.text")))
	size=$(<"/sys/module/$(module_name)/coresize")
	fault_set stacktrace-depth 32
	fault_set require-start "$start"
	fault_set require-end $((start + size))
}

faults_stop() {
	fault_set probability 0
	faults_anywhere
}

num_injected() {
	echo $((2 * MANY - $(<"$SLAB/times") - $(<"$PAGES/times")))
}

# swept NAMESPACE COMMAND...: the sweep ends, with a failure for every operation.
swept() {
	local ns=$1
	shift
	in_ns "$ns" "$FAULTS" "$@" >"$tmp/sweep"
	sweep_noted
}

# sweep_noted: what the last sweep injected, for the end of the test.
sweep_noted() {
	local operation num refused
	while read -r operation num refused; do
		note "$operation: $num faults injected, $refused times refused"
	done <"$tmp/sweep"
}

# Which lines of the last sweep have no fault at all; for what has to allocate.
all_failed_once() {
	# shellcheck disable=SC2016 # fields of awk
	refuse awk '$2 == 0 { print; found = 1 } END { exit !found }' "$tmp/sweep"
}

sweep_config() {
	swept a config "$KIND" "$tmp/extra.key" "${pub[b]}" 192.0.2.2 5002
	# The others may find all memory they need at hand.
	# shellcheck disable=SC2016 # fields of awk
	refuse awk '/^(create|create_and_move|add_peers|up|port|replace_peers|dump) / && $2 == 0 {
		print; found = 1 } END { exit !found }' "$tmp/sweep"
}

sweep_send() {
	swept a send 10.9.0.2 fd00:9::2
	all_failed_once
}

sweep_load() {
	local file=$WGPP_MODULE status=0
	module_unload
	# The kernel tells of some of them with a trace, when it reads the file for example.
	echo "<6>selftest: memory runs out on purpose" >/dev/kmsg
	in_ns a "$FAULTS" load "$file" >"$tmp/sweep" || status=$?
	# Also when it failed: what the kernel logs from here on counts again.
	echo "<6>selftest: memory is back" >/dev/kmsg
	expect_eq "status of the sweep" "$status" 0
	sweep_noted
	refuse module_loaded
	module_load
	all_failed_once
}

# One round of all that may fail in softirq and in workers: data both ways, whole and in
# fragments, new sessions in both roles, cookies set aside. Losing packets is no failure here.
traffic_round() {
	local pids=()
	in_ns a timeout 10 ping -q -n -i 0.002 -c 300 -W 1 10.9.0.2 &
	pids+=($!)
	in_ns b timeout 10 ping -q -n -i 0.002 -c 200 -s 5000 -W 1 10.9.0.1 &
	pids+=($!)
	in_ns a timeout 10 ping -q -n -i 0.002 -c 200 -s 1400 -W 1 fd00:9::2 &
	pids+=($!)
	wait "${pids[@]}" || true
}

new_session() {
	wg_set "$1" peer "${pub[$2]}" remove
	wg_in "$1" addconf "${ns_dev[$1]}" "$tmp/$1.peer"
}

# faults_at_random PERCENT ROUNDS: more rounds where hardly anything could fail, as a session whose
# handshake failed is not tried again before the round is over.
faults_at_random() {
	local before round
	before=$(num_injected)
	for ((round = 0; round < $2 || (round < 15 && $(num_injected) - before < 20); round++)); do
		# The configuration itself shall succeed; its failing has been swept.
		new_session a b
		fault_set probability "$1"
		traffic_round
		fault_set probability 0
		new_session b a
		fault_set probability "$1"
		traffic_round
		fault_set probability 0
	done
	faults_stop
	note "data and handshakes at $1 %: $(($(num_injected) - before)) faults injected in $round rounds"
	expect_between "faults" $(($(num_injected) - before)) 20 "$MANY"
}

tunnel_works() {
	# A handshake whose answer was lost is tried again after 5 s.
	wait_until 60 in_ns a ping -n -c 1 -W 2 10.9.0.2
	in_ns a python3 "$TRAFFIC" tcp 10.9.0.2 7000 1000000
	in_ns a python3 "$TRAFFIC" udp fd00:9::2 7000 32 1300
	ping_ns b 10.9.0.1
	refuse ip_ns a link show fault0
}

num_workqueues() {
	# Their rescuers are named after them, in a way that depends on the kernel; so are the
	# pool's workers for as long as they have their last work in mind.
	pgrep wgpp -l | grep -vcE 'kworker/[0-9u]' || true
}

num_objects() {
	slab_objects
	echo "workqueues $(num_workqueues)"
	echo "sockets $(in_ns a cat /proc/net/udp /proc/net/udp6 | grep -c : || true)"
}

same_objects() {
	[[ $(num_objects) == "$(cat "$tmp/objects")" ]]
}

nothing_is_left() {
	wait_until 30 same_objects || {
		num_objects
		cat "$tmp/objects"
		return 1
	}
}

plan 9
require_tools ping pgrep
[[ -x $FAULTS ]] || bail_out "$FAULTS is missing; run: make selftest-tools"
pair_create
pair_outer 4
keygen extra
for ns in a b; do
	if [[ $ns == a ]]; then far=b last=2; else far=a last=1; fi
	printf '%s\n' "[Peer]" "PublicKey = ${pub[$far]}" "Endpoint = 192.0.2.$last:500$last" \
		"AllowedIPs = 10.9.0.$last/32, fd00:9::$last/128" >"$tmp/$ns.peer"
done
serve b
ping_ns a 10.9.0.2 >/dev/null
faults_prepare
num_objects >"$tmp/objects"
[[ $WGPP_MODULE == in-tree ]] || grep -q wgpp_peer "$tmp/objects" ||
	bail_out "slab caches are merged here: nothing would be counted"
check "devices: each allocation of their life fails once" sweep_config
check "sending: each allocation fails once" sweep_send
check "the tunnel works" tunnel_works
check "nothing is left of it" nothing_is_left
faults_in_module
check "the module's allocations fail at random under traffic, seldom" faults_at_random 2 2
faults_in_module
check "the module's allocations fail at random under traffic, often" faults_at_random 20 2
check "the tunnel works after them" tunnel_works
check "nothing is left of them" nothing_is_left
faults_stop
if [[ $WGPP_MODULE == in-tree ]]; then
	skip "loading the module: each allocation fails once" "its file may be compressed"
else
	pair_delete
	check "loading the module: each allocation fails once" sweep_load
fi
echo "# $(num_injected) faults injected"
finish
