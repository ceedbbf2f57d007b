#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What every test-*.sh shares: KTAP output, namespaces with cleanup, veth links, keys,
# tunnel devices, waiting on conditions, and the kernel log.
#
# A test sources this file, calls plan, builds its topology, and states one result per
# check. Topology code runs under `set -e`: when it fails, the test bails out. The
# function given to check runs in a subshell of its own, also under `set -e`, so a
# sequence of commands in it is a sequence of assertions; it cannot set variables or
# start background commands for later checks.
#
# Environment:
#   KIND         link kind and generic netlink family under test (default wireguard)
#   WGTOOL       tool that configures it, wg or wgtool (default wg)
#   WGPP_MODULE  path of the module under test, or in-tree (default)
#   SELFTEST_TOOLS   where the programs of selftests/tools are (default build/tool)
#   VERBOSE      1: print the output of checks that pass, too

set -euo pipefail

KIND=${KIND:-wireguard}
WGTOOL=${WGTOOL:-wg}
WGPP_MODULE=${WGPP_MODULE:-in-tree}
VERBOSE=${VERBOSE:-0}
SELFTESTS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TRAFFIC=$SELFTESTS/traffic.py
SELFTEST_TOOLS=${SELFTEST_TOOLS:-$(dirname "$SELFTESTS")/build/tool}
# Long enough for an emulated machine under load; nothing waits this long unless it fails.
LIMIT=${LIMIT:-30}
export LC_ALL=C

# Processes are what costs time under emulation, so names are looked up, not printed.
test_id=$$
prefix=wgst-$$
tmp=$(mktemp -d -p /tmp --suffix=.wgst)
ktap_planned=0
ktap_number=0
ktap_failed=0
ktap_finished=0
log_serial=0
namespaces=()
background=()
modules_moved=
# Per namespace: what differs from the module under test, the tunnel device (wg0), and its index
# where that matters.
declare -A ns_kind=() ns_tool=() ns_dev=() ns_index=()
# Public keys by the name given to keygen.
declare -A pub=()

#
# KTAP
#

# plan NUM: announces the number of results; finish compares.
plan() {
	ktap_planned=$1
	printf 'KTAP version 1\n1..%d\n' "$1"
}

diag() {
	printf '# %s\n' "$*"
}

ok() {
	ktap_number=$((ktap_number + 1))
	printf 'ok %d - %s\n' "$ktap_number" "$*"
}

not_ok() {
	ktap_number=$((ktap_number + 1))
	ktap_failed=$((ktap_failed + 1))
	printf 'not ok %d - %s\n' "$ktap_number" "$*"
}

# skip NAME REASON: only for a scenario that has no meaning for the module under test.
skip() {
	ktap_number=$((ktap_number + 1))
	printf 'ok %d - %s # SKIP %s\n' "$ktap_number" "$1" "$2"
}

# check NAME COMMAND [ARG...]: one result from a command or function.
check() {
	local name=$1 status
	shift
	set +e
	(
		set -eE
		trap 'printf "failed (%d): %s\n" $? "$BASH_COMMAND"' ERR
		"$@"
	) >"$tmp/check.out" 2>&1 </dev/null
	status=$?
	set -e
	if [[ $status == 0 ]]; then
		[[ $VERBOSE != 1 ]] || sed 's/^/# /' "$tmp/check.out"
		ok "$name"
	else
		sed 's/^/# /' "$tmp/check.out"
		not_ok "$name"
	fi
}

# refuse COMMAND [ARG...]: succeeds when the command fails. For single commands: in a
# function called here, as after `if` or `||`, `set -e` is off and only its last line counts.
refuse() {
	if "$@"; then
		printf 'succeeded, and should have failed: %s\n' "$*"
		return 1
	fi
}

bail_out() {
	printf 'Bail out! %s\n' "$*"
	exit 1
}

# note TEXT: a diagnostic line from within a check; finish shows it.
note() {
	diag "$@" >>"$tmp/notes"
}

# Last line of every test: the status is that of the results.
finish() {
	ktap_finished=1
	[[ ! -e $tmp/notes ]] || cat "$tmp/notes"
	if [[ $ktap_number != "$ktap_planned" ]]; then
		diag "planned $ktap_planned results, gave $ktap_number"
		exit 1
	fi
	[[ $ktap_failed == 0 ]] || exit 1
	exit 0
}

