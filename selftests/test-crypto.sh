#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Each implementation of the cryptography that the processor has, chosen when the module is
# loaded: the log names it, and packets of all sizes get through to the in-tree module and back.
#
#   a  eth-b 192.0.2.1 ---- veth ---- 192.0.2.2 eth-a  b
#      wg0   10.9.0.1  === tunnel === 10.9.0.2  wg0
#      (under test, kind wgpp)        (in-tree, kind wireguard)

. "$(dirname "$0")/common.sh"

levels=(scalar avx2 avx512)

# can LEVEL: whether this processor has it
can() {
	local flag flags=()
	case $1 in
	avx2) flags=(avx2 bmi2) ;;
	avx512) flags=(avx2 bmi2 avx512f avx512vl) ;;
	ifma) flags=(avx2 bmi2 avx512f avx512vl avx512ifma) ;;
	adx) flags=(adx bmi2) ;;
	esac
	for flag in "${flags[@]}"; do grep -qw "$flag" /proc/cpuinfo || return; done
}

# names CRYPTO X25519: what the module said when it was loaded last
names() {
	dmesg | grep 'self-test passed' | tail -n 1 |
		grep -F "crypto $1, X25519 $2, self-test passed"
}

# load PARAMETER...: ours alone; its devices go with it
load() {
	! module_loaded || module_unload
	module_load kind=wgpp "$@"
}

# x25519_of LEVEL: what it calls X25519
x25519_of() {
	local name=portable
	if [[ $1 != scalar ]] && can adx; then name=adx; fi
	if [[ $1 == avx512 ]] && can ifma; then name+=+ifma; fi
	echo "$name"
}

default_is_best() {
	load
	names "$best" "$(x25519_of "$best")"
}

# Alone a packet is not worth a batch; from a file of many there are batches of all lengths.
level_works() {
	local size
	load "crypto=$1"
	names "$1" "$(x25519_of "$1")"
	ip_ns b link del "${ns_dev[b]}"
	pair_devices
	pair_outer 4
	for size in 0 100 255 1392; do
		in_ns a ping -q -n -c 1 -W 10 -s "$size" 10.9.0.2
	done
	in_ns a ping -q -n -c 64 -l 64 -i 0.002 -W 10 -s 1000 10.9.0.2
	in_ns a python3 "$TRAFFIC" tcp 10.9.0.2 7000 200000
}

# refused NAME: it is named with what there is, and the module does not stay
refused() {
	module_unload
	log_mark
	refuse module_load kind=wgpp "crypto=$1"
	log_since "$log_marker" |
		grep -F "crypto=\"$1\" is none of what this processor can do: auto, scalar"
	refuse module_loaded
	module_load kind=wgpp
}

others_are_refused() {
	local level
	refused neon
	for level in "${levels[@]}"; do
		can "$level" || refused "$level"
	done
}

plan $((${#levels[@]} + 3))
require_tools wg ping modinfo
if [[ $WGPP_MODULE == in-tree ]]; then
	for _ in "${levels[@]}" 1 2 3; do skip "the choice" "the in-tree module has no parameter crypto"; done
	finish
fi
# wg speaks to the family "wireguard" alone, and here that is the in-tree module.
[[ ${WGTOOL##*/} != wg ]] || bail_out "set WGTOOL to wgtool, which can speak to kind wgpp"
modules_begin
ns_kind[a]=wgpp ns_kind[b]=wireguard ns_tool[b]=wg
best=scalar
for level in "${levels[@]}"; do
	if can "$level"; then best=$level; fi
done
pair_create
pair_outer 4
serve b
check "without a choice: the best that there is, by its name: $best" default_is_best
for level in "${levels[@]}"; do
	if can "$level"; then
		check "$level, with the in-tree module" level_works "$level"
	else
		skip "$level, with the in-tree module" "this processor does not have it"
	fi
done
check "what nobody knows is refused, with the names" refused mmx
check "and so is what another processor has" others_are_refused
finish