# expect_eq WHAT ACTUAL EXPECTED
expect_eq() {
	[[ $2 == "$3" ]] || {
		printf '%s: is %s, expected %s\n' "$1" "'$2'" "'$3'"
		return 1
	}
}

# value FILE NAME: of a "NAME VALUE" line, 0 without one.
value() {
	awk -v name="$2" '$1 == name { value = $2 } END { print value + 0 }' "$1"
}

# expect_between WHAT ACTUAL LOW HIGH, bounds included
expect_between() {
	((${2} >= ${3} && ${2} <= ${4})) || {
		printf '%s: is %s, expected %s to %s\n' "$1" "$2" "$3" "$4"
		return 1
	}
}

# A missing program is a broken set-up, never a reason to skip.
require_tools() {
	local tool
	for tool in ip nsenter "$WGTOOL" python3 "$@"; do
		command -v "$tool" >/dev/null || bail_out "$tool is not installed"
	done
	[[ $(id -u) == 0 ]] || bail_out "the selftests need root, in a throwaway machine"
}

cleanup() {
	local status=$? pid ns
	trap - EXIT
	set +e
	for pid in "${background[@]}"; do
		kill "$pid" 2>/dev/null
	done
	for ns in "${namespaces[@]}"; do
		ip netns pids "$ns" 2>/dev/null | xargs -r kill 2>/dev/null
		ip netns del "$ns" 2>/dev/null
	done
	wait 2>/dev/null
	[[ -z $modules_moved ]] || modules_end
	if [[ $ktap_finished == 0 ]]; then
		tail -n 5 "$tmp"/bg.*.out 2>/dev/null | sed 's/^/# /'
		echo "Bail out! ended early with status $status"
		[[ $status != 0 ]] || status=1
	fi
	rm -rf "$tmp"
	exit "$status"
}
trap cleanup EXIT
trap 'exit 143' TERM INT

# wait_until SECONDS COMMAND [ARG...]: polls until the command succeeds.
wait_until() {
	local deadline=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		if ((SECONDS >= deadline)); then
			printf 'gave up waiting for: %s\n' "$*"
			return 1
		fi
		sleep 0.05
	done
}

#
# Namespaces and links
#

# in_ns NS COMMAND [ARG...]: only the network namespace is entered.
in_ns() {
	local ns=$1
	shift
	nsenter --net="/run/netns/$prefix-$ns" -- "$@"
}

# bg NS COMMAND [ARG...]: in the background, output to a file; sets bg_pid.
# The command is executed without a shell in between, so bg_pid is its own pid.
bg() {
	local ns=$1
	shift
	nsenter --net="/run/netns/$prefix-$ns" -- "$@" >>"$tmp/bg.$ns.out" 2>&1 </dev/null &
	bg_pid=$!
	background+=("$bg_pid")
}

# ns_create NS...: loopback up, no duplicate address detection to wait for, and no
# reverse path filter that could hide what AllowedIPs decide.
ns_create() {
	local ns
	for ns in "$@"; do
		ip netns add "$prefix-$ns"
		namespaces+=("$prefix-$ns")
		: "${ns_dev[$ns]:=wg0}"
		# shellcheck disable=SC2016 # expanded by the inner shell
		in_ns "$ns" bash -c '
			cd /proc/sys/net
			for conf in all default; do
				echo 0 >ipv6/conf/$conf/accept_dad
				echo 0 >ipv6/conf/$conf/router_solicitations
				echo 0 >ipv4/conf/$conf/rp_filter
				echo 1 >ipv4/conf/$conf/promote_secondaries
			done
			exec ip link set lo up'
	done
}

# ns_delete NS
ns_delete() {
	ip netns del "$prefix-$1"
}

# ip_ns NS IP-ARGUMENTS...
ip_ns() {
	local ns=$1
	shift
	ip -n "$prefix-$ns" "$@"
}

# veth_link NS1 NS2: interface eth-NS2 in NS1 and eth-NS1 in NS2, both up.
veth_link() {
	ip link add "eth-$2" netns "$prefix-$1" type veth \
		peer name "eth-$1" netns "$prefix-$2"
	ip_ns "$1" link set "eth-$2" up
	ip_ns "$2" link set "eth-$1" up
}

# addr_add NS DEV ADDRESS/LEN...
addr_add() {
	local ns=$1 dev=$2 address
	shift 2
	for address in "$@"; do
		case $address in
		*:*) ip_ns "$ns" addr add "$address" dev "$dev" nodad ;;
		*) ip_ns "$ns" addr add "$address" dev "$dev" ;;
		esac
	done
}

#
# Keys and tunnel devices
#

# keygen NAME...: $tmp/NAME.key and ${pub[NAME]}
keygen() {
	local name
	for name in "$@"; do
		(umask 077 && "$WGTOOL" genkey >"$tmp/$name.key")
		pub[$name]=$("$WGTOOL" pubkey <"$tmp/$name.key")
	done
}

# pskgen NAME: $tmp/NAME.psk
pskgen() {
	(umask 077 && "$WGTOOL" genpsk >"$tmp/$1.psk")
}

# wg_in NS ARGUMENTS...: the namespace's tool, speaking to the namespace's kind.
wg_in() {
	local ns=$1
	shift
	WGTOOL_KIND=${ns_kind[$ns]:-$KIND} in_ns "$ns" "${ns_tool[$ns]:-$WGTOOL}" "$@"
}

# wg_set NS ARGUMENTS...: set on the tunnel device of NS.
wg_set() {
	local ns=$1
	shift
	wg_in "$ns" set "${ns_dev[$ns]}" "$@"
}

# wg_link NS [ADDRESS/LEN...]: the tunnel device of NS, unconfigured, with addresses, up.
wg_link() {
	local ns=$1 kind=${ns_kind[$1]:-$KIND} address
	shift
	if [[ $kind == go ]]; then
		# The parent returns when the device can be configured.
		in_ns "$ns" wireguard-go "${ns_dev[$ns]}" >>"$tmp/bg.go.out" 2>&1 </dev/null
	fi
	{
		[[ $kind == go ]] ||
			echo "link add ${ns_dev[$ns]} ${ns_index[$ns]:+index ${ns_index[$ns]}} type $kind"
		for address in "$@"; do
			case $address in
			*:*) echo "addr add $address dev ${ns_dev[$ns]} nodad" ;;
			*) echo "addr add $address dev ${ns_dev[$ns]}" ;;
			esac
		done
		echo "link set ${ns_dev[$ns]} up"
	} | ip -n "$prefix-$ns" -batch -
}

# peer_field NS PEER FIELD: of the dump line of the peer whose key is ${pub[PEER]}.
peer_field() {
	local column
	case $3 in
	psk) column=2 ;;
	endpoint) column=3 ;;
	allowed-ips) column=4 ;;
	handshake) column=5 ;;
	rx) column=6 ;;
	tx) column=7 ;;
	keepalive) column=8 ;;
	*) bail_out "peer_field: no field $3" ;;
	esac
	wg_in "$1" show "${ns_dev[$1]}" dump |
		awk -F '\t' -v key="${pub[$2]}" -v column="$column" \
			'NR > 1 && $1 == key { print $column; found = 1 } END { exit !found }'
}

# dev_stat NS NAME: a counter of the tunnel device, for example rx_errors or tx_packets.
dev_stat() {
	local json pattern
	json=$(ip_ns "$1" -s -s -j link show dev "${ns_dev[$1]}")
	pattern="\"${2%%_*}\":\{[^}]*\"${2#*_}\":([0-9]+)"
	[[ $json =~ $pattern ]] || {
		echo "dev_stat: no $2 in $json" >&2
		return 1
	}
	echo "${BASH_REMATCH[1]}"
}

# tx_packets NS DEVICE...: what each device has sent, one number per line.
tx_packets() {
	local ns=$1 dev
	shift
	for dev in "$@"; do
		# shellcheck disable=SC2016 # awk's own
		in_ns "$ns" awk -v dev="$dev:" '$1 == dev { print $11; found = 1 } END { exit !found }' \
			/proc/net/dev
	done
}

# handshake_done NS PEER
handshake_done() {
	local when
	when=$(peer_field "$1" "$2" handshake) && [[ $when != 0 ]]
}

# ping_ns NS ADDRESS [PING-ARGUMENTS...]: one echo by default, generous reply time.
ping_ns() {
	local ns=$1 address=$2
	shift 2
	in_ns "$ns" ping -n -c 1 -W "$LIMIT" -i 0.05 "$@" "$address"
}

# no_ping_ns NS ADDRESS [PING-ARGUMENTS...]: sends one echo that nobody may answer.
no_ping_ns() {
	local ns=$1 address=$2
	shift 2
	refuse in_ns "$ns" ping -n -c 1 -W 1 "$@" "$address"
}

# The topology of most tests; a device's name may differ through ns_dev.
#
#   namespace a                                    namespace b
#   eth-b 192.0.2.1/24      ---- veth ----         eth-a 192.0.2.2/24
#         2001:db8::1/64                                 2001:db8::2/64
#   wg0   10.9.0.1/24       ==== tunnel ====       wg0   10.9.0.2/24
#         fd00:9::1/64                                   fd00:9::2/64
#   port  5001                                     port  5002
#
# pair_create [PSK-NAME]: endpoints are set by pair_outer.
pair_create() {
	keygen a b
	ns_create a b
	veth_link a b
	addr_add a eth-b 192.0.2.1/24 2001:db8::1/64
	addr_add b eth-a 192.0.2.2/24 2001:db8::2/64
	pair_devices "$@"
}

# pair_devices [PSK-NAME]: the tunnel devices of the pair alone, which are new.
pair_devices() {
	local psk=${1:+preshared-key $tmp/$1.psk} ns far last
	for ns in a b; do
		if [[ $ns == a ]]; then far=b last=1; else far=a last=2; fi
		wg_link "$ns" 10.9.0.$last/24 fd00:9::$last/64
		# shellcheck disable=SC2086 # psk is two words or none
		wg_set "$ns" private-key "$tmp/$ns.key" listen-port 500$last \
			peer "${pub[$far]}" $psk \
			allowed-ips "10.9.0.$((3 - last))/32,fd00:9::$((3 - last))/128"
	done
}

pair_delete() {
	ip_ns a link del "${ns_dev[a]}"
	ip_ns b link del "${ns_dev[b]}"
}

# pair_outer 4|6: both ends know each other by this family.
pair_outer() {
	case $1 in
	4)
		wg_set a peer "${pub[b]}" endpoint 192.0.2.2:5002
		wg_set b peer "${pub[a]}" endpoint 192.0.2.1:5001
		;;
	6)
		wg_set a peer "${pub[b]}" endpoint '[2001:db8::2]:5002'
		wg_set b peer "${pub[a]}" endpoint '[2001:db8::1]:5001'
		;;
	esac
}

# pair_files: addresses, keys and endpoints of the pair's devices, for pair_up. The pair's
# namespaces and outer IPv4 addresses are as pair_create makes them.
pair_files() {
	local ns far last
	for ns in a b; do
		if [[ $ns == a ]]; then far=b last=1; else far=a last=2; fi
		printf '%s\n' "link add wg0 type $KIND" "addr add 10.9.0.$last/24 dev wg0" \
			"addr add fd00:9::$last/64 dev wg0 nodad" "link set wg0 up" >"$tmp/$ns.batch"
		(
			umask 077
			printf '%s\n' "[Interface]" "PrivateKey = $(<"$tmp/$ns.key")" "ListenPort = 500$last" \
				"[Peer]" "PublicKey = ${pub[$far]}" \
				"Endpoint = 192.0.2.$((3 - last)):500$((3 - last))" \
				"AllowedIPs = 10.9.0.$((3 - last))/32, fd00:9::$((3 - last))/128" >"$tmp/$ns.conf"
		)
	done
}

# pair_up: both devices with one batch and one configuration each, which is fast.
pair_up() {
	local ns
	for ns in a b; do
		ip -n "$prefix-$ns" -batch "$tmp/$ns.batch"
		wg_in "$ns" setconf wg0 "$tmp/$ns.conf"
	done
}

# serve NS: echo and checksum server of traffic.py on port 7000, TCP and UDP, any address.
serve() {
	bg "$1" python3 "$TRAFFIC" serve 7000
	wait_until "$LIMIT" grep -q ready "$tmp/bg.$1.out"
}

# Before each 64 KiB; longer where the processor is for something else.
TRANSFER_PAUSE_MS=50

# transfers_start NS ADDRESS...: verified TCP transfers to serve at each ADDRESS in turn, again
# and again until transfers_end. What happens meanwhile can take as long as it takes.
transfers_start() {
	local ns=$1
	shift
	rm -f "$tmp"/transfers*
	(
		status=0 rounds=0
		until [[ $status != 0 || -e $tmp/transfers.enough ]]; do
			for address; do
				in_ns "$ns" python3 "$TRAFFIC" tcp "$address" 7000 500000 "$TRANSFER_PAUSE_MS" || status=$?
			done
			rounds=$((rounds + 1))
			echo "$rounds" >"$tmp/transfers.rounds"
		done
		echo "$status" >"$tmp/transfers.status"
	) >"$tmp/transfers" 2>&1 &
	background+=("$!")
}

# transfers_end: after the last one is complete; fails when any of them failed.
transfers_end() {
	touch "$tmp/transfers.enough"
	wait_until 120 test -s "$tmp/transfers.status"
	cat "$tmp/transfers"
	expect_eq "status of the transfers" "$(<"$tmp/transfers.status")" 0
	note "$(<"$tmp/transfers.rounds") rounds of transfers"
}

#
# What an observer sees, and floods of handshakes
#

# Observers' processes by the namespace they run in
declare -A observer=()

# observed_pair FIRST SECOND [PSK-NAME]: a topology like the pair's, IPv4 only, between any two
# namespaces, with endpoints. An observer on FIRST's link notes handshakes and changes of key.
observed_pair() {
	local first=$1 second=$2 psk=${3:+preshared-key $tmp/$3.psk} ns far last
	ns_create "$first" "$second"
	keygen "$first" "$second"
	veth_link "$first" "$second"
	addr_add "$first" "eth-$second" 192.0.2.1/24
	addr_add "$second" "eth-$first" 192.0.2.2/24
	for ns in "$first" "$second"; do
		if [[ $ns == "$first" ]]; then far=$second last=1; else far=$first last=2; fi
		wg_link "$ns" "10.9.0.$last/24"
		# shellcheck disable=SC2086 # psk is two words or none
		wg_set "$ns" private-key "$tmp/$ns.key" listen-port "500$last" peer "${pub[$far]}" $psk \
			endpoint "192.0.2.$((3 - last)):500$((3 - last))" allowed-ips "10.9.0.$((3 - last))/32"
	done
	bg "$first" python3 "$SELFTESTS/observe.py" "eth-$second"
	observer[$first]=$bg_pid
	wait_until "$LIMIT" grep -q ready "$tmp/bg.$first.out"
}

# events NS EVENT PORT: the observer's lines, "SECONDS INDEX" each. observe.py says which.
events() {
	awk -v event="$2" -v port="$3" '$1 == event && $3 == port { print $2, $4 }' "$tmp/bg.$1.out"
}

# observed: the observers' last words.
observed() {
	local ns
	for ns in "${!observer[@]}"; do
		kill "${observer[$ns]}"
		wait_until "$LIMIT" grep -q '^last' "$tmp/bg.$ns.out"
	done
}

# between NUMBER LOW HIGH, with decimals, bounds included
between() {
	awk -v value="$1" -v low="$2" -v high="$3" 'BEGIN { exit !(value >= low && value <= high) }' || {
		echo "is $1, expected $2 to $3"
		return 1
	}
}

# difference A B: B - A
difference() {
	awk -v a="$1" -v b="$2" 'BEGIN { printf "%.3f\n", b - a }'
}

# no_echo_lost FILE NUM: ping's output; what a handshake delays is answered late, and counts.
no_echo_lost() {
	local sent received
	tail -n 3 "$1"
	read -r sent received < <(awk '/packets transmitted/ { print $1, $4 }' "$1")
	expect_eq "echoes sent" "$sent" "$2"
	expect_eq "echoes received" "$received" "$sent"
}

# Forged initiations come from here, as many as a queue holds without being under load, and more,
# before the load is forgotten.
FLOOD_NET=198.18.0.0/16
FLOOD_RATE=1000

# watch NS PORT: counts cookie replies and responses that come into NS from that port, and
# drops what is for forged sources.
watch() {
	in_ns "$1" nft -f - <<-RULES
		table inet watch {
			counter cookies { }
			counter responses { }
			chain pre {
				type filter hook prerouting priority raw;
				udp sport $2 @th,64,32 0x03000000 counter name cookies
				udp sport $2 @th,64,32 0x02000000 counter name responses
				ip daddr $FLOOD_NET drop
			}
		}
	RULES
}

# counted NS cookies|responses: packets that watch has seen.
counted() {
	local json
	json=$(in_ns "$1" nft -j list counter inet watch "$2")
	[[ $json =~ \"packets\":\ ?([0-9]+) ]]
	echo "${BASH_REMATCH[1]}"
}

counted_beyond() {
	(($(counted "$1" "$2") > $3))
}

# flood_start NS HOST PORT KEY [PERCENT]: forged initiations from NS until flood_stop, PERCENT of
# them with a valid mac1.
flood_start() {
	bg "$1" "$SELFTEST_TOOLS/flood" "${FLOOD_NET%/*}" "$2" "$3" "$4" "$FLOOD_RATE" "${5-100}"
	flood=$bg_pid
	flood_out=$tmp/bg.$1.out
}

flooding() {
	kill -0 "$flood"
}

# flood_stop: says how fast it was; an emulated machine does not reach the rate. Not in a check:
# it waits for a process of the test's own shell.
flood_stop() {
	local num_sent rate
	kill "$flood"
	wait "$flood" || true
	read -r num_sent rate < <(grep '^[0-9]' "$flood_out" | tail -n 1)
	diag "$num_sent initiations, $rate per second"
}

#
# The module and the kernel log
#

module_name() {
	if [[ $WGPP_MODULE == in-tree ]]; then
		echo wireguard
	else
		basename "$WGPP_MODULE" .ko | tr - _
	fi
}

# module_load [PARAMETER...]: the module under test, with what it depends on.
module_load() {
	local depends
	if [[ $WGPP_MODULE == in-tree ]]; then
		modprobe wireguard
		return
	fi
	depends=$(modinfo -F depends "$WGPP_MODULE" | tr ',' ' ')
	# shellcheck disable=SC2086 # a list of names
	modprobe -a udp_tunnel ip6_udp_tunnel $depends
	if [[ $KIND != wireguard && $# == 0 ]]; then
		set -- "kind=$KIND"
	fi
	insmod "$WGPP_MODULE" "$@"
}

module_unload() {
	rmmod "$(module_name)"
}

module_loaded() {
	[[ -d /sys/module/$(module_name) ]]
}

# slab_objects: objects in use of each slab cache of the module that is its own; a kernel without
# slab debugging merges caches with others.
slab_objects() {
	local dir
	for dir in /sys/kernel/slab/wgpp_*; do
		[[ -d $dir && ! -L $dir ]] || continue
		# Until then each processor's own slab counts as if it were full.
		echo 1 >"$dir/shrink"
		echo "${dir##*/} $(cut -d ' ' -f 1 "$dir/objects")"
	done
}

# log_mark: sets log_marker, a line that log_since finds again.
log_mark() {
	log_serial=$((log_serial + 1))
	log_marker="selftest-mark-$test_id-$log_serial"
	echo "<6>$log_marker" >/dev/kmsg
}

# log_since MARKER: raw kernel log (with levels) after the marker. When the ring has
# overrun the marker, everything in it came later.
log_since() {
	dmesg -r | awk -v mark="$1" '
		{ line[NR] = $0 }
		index($0, mark) { start = NR }
		END { for (i = start + 1; i <= NR; i++) print line[i] }'
}

#
# Interoperation: ns_kind, ns_tool and ns_dev of b say with whom
#

# Results that interop gives
export NUM_INTEROP=4

# interop NAME: each two of role, outer family and preshared key meet in every combination;
# all three together would take twice as long and meet no further pair.
interop() {
	local round psk outer initiator
	pskgen interop
	pair_create interop
	serve b
	for round in "a 4 interop" "b 6 interop" "b 4 none" "a 6 none"; do
		read -r initiator outer psk <<<"$round"
		pair_delete
		if [[ $psk == none ]]; then pair_devices; else pair_devices "$psk"; fi
		pair_outer "$outer"
		check "$1, IPv$outer outside, $(interop_role "$initiator"), $(interop_psk "$psk")" \
			interop_round "$initiator"
	done
}

interop_role() {
	if [[ $1 == a ]]; then echo "we initiate"; else echo "it initiates"; fi
}

interop_psk() {
	if [[ $1 == none ]]; then echo "no preshared key"; else echo "preshared key"; fi
}

# interop_round INITIATOR: the first packet makes the handshake, so the role is given by who
# pings first. The server echoes, so the transfer covers both directions.
interop_round() {
	if [[ $1 == a ]]; then
		ping_ns a 10.9.0.2
	else
		ping_ns b 10.9.0.1
	fi
	handshake_done a b
	handshake_done b a
	ping_ns a fd00:9::2
	in_ns a python3 "$TRAFFIC" tcp 10.9.0.2 7000 300000
	in_ns a python3 "$TRAFFIC" udp fd00:9::2 7000 32 1300
}

# modules_begin: ours with kind=wgpp beside the in-tree module. cleanup calls modules_end.
modules_begin() {
	modules_moved=1
	if [[ $KIND == wireguard ]]; then
		module_unload
		module_load kind=wgpp
	fi
	modprobe wireguard
}

modules_end() {
	rmmod wireguard
	if [[ $KIND == wireguard ]]; then
		module_unload
		module_load
	fi
}
